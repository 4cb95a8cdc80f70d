"""Table 6: BatchNorm in float32 gives about half the throughput of float16.

`python -m bench.paper.precision [--out DIR]`. The paper trains ResNet-50 with BatchNorm in either
precision; here is the operator alone, on features of one of its layers.
"""

from typing import Any

from bench.paper.batch_norm_pass import batch_norm_pass
from bench.paper.printing import picture_folder, print_table, save_picture
from tilelang.backends.tik.cycles import Cycles, Pipe, count_cycles

PUBLISHED = 1091 / 2192
"""Images a second, float32 over float16."""


def main() -> None:
    """Print both precisions and their ratio, and draw them."""
    folder = picture_folder("Table 6: BatchNorm in float32 and float16")
    found = {dtype: count_cycles(batch_norm_pass(dtype)) for dtype in ("float16", "float32")}
    print_table(
        ("dtype", "µs", "V busy", "MTE2 busy", "MTE3 busy", "GM MB", "bound by"),
        [_row(dtype, cycles) for dtype, cycles in found.items()],
    )
    ratio = found["float16"].total / found["float32"].total
    vector = _busy(found["float16"], Pipe.V) / _busy(found["float32"], Pipe.V)
    print()
    print_table(
        ("float32 over float16", "paper", "model", "agrees"),
        [
            ("throughput", f"{PUBLISHED:.1%}", f"{ratio:.1%}",
             "yes" if abs(ratio - PUBLISHED) < 0.05 else "no"),
            ("vector pipe alone", "not given", f"{vector:.1%}",
             "half the lanes a repeat, twice the repeats"),
            ("whole training step", "49.8%", "-",
             "not modelled: there the cube works in float16 either way"),
        ],
    )  # fmt: skip
    if folder is not None:
        values = {"paper": PUBLISHED, "model": ratio, "model,\nvector pipe": vector}
        save_picture(folder / "precision.png", lambda _, axis: draw(axis, values), size=(5, 4))


def _busy(cycles: Cycles, pipe: Pipe) -> int:
    return next(use.busy for use in cycles.pipes if use.pipe is pipe)


def _row(dtype: str, cycles: Cycles) -> tuple[str, ...]:
    shares = (f"{_busy(cycles, pipe) / cycles.core:.0%}" for pipe in (Pipe.V, Pipe.MTE2, Pipe.MTE3))
    bound = "HBM" if cycles.memory > 0.9 * cycles.core else cycles.critical.value
    time = f"{cycles.seconds * 1e6:.1f}"
    return (dtype, time, *shares, f"{cycles.gm_bytes / 1e6:.0f}", bound)


def draw(axis: Any, values: dict[str, float]) -> None:
    """Draw the ratios as bars."""
    colours = ("#999999", "#2f6fb7", "#9cc3e6")
    bars = axis.bar(list(values), [100 * ratio for ratio in values.values()], color=colours)
    axis.bar_label(bars, fmt="%.1f%%")
    axis.axhline(50, color="#999999", ls="--", lw=1)
    axis.set(ylabel="float32 throughput, % of float16", ylim=(0, 60))
    axis.set_title("BatchNorm on an Ascend 910", loc="left", fontsize=10)


if __name__ == "__main__":
    main()
