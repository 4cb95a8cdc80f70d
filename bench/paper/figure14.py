"""Figure 14: the time of algorithm Y by tile sizes, and where larger tiles stop to help.

`python -m bench.paper.figure14 [--out DIR]`. A[16, 256] x B[256, 1024] in float16 on one core of an
Ascend 910; the launch is left out, as host copies are in the paper.
"""

from collections.abc import Mapping
from typing import Any

from bench.paper.algorithm_y import algorithm_y
from bench.paper.printing import picture_folder, print_table, save_picture
from tilelang.backends.tik.cycles import count_cycles

SIZES = (16, 256, 1024)
"""m, k, n."""
K_TILES = (16, 32, 64, 128, 256)
N_TILES = (16, 32, 64, 128, 256, 512, 1024)
PUBLISHED = (64, 256)
"""Where the paper sees the knee: k_tile, n_tile. It does not give the times."""
MUCH, LITTLE = 0.10, 0.05
"""Of the time at the knee: what each half as large tile loses at least, any larger gains at most"""

Times = Mapping[tuple[int, int], int]
"""Cycles by (k_tile, n_tile)."""


def sweep(*, store_each_step: bool = True) -> dict[tuple[int, int], int]:
    """Return the cycles of every tile size."""
    return {
        (k_tile, n_tile): count_cycles(
            algorithm_y(SIZES, (16, k_tile, n_tile), store_each_step=store_each_step)
        ).core
        for k_tile in K_TILES
        for n_tile in N_TILES
    }


def is_knee(times: Times, tile: tuple[int, int]) -> bool:
    """Return whether half as large along either axis costs much, and nothing larger gains much."""
    k_tile, n_tile = tile
    halves = ((k_tile // 2, n_tile), (k_tile, n_tile // 2))
    larger = [time for (k, n), time in times.items() if k >= k_tile and n >= n_tile]
    here = times[tile]
    return all(times.get(half, 1 << 60) >= (1 + MUCH) * here for half in halves) and (
        min(larger) >= (1 - LITTLE) * here
    )


def main() -> None:
    """Print the sweep, say where the knee is, and draw it."""
    folder = picture_folder("Figure 14: tile sizes of algorithm Y")
    times = sweep()
    print("Algorithm Y, A[16, 256] x B[256, 1024], float16, one core of ascend910: cycles\n")
    heads = ("k_tile \\ n_tile", *map(str, N_TILES))
    print_table(heads, [(str(k), *(f"{times[k, n]:,}" for n in N_TILES)) for k in K_TILES])
    knees = [tile for tile in times if is_knee(times, tile)]
    best = min(times, key=times.__getitem__)
    print(
        f"\nThe knee (half of either costs {MUCH:.0%} or more, larger gains {LITTLE:.0%} or less)"
    )
    for knee in knees:
        mark = "  <- published" if knee == PUBLISHED else ""
        print(f"  k_tile {knee[0]:>3}, n_tile {knee[1]:>4}: {times[knee]:,} cycles{mark}")
    print(f"Fastest of all: k_tile {best[0]}, n_tile {best[1]}.")
    print_disagreement(times, knees)
    if folder is not None:
        save_picture(
            folder / "figure14.png", lambda _, axes: draw(axes, times), size=(11, 4.6), n_axes=2
        )


def print_disagreement(times: Times, knees: list[tuple[int, int]]) -> None:
    """Print what the paper says beside what the model says."""
    here = times[PUBLISHED]
    larger = min(t for (k, n), t in times.items() if k >= 64 and n >= 256 and (k, n) != PUBLISHED)
    losses = [times[32, 256] / here - 1, times[64, 128] / here - 1]
    same = ", ".join(f"{k} x {n}" for k, n in knees if (k, n) != PUBLISHED) or "none"
    print()
    print_table(
        ("what", "paper", "model", "agrees"),
        [
            ("knee", "64 x 256", "64 x 256" if PUBLISHED in knees else "elsewhere",
             "yes" if PUBLISHED in knees else "no"),
            ("half of k_tile, n_tile", "slower", "{:+.0%}, {:+.0%}".format(*losses),
             "yes" if min(losses) >= MUCH else "no"),
            ("best of all larger", "no gain", f"{larger / here - 1:+.1%}",
             "yes" if larger >= (1 - LITTLE) * here else "no"),
            ("other knees", "not named", same,
             "the model sees the size of B's tile, 32 KiB: half of L0B"),
            ("cycles", "not given", f"{here:,}", "nobody knows"),
        ],
    )  # fmt: skip


def draw(axes: Any, times: Times) -> None:
    """Draw the times over either tile size."""
    for axis, across in zip(axes, (False, True), strict=True):
        along, others = (K_TILES, N_TILES) if across else (N_TILES, K_TILES)
        name, other_name = ("k_tile", "n_tile") if across else ("n_tile", "k_tile")
        for other in others:
            cycles = [times[(size, other) if across else (other, size)] for size in along]
            axis.plot(along, cycles, marker="o", ms=4, label=f"{other_name} {other}")
        published = PUBLISHED[0 if across else 1]
        axis.axvline(published, color="#999999", ls="--", lw=1)
        axis.annotate(
            "published knee", (published, 1), xycoords=("data", "axes fraction"),
            xytext=(5, -4), textcoords="offset points", va="top", color="#666666",
        )  # fmt: skip
        ticks = (10_000, 20_000, 50_000, 100_000, 200_000)
        axis.set(xscale="log", yscale="log", xlabel=name, ylabel="cycles")
        axis.set_xticks(along, [str(size) for size in along])
        axis.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
        axis.minorticks_off()
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_title("Algorithm Y, A[16, 256] x B[256, 1024], modelled", loc="left", fontsize=10)


if __name__ == "__main__":
    main()
