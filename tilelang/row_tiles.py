"""The tiles that kernels on whole rows choose: from the machine and the length of a row.

Chips have a vector memory to fit, and run few, wide instructions: so many elements at once that all
buffers of a row kernel fit every chip. A computer keeps what it needs in registers, so its tiles
only have to stay in the first cache while they are read again: two rows or 2048 elements, whichever
is more. A row that leaves that cache still costs less in one tile than the second reading of all
that a row of several tiles takes, while it fits the second cache.
"""

_CHIP_ELEMENTS = 8192
"""On a chip: some 20 bytes an element for the kernels here, so 160 KiB of 192 and more."""
_CHIP_ROWS = 4
_ROWS, _ELEMENTS = 2, 2048
"""On a computer; tried on 4096x768, 1024x1024 and 128x32000, float32 and float16: 8192 elements
were 0 to 30 % slower, one row up to 15 %."""
_LONGEST = 1 << 16
"""Elements of a row in one tile on a computer: 256 KiB of float32, a quarter of a usual L2."""
_LONG_TILE = 1 << 13
"""Elements of a tile of longer rows: these are read again from memory whatever the tile."""


def row_tiles(n_columns: int, machine: str) -> dict[str, int]:
    """Return `m_tile` and `n_tile` for rows of `n_columns` elements on a machine."""
    if machine == "host":
        n_tile = max(-(-n_columns // 16), 1) * 16 if n_columns <= _LONGEST else _LONG_TILE
        return {"m_tile": max(_ROWS, _ELEMENTS // n_tile), "n_tile": n_tile}
    n_tile = min(max(1 << (n_columns - 1).bit_length(), 16), _CHIP_ELEMENTS // _CHIP_ROWS)
    return {"m_tile": _CHIP_ELEMENTS // n_tile, "n_tile": n_tile}
