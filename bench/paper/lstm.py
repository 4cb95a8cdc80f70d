"""Figure 9 for the RNN, and the paper's future work: what keeping data on the core gains.

`python -m bench.paper.lstm [--out DIR]`. The paper finds the RNN near the memory slope, since each
cell's product leaves the core and comes back. The other forms are its future work, so there is no
published number beside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.paper.lstm_steps import Form, Lstm
from bench.paper.printing import picture_folder, print_table, save_picture
from tilelang.backends.tik.cycles import Cycles, count_cycles

LAYER = Lstm()
WAYS: Mapping[str, tuple[Form, ...]] = {
    "unfused: product, then cell": (Form.PRODUCT, Form.CELL),
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


def run(name: str, forms: Sequence[Form]) -> Way:
    """Return the sum of the kernels of one way, each as often as there are steps."""
    found = [count_cycles(LAYER.program(form)) for form in forms]
    times = 1 if forms == (Form.ALL_STEPS,) else LAYER.steps
    return Way(
        name,
        times * sum(cycles.total for cycles in found),
        times * sum(max(cycles.core, cycles.memory) for cycles in found),
        times * sum(cycles.flop for cycles in found),
        times * sum(cycles.memory_bytes for cycles in found),
        times * sum(cycles.gm_bytes for cycles in found),
        found[0],
    )


def main() -> None:
    """Print the three ways and draw them on the roofline."""
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
    print()
    print_table(("what", "paper", "model", "agrees"), _verdicts(ways))
    if folder is not None:
        save_picture(folder / "lstm.png", lambda _, axis: draw(axis, ways), size=(8, 5))


def _verdicts(ways: Sequence[Way]) -> list[Sequence[str]]:
    unfused, fused, resident = ways
    left = unfused.intensity < unfused.chip.ridge
    share = unfused.tflops / unfused.roof_tflops
    return [
        (
            "unfused: side of the ridge", "memory",
            f"{unfused.intensity:.0f} of {unfused.chip.ridge:.0f} flop/byte",
            "yes" if left else "no",
        ),
        (
            "unfused: on the slope", "near", f"{share:.0%} of the roof",
            "partly: weights are read from L2 by every core, which the slope does not count",
        ),
        ("fused", "future work", f"{unfused.cycles / fused.cycles:.2f} times faster", "-"),
        ("resident", "future work", f"{unfused.cycles / resident.cycles:.2f} times faster", "-"),
    ]  # fmt: skip


def draw(axis: Any, ways: Sequence[Way]) -> None:
    """Draw the roofline and the three ways."""
    chip = ways[0].chip
    peak = chip.peak_flop_per_second / 1e12
    axis.plot([10, chip.ridge, 2000], [10 * peak / chip.ridge, peak, peak], color="#333333", lw=1.5)
    for way, colour in zip(ways, ("#c94f6d", "#e8833a", "#2f6fb7"), strict=True):
        axis.scatter([way.intensity], [way.tflops], color=colour, s=60, label=way.name)
        axis.plot([way.intensity] * 2, [way.tflops, way.roof_tflops], color=colour, ls=":", lw=1)
    axis.set(xscale="log", yscale="log", xlabel="flop for each byte of HBM", ylabel="TFLOPS")
    axis.set_title(
        "LSTM on an Ascend 910, modelled; below the roof: launches and vector work",
        loc="left", fontsize=10,
    )  # fmt: skip
    axis.legend(frameon=False, fontsize=9, loc="lower right")


if __name__ == "__main__":
    main()
