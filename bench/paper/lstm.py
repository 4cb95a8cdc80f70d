"""Figure 9 for the RNN, and the paper's future work: what keeping data on the core gains.

`python -m bench.paper.lstm [--out DIR]`. The paper finds the RNN near the memory slope, since each
cell's product leaves the core and comes back. The other forms are its future work, so there is no
published number beside them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.paper.lstm_steps import Form, Lstm
from bench.paper.printing import picture_folder, print_table, save_picture
from tilelang.backends.tik.cycles import Cycles, Pipe, count_cycles

LAYER = Lstm()
LAYERS = (
    LAYER,
    Lstm(batch=256, inputs=512, hidden=512),
    Lstm(batch=128, inputs=1024, hidden=1024),
    Lstm(batch=64, inputs=2048, hidden=2048),
)
"""What the paper ran is not given, so the first finding is shown for small and large layers."""
UNFUSED = "unfused: product, then cell"
WAYS: Mapping[str, tuple[Form, ...]] = {
    UNFUSED: (Form.PRODUCT, Form.CELL),
    "fused: one kernel a step": (Form.STEP,),
    "resident: one kernel in all": (Form.ALL_STEPS,),
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run the layer, for all its steps; cycles with and without launches."""

    name: str
    cycles: int
    cycles_without_launch: int
    flop: int
    memory_bytes: float
    gm_bytes: int
    busy: Mapping[Pipe, int]
    chip: Cycles

    @property
    def seconds(self) -> float:
        """The time of all steps."""
        return self.cycles / self.chip.rates.machine.clock_hz

    @property
    def tflops(self) -> float:
        """Operations of the cube a second."""
        return self.flop / self.seconds / 1e12

    @property
    def intensity(self) -> float:
        """Operations for each byte of HBM."""
        return self.flop / self.memory_bytes

    @property
    def roof_tflops(self) -> float:
        """What the roofline allows at this intensity."""
        peak = self.chip.peak_flop_per_second
        return min(peak, self.intensity / self.chip.ridge * peak) / 1e12

    @property
    def share_of_roof(self) -> float:
        """What is reached of what the roofline allows."""
        return self.tflops / self.roof_tflops

    def share(self, pipe: Pipe) -> float:
        """Return the share of the time in which `pipe` of the busiest core was busy."""
        return self.busy[pipe] / self.cycles

    @property
    def launch_share(self) -> float:
        """The share of the time that launches take."""
        return 1 - self.cycles_without_launch / self.cycles


def run(name: str, forms: Sequence[Form], layer: Lstm = LAYER) -> Way:
    """Return the sum of the kernels of one way, each as often as there are steps."""
    found = [count_cycles(layer.program(form)) for form in forms]
    times = 1 if forms == (Form.ALL_STEPS,) else layer.steps
    busy = Counter[Pipe]()
    for use in (use for cycles in found for use in cycles.pipes):
        busy[use.pipe] += times * use.busy
    return Way(
        name,
        times * sum(cycles.total for cycles in found),
        times * sum(max(cycles.core, cycles.memory) for cycles in found),
        times * sum(cycles.flop for cycles in found),
        times * sum(cycles.memory_bytes for cycles in found),
        times * sum(cycles.gm_bytes for cycles in found),
        busy,
        found[0],
    )


def main() -> None:
    """Print the three ways and what binds the first, and draw them on the roofline."""
    folder = picture_folder("The RNN on the roofline, and what fusing gains")
    ways = [run(name, forms) for name, forms in WAYS.items()]
    first = ways[0]
    print(
        f"LSTM, {LAYER.steps} steps, batch {LAYER.batch}, {LAYER.inputs} inputs, "
        f"{LAYER.hidden} hidden, float16 with float32 states, ascend910\n"
    )
    print_table(
        ("way", "µs", "times faster", "without launches", "TFLOPS", "roof", "flop/byte", "GM MB"),
        [
            (
                way.name, f"{way.seconds * 1e6:,.0f}", f"{first.cycles / way.cycles:.2f}",
                f"{first.cycles_without_launch / way.cycles_without_launch:.2f}",
                f"{way.tflops:.1f}", f"{way.roof_tflops:.0f}", f"{way.intensity:,.0f}",
                f"{way.gm_bytes / 1e6:,.0f}",
            )
            for way in ways
        ],
    )  # fmt: skip
    layers = [run(UNFUSED, WAYS[UNFUSED], layer) for layer in LAYERS]
    print_what_binds(layers)
    print()
    print_table(("what", "paper", "model", "agrees"), _verdicts(ways, layers))
    if folder is not None:
        save_picture(folder / "lstm.png", lambda _, axis: draw(axis, ways, layers), size=(8, 5))


