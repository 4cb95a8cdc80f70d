"""The tiles of a convolution: default parameters by a rule, and the plan a kernel makes of them.

On a CPU a tile is whole rows of an output map, as many as make equal tiles of at most 800 positions
(the sizes are those of the input, all there is to go by: with strides of 2 they come out equal
too). What hangs over the only tile of an image costs nothing. Small maps share their weights with
those of other images, up to as many positions. Outputs are cut into equal parts of at most 128, of
less where two threads would have no tile each; 64 channels at a time, in one step of the cube: then
the sums, the rows under them and the weights of a step stay in a second-level cache of 1 MB.

Elsewhere tiles have 128 positions, and as many channels as leave L1 room for two of everything; on
a GPU sizes are powers of two.

Results do not depend on any of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tilelang.dtypes import BLOCK_BYTES, DType
from tilelang.ir.nodes import Window
from tilelang.ir.region import Memory
from tilelang.machines import find_machine

_FRACTAL = 16
_MAX_POSITIONS, _MAX_OUTPUTS, _MAX_CHANNELS = 800, 128, 64
"""Of a tile on a CPU."""
_L1_BYTES = 1 << 20
"""What tiles are chosen for where L1 is larger: features may take 1/8 of it, weights 1/4."""
_SUM_BYTES = 1 << 18
"""What the sums of a core may take in L0C."""

Sizes = Mapping[str, int]
"""N, C, H, W of the features and O, C, R, S of the weights."""


def convolution_tiles(dims: Sizes, dtype: DType, machine: str) -> dict[str, int]:
    """Return `m_tile`, `o_tile`, `c_tile`, `k_tile`, `n_tiles` and `l1_bytes` for a problem."""
    if machine == "host":
        return _host_tiles(dims, dtype)
    chip = find_machine(machine)
    n_positions = max(dims["H"] * dims["W"], 1)
    n_m = -(-n_positions // 128)
    m_tile = _round_up(-(-n_positions // n_m), _FRACTAL)
    o_tile = min(128, _round_up(dims["O"], _FRACTAL))
    if machine == "sm90":
        m_tile, o_tile = _power_of_two(m_tile), _power_of_two(o_tile)
    c_tile = _channels(dims, dtype, (m_tile, o_tile), min(chip.capacity[Memory.L1], _L1_BYTES))
    operand_bytes = min(chip.capacity[Memory.L0A] // m_tile, chip.capacity[Memory.L0B] // o_tile)
    k_blocks = min(operand_bytes // (4 * BLOCK_BYTES), 9)  # in two loops, each doubled
    n_tiles = dims["N"] * n_m * -(-dims["O"] // o_tile) // chip.n_cores
    n_tiles = min(n_tiles, _SUM_BYTES // (4 * m_tile * o_tile))
    if machine == "sm90":  # where no tile is one of several by an index
        n_blocks = c_tile // dtype.k0 * dims["R"] * dims["S"]
        k_blocks, n_tiles = min(n_blocks & -n_blocks, 4), 1
    return {
        "m_tile": m_tile,
        "o_tile": o_tile,
        "c_tile": c_tile,
        "k_tile": max(k_blocks, 1) * dtype.k0,
        "n_tiles": max(n_tiles, 1),
        "l1_bytes": chip.capacity[Memory.L1],
    }


def _host_tiles(dims: Sizes, dtype: DType) -> dict[str, int]:
    n_positions = max(dims["H"] * dims["W"], 1)
    m_tile = _rows_of_a_tile(dims) * dims["W"] or _even(n_positions, _MAX_POSITIONS, _FRACTAL)
    n_in_all = max(dims["N"] * -(-n_positions // m_tile), 1)
    together = range(max(_MAX_POSITIONS // m_tile, 1), 0, -1)
    n_tiles = next(n for n in together if n_in_all % n == 0)
    o_tile = _even(dims["O"], _MAX_OUTPUTS, _FRACTAL)
    if n_in_all == n_tiles and 2 * _FRACTAL < dims["O"] <= _MAX_OUTPUTS:
        o_tile = _even(dims["O"], o_tile // 2, _FRACTAL)
    c_tile = _even(dims["C"], _MAX_CHANNELS, dtype.k0)
    return {
        "m_tile": _round_up(m_tile, _FRACTAL),
        "o_tile": o_tile,
        "c_tile": c_tile,
        "k_tile": c_tile * max(dims["R"] * dims["S"], 1),
        "n_tiles": n_tiles,
        "l1_bytes": find_machine("host").capacity[Memory.L1],
    }


def _rows_of_a_tile(dims: Sizes) -> int:
    """Return the rows of equal tiles of whole fractals, 0 where there are no such tiles."""
    height, width = dims["H"], dims["W"]
    if 0 < height * width <= _MAX_POSITIONS:
        return height
    found = [
        rows
        for rows in range(1, min(height, _MAX_POSITIONS // max(width, 1)) + 1)
        if height % rows == 0 and rows * width % _FRACTAL == 0
    ]
    return max(found, default=0)


def _even(size: int, most: int, unit: int) -> int:
    """Return equal parts of `size`, at most `most` if that can be, in whole units."""
    n_parts = max(-(-size // most), 1)
    return _round_up(-(-size // n_parts), unit)


def _channels(dims: Sizes, dtype: DType, tiles: tuple[int, int], l1_bytes: int) -> int:
    """Return the channels of a tile whose features and weights take their share of L1."""
    m_tile, o_tile = tiles
    n_rows = dims["R"] + m_tile // max(dims["W"], 1) + 1
    row_bytes = n_rows * max(dims["W"], 1) * dtype.n_bytes
    weight_bytes = max(dims["R"] * dims["S"], 1) * o_tile * dtype.n_bytes
    most = min(128, l1_bytes // (8 * row_bytes), l1_bytes // (4 * weight_bytes))
    return min(_power_of_two(max(most, dtype.k0) + 1) // 2, _round_up(dims["C"], dtype.k0))


@dataclass(frozen=True, slots=True)
class Plan:
    """The tiles of one convolution, as far as they fit its sizes."""

    window: Window
    groups: int
    m_tile: int
    """Output positions of one image in a tile."""
    n_tiles: int
    """Tiles of positions of a core, perhaps of several images."""
    n_m: int
    """Tiles of positions of an image."""
    n_rows: int
    """Output rows that a tile meets, at most."""
    out_width: int
    o_tile: int
    n_o: int
    """Tiles of outputs in a group."""
    c_tile: int
    n_c: int
    """Tiles of input channels in a group."""
    k_step: int
    """Columns of one step on the cube; they divide those of a tile of channels."""
    map_height: int
    """Rows of a map, if a tile has all the positions of an image; else 0."""

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """The padding that `load3d` adds: of all sides, if a slab is a map.

        The slab of a tile has rows of its own above and below: they hang over the map.
        """
        _, _, left, right = self.window.padding
        return self.window.padding if self.map_height else (0, 0, left, right)

    @property
    def slab_height(self) -> int:
        """Input rows under `n_rows` output rows."""
        window = self.window
        if self.map_height:
            return self.map_height
        return (
            (self.n_rows - 1) * window.stride[0] + (window.kernel[0] - 1) * window.dilation[0] + 1
        )


def plan_convolution(
    features: tuple[int, ...],
    weights: tuple[int, ...],
    dtype: DType,
    window: Window,
    *,
    groups: int,
    tiles: Mapping[str, int],
) -> Plan:
    """Return the plan of shapes [N, C, H, W] and [O, C, R, S] for tiles named as parameters are.

    `groups` divides the outputs. So many tiles of positions come together as fit `l1_bytes`.
    """
    (n_outputs, n_channels), k0 = weights[:2], dtype.k0
    m_tile, o_tile, c_tile = tiles["m_tile"], tiles["o_tile"], tiles["c_tile"]
    height, width = window.output(*features[2:])
    firsts = range(0, height * width, m_tile)
    lasts = (min(first + m_tile, height * width) - 1 for first in firsts)
    spans = [last // width - first // width + 1 for first, last in zip(firsts, lasts, strict=True)]
    most_outputs = _round_up(n_outputs // groups, _FRACTAL)
    if o_tile == _power_of_two(o_tile):  # as a GPU wants it
        most_outputs = _power_of_two(most_outputs)
    o_tile = min(o_tile, most_outputs)
    # Past the channels of a group lie those of the next, which must not meet its sums.
    if n_channels <= c_tile or (groups > 1 and n_channels % c_tile):
        c_tile = max(n_channels, 1)
    n_blocks = -(-c_tile // k0) * window.kernel[0] * window.kernel[1]
    most = max(tiles["k_tile"] // k0, 1)
    k_blocks = max(n for n in range(1, most + 1) if n_blocks % n == 0)
    plan = Plan(
        window=window,
        groups=groups,
        m_tile=m_tile,
        n_tiles=1,
        n_m=max(len(firsts), 1),
        n_rows=max(spans, default=1),
        out_width=max(width, 1),
        o_tile=o_tile,
        n_o=max(-(-(n_outputs // groups) // o_tile), 1),
        c_tile=c_tile,
        n_c=max(-(-n_channels // c_tile), 1),  # C = 0: padding alone
        k_step=k_blocks * k0,
        map_height=features[2] if len(firsts) == 1 else 0,
    )
    slab_bytes = _round_up(c_tile, k0) * plan.slab_height * features[3] * dtype.n_bytes
    room = tiles["l1_bytes"] // min(plan.n_c, 2) - n_blocks * k0 * o_tile * dtype.n_bytes
    n_tiles = min(tiles["n_tiles"], max(features[0] * plan.n_m, 1), room // max(slab_bytes, 1))
    return replace(plan, n_tiles=max(n_tiles, 1))


def _power_of_two(size: int) -> int:
    """Return the power of two from `size` on."""
    return 1 << (size - 1).bit_length()


def _round_up(size: int, unit: int) -> int:
    """Return the multiple of `unit` from `size` on, at least one."""
    return max(-(-size // unit), 1) * unit
