"""What other documents call our layouts, and which of their names mean two things.

Three habits collide. Huawei writes the order of the blocks first and large, the order inside a
block second and small (`Nz`). catlass and tilelang-ascend write the inside first and small (`zN`,
the same layout). Formats of graphs have names of their own (`FRACTAL_NZ`), and TIK spells out the
dimensions (`K1MK0`). We write two capitals, blocks first.

| ours | Huawei | catlass, tilelang-ascend | graph format | TIK |
|---|---|---|---|---|
| ND | ND | RowMajor | ND | |
| NZ | NZ, Nz | zN | FRACTAL_NZ, NW1H1H0W0 | K1MK0, N1MN0 |
| ZZ | ZZ, Zz | zZ | FRACTAL_ZZ | |
| ZN | ZN, Zn | nZ | FRACTAL_ZN | K1NK0 |
| NN | NN, Nn | nN | | |
| NC1HWC0 | NC1HWC0, 5HD | | NC1HWC0 | |
| FRACTAL_Z | FRACTAL_Z, Fz, FZ, FracZ | | FRACTAL_Z | |

Sources: Huawei, CANN documents, "data layout formats"; catlass, layouts of matrices;
tilelang-ascend issues 1033 and 1250, where its maintainers propose our rule; TIK reference, matmul.
In NW1H1H0W0 N counts the matrices; ZN of b[K, N] is byte for byte NZ of its
transpose, hence TIK's K1NK0.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from tilelang.diagnostics import Diagnostic, TileError
from tilelang.layouts.layout import LayoutKind

SPELLINGS: Mapping[LayoutKind, tuple[str, ...]] = {
    LayoutKind.ND: ("ND", "RowMajor"),
    LayoutKind.NZ: ("NZ", "Nz", "zN", "FRACTAL_NZ", "K1MK0", "N1MN0", "NW1H1H0W0"),
    LayoutKind.ZZ: ("ZZ", "Zz", "zZ", "FRACTAL_ZZ"),
    LayoutKind.ZN: ("ZN", "Zn", "nZ", "FRACTAL_ZN", "K1NK0"),
    LayoutKind.NN: ("NN", "Nn", "nN"),
    LayoutKind.NC1HWC0: ("NC1HWC0", "5HD"),
    LayoutKind.FRACTAL_Z: ("FRACTAL_Z", "Fz", "FZ", "FracZ"),
}
"""Every spelling that means one layout only; ours first. Upper and lower case differ here."""

_PREFIXES = ("ACL_FORMAT_", "FORMAT_")

_TWO_LETTERS = (
    "two letters alone mean one layout to Huawei and another to catlass; write NZ for blocks in "
    "columns with rows inside (Nz, zN), ZN for blocks in rows with columns inside (Zn, nZ)"
)
_IMAGES = "declare the dimensions in the order they are stored, {order}, and use layout ND"

_NOT_OURS: Mapping[str, tuple[str, str]] = {
    "nz": ("is ambiguous", _TWO_LETTERS),
    "zn": ("is ambiguous", _TWO_LETTERS),
    "NCHW": ("names dimensions, not a layout", _IMAGES.format(order="[N, C, H, W]")),
    "NHWC": ("names dimensions, not a layout", _IMAGES.format(order="[N, H, W, C]")),
    "HWCN": ("names dimensions, not a layout", _IMAGES.format(order="[H, W, C, N]")),
    "ColumnMajor": (
        "is no layout of ours",
        "declare the dimensions the other way round, and use layout ND",
    ),
}
"""Names that we refuse on purpose: what they are, and what to write."""


def find_layout(name: str) -> LayoutKind:
    """Return the layout that `name` means, in our spelling or in one of the vendor's.

    Case decides where two spellings differ in nothing else (`Nz` and `nZ`); otherwise it is free.

    Raises:
        TileError: E0614 if no layout is called so, or two are.
    """
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    by_name = {spelling: kind for kind, spellings in SPELLINGS.items() for spelling in spellings}
    if name in by_name:
        return by_name[name]
    refused = next((known for known in _NOT_OURS if known.lower() == name.lower()), None)
    if refused:
        what, hint = _NOT_OURS[refused]
        raise TileError(Diagnostic("E0614", f"layout {name!r} {what}", hint=hint))
    by_lower_case = {spelling.lower(): kind for spelling, kind in by_name.items()}
    if name.lower() not in by_lower_case:
        raise TileError(_unknown_layout(name, list(by_name)))
    return by_lower_case[name.lower()]


def _unknown_layout(name: str, spellings: list[str]) -> Diagnostic:
    by_lower_case = {spelling.lower(): spelling for spelling in spellings}
    close = get_close_matches(name.lower(), by_lower_case, n=1)
    hint = f"write {by_lower_case[close[0]]!r}; " if close else ""
    kinds = ", ".join(kind.value for kind in LayoutKind)
    return Diagnostic(
        "E0614", f"there is no layout {name!r}", hint=f"{hint}the layouts are: {kinds}"
    )
