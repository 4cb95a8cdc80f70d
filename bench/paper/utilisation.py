"""How near the cubes' peak GEMM and convolution come, beside the best that the paper measured.

`python -m bench.paper.utilisation [--out DIR]`. The paper runs MindSpore's operators; here are
hand-written programs with good tiles. Its peak is the vendor's round 256 TFLOPS; a chip of 32 cores
at 1 GHz has 262.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.paper.printing import picture_folder, print_table, save_picture
from bench.paper.wide_conv import Conv
from bench.paper.wide_gemm import wide_gemm
from tilelang.backends.tik.cycles import Cycles, count_cycles
from tilelang.backends.tik.emulate.capacity import capacity_faults

PUBLISHED_PEAK = 256.0  # TFLOPS
TUNED = 253.8  # TFLOPS, the vendor's best tuned convolution (0.99 of 262)
PUBLISHED = {"fully connected": 210.17, "convolution": 216.96}  # TFLOPS, the best of a sweep

GEMMS = (1024, 2048, 4096, 8192)
CONVS = tuple(
    Conv(128, size, channels, 256, kernel)
    for kernel in (1, 3, 5)
    for channels in (32, 64, 128)
    for size in (112, 224, 336)
)
"""Of the paper's table 2: 128 images and 256 outputs."""


@dataclass(frozen=True, slots=True)
class Point:
    """One size of an operator, and what the model says."""

    operator: str
    size: str
    cycles: Cycles

    @property
    def tflops(self) -> float:
        """Operations a second, launch included."""
        return self.cycles.flop_per_second / 1e12


def gemm_point(size: int) -> Point:
    """Return the product of square matrices in tiles of 128 x 256 x 64."""
    columns = 4 if size >= 2048 else 2
    rows = 32 // columns if size >= 1024 else 4
    tiles = (min(128, size // rows), 256 if size // columns >= 512 else 128, 64)
    program = wide_gemm((size, size, size), tiles, (rows, columns))
    return Point("fully connected", f"{size} x {size} x {size}", count_cycles(program))


def conv_point(conv: Conv) -> Point | None:
    """Return a convolution; None where its weights and rows do not fit L1 together."""
    program = conv.program()
    if capacity_faults(program):
        return None
    words = f"{conv.size}, {conv.channels} to {conv.outputs} channels, filter {conv.kernel}"
    return Point("convolution", words, count_cycles(program))


def main() -> None:
    """Print all points, the best beside the paper's, and draw them."""
    folder = picture_folder("Cube utilisation of GEMM and convolution")
    convs = [point for conv in CONVS if (point := conv_point(conv)) is not None]
    points = [*map(gemm_point, GEMMS), *convs]
    print_table(
        ("operator", "size", "TFLOPS", "of 262", "busiest", "flop/byte", "roof"),
        [
            (
                point.operator, point.size, f"{point.tflops:.1f}",
                f"{point.cycles.cube_utilisation:.1%}", point.cycles.critical.value,
                f"{point.cycles.intensity:,.0f}",
                f"{point.cycles.roof_flop_per_second / 1e12:.0f}",
            )
            for point in points
        ],
    )  # fmt: skip
    print(f"\n{len(CONVS) - len(convs)} of {len(CONVS)} convolutions do not fit L1 in this form.\n")
    print_table(
        ("operator", "paper", "of 256", "model", "of 256", "of 262", "agrees"),
        [_verdict(name, points) for name in PUBLISHED],
    )
    if folder is not None:
        save_picture(folder / "utilisation.png", lambda _, axis: draw(axis, points), size=(8, 5))


def _verdict(operator: str, points: Sequence[Point]) -> Sequence[str]:
    best = max((p for p in points if p.operator == operator), key=lambda point: point.tflops)
    paper = PUBLISHED[operator]
    words = "yes: at or above" if best.tflops >= paper else "no: below"
    return (
        operator, f"{paper:.1f}", f"{paper / PUBLISHED_PEAK:.1%}", f"{best.tflops:.1f}",
        f"{best.tflops / PUBLISHED_PEAK:.1%}", f"{best.cycles.cube_utilisation:.1%}",
        f"{words}; the paper's includes a framework",
    )  # fmt: skip


def draw(axis: Any, points: Sequence[Point]) -> None:
    """Draw the roofline with all points and the paper's best."""
    ridge = points[0].cycles.ridge
    peak = points[0].cycles.peak_flop_per_second / 1e12
    axis.plot([10, ridge, 10_000], [10 * peak / ridge, peak, peak], color="#333333", lw=1.5)
    for operator, colour in zip(PUBLISHED, ("#2f6fb7", "#e8833a"), strict=True):
        mine = [point for point in points if point.operator == operator]
        intensities = [point.cycles.intensity for point in mine]
        flops = [point.tflops for point in mine]
        axis.scatter(intensities, flops, color=colour, label=f"{operator}, model")
        axis.axhline(PUBLISHED[operator], color=colour, ls="--", lw=1,
                     label=f"{operator}, best published: {PUBLISHED[operator]:.0f}")  # fmt: skip
    axis.set(
        xscale="log", yscale="log", xlabel="flop for each byte of HBM", ylabel="TFLOPS",
        ylim=(10, 400),
    )  # fmt: skip
    axis.set_title("Ascend 910, float16, modelled", loc="left", fontsize=10)
    axis.legend(frameon=False, fontsize=8, loc="lower right")


if __name__ == "__main__":
    main()