def print_what_binds(layers: Sequence[Way]) -> None:
    """Print how near the roof each of `LAYERS` comes when unfused, and where its time goes."""
    print("\nUnfused, by size: the share of the time of launches, and in which each pipe is busy")
    pipes = (Pipe.MTE2, Pipe.MTE3, Pipe.M, Pipe.V)
    heads = ("hidden", "batch", "flop/byte", "of the roof", "launches", *(p.value for p in pipes))
    print_table(
        heads,
        [
            (
                f"{layer.hidden}", f"{layer.batch}", f"{way.intensity:.0f}",
                f"{way.share_of_roof:.0%}", f"{way.launch_share:.0%}",
                *(f"{way.share(pipe):.0%}" for pipe in pipes),
            )
            for layer, way in zip(LAYERS, layers, strict=True)
        ],
    )  # fmt: skip


def _verdicts(ways: Sequence[Way], layers: Sequence[Way]) -> list[Sequence[str]]:
    unfused, fused, resident = ways
    left = all(way.intensity < way.chip.ridge for way in layers)
    small, large = layers[0].share_of_roof, layers[-1].share_of_roof
    return [
        (
            "unfused: side of the ridge", "memory",
            f"{unfused.intensity:.0f} of {unfused.chip.ridge:.0f} flop/byte",
            "yes" if left else "no",
        ),
        (
            "unfused: on the slope", "near", f"{small:.0%} to {large:.0%} of the roof",
            "large layers do; small ones pay two launches a step, and a core's only tile "
            "overlaps nothing",
        ),
        ("fused", "future work", f"{unfused.cycles / fused.cycles:.2f} times faster", "-"),
        ("resident", "future work", f"{unfused.cycles / resident.cycles:.2f} times faster", "-"),
    ]  # fmt: skip


def draw(axis: Any, ways: Sequence[Way], layers: Sequence[Way]) -> None:
    """Draw the roofline, the three ways, and larger unfused layers."""
    chip = ways[0].chip
    peak = chip.peak_flop_per_second / 1e12
    axis.plot([10, chip.ridge, 2000], [10 * peak / chip.ridge, peak, peak], color="#333333", lw=1.5)
    for way, colour in zip(ways, ("#c94f6d", "#e8833a", "#2f6fb7"), strict=True):
        axis.scatter([way.intensity], [way.tflops], color=colour, s=60, label=way.name)
        axis.plot([way.intensity] * 2, [way.tflops, way.roof_tflops], color=colour, ls=":", lw=1)
    larger = [(way.intensity, way.tflops) for way in layers[1:]]
    sizes = ", ".join(str(layer.hidden) for layer in LAYERS[1:])
    axis.scatter(*zip(*larger, strict=True), s=60, facecolor="none", edgecolor="#c94f6d",
                 label=f"unfused, {sizes} hidden")  # fmt: skip
    for (x, y), layer in zip(larger, LAYERS[1:], strict=True):
        axis.annotate(str(layer.hidden), (x, y), xytext=(7, -10), textcoords="offset points")
    axis.set(xscale="log", yscale="log", xlabel="flop for each byte of HBM", ylabel="TFLOPS")
    axis.set_title(
        "LSTM on an Ascend 910, modelled; below the roof: launches and vector work",
        loc="left", fontsize=10,
    )  # fmt: skip
    axis.legend(frameon=False, fontsize=9, loc="lower right")


if __name__ == "__main__":
    main()
