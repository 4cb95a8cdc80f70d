"""Stand-ins for CANN's platform queries: sizes and names of the chip that is recorded for."""

import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from tilelang.backends.tik.instructions import Scope, TikType
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.recorder.session import current_soc, select_soc
from tilelang.backends.tik.recorder.tik import METHODS
from tilelang.backends.tik.shims import checks
from tilelang.diagnostics import Diagnostic, TileError

_SIZES = {
    "UB_SIZE": Scope.UB,
    "L1_SIZE": Scope.L1,
    "L0A_SIZE": Scope.L0A,
    "L0B_SIZE": Scope.L0B,
    "L0C_SIZE": Scope.L0C,
}
_PRODUCTS = {
    ("v100", "mini"): "Ascend310",
    ("v100", "cloud"): "Ascend910A",
    ("v200", "aic"): "Ascend310P3",
}


def get_soc_spec(key: str) -> int | str:
    """Return a size in bytes, the number of cores, or a name of the chip, as CANN does."""
    soc = current_soc()
    if key in _SIZES:
        return soc.capacity(_SIZES[key])
    answers: dict[str, int | str] = {
        "CORE_NUM": soc.machine.n_cores,
        "SOC_VERSION": soc.name,
        "FULL_SOC_VERSION": soc.name,
        "SHORT_SOC_VERSION": soc.short_version,
        "AICORE_TYPE": "AiCore",
    }
    if key not in answers:
        wanted = ", ".join([*_SIZES, *answers])
        message = f"get_soc_spec knows nothing of {key!r}"
        raise TileError(Diagnostic("E1214", message, caller(), hint=f"it answers: {wanted}"))
    return answers[key]


def set_current_compile_soc_info(
    soc_version: str, core_type: str = "AiCore", *more: object
) -> None:
    """Record for the chip `soc_version` from here on."""
    select_soc(soc_version, caller())


def set_product_version(*version: str) -> None:
    """Record for the chip of an old pair of names: ("v100", "mini") is the 310."""
    if version in _PRODUCTS:
        select_soc(_PRODUCTS[version], caller())  # pyright: ignore[reportArgumentType]


def product_version() -> str:
    """Return what old kernels compare with VERSION_MINI: that for the 310, else VERSION_CLOUD."""
    return "VERSION_MINI" if current_soc().machine.name == "ascend310" else "VERSION_CLOUD"


def check_support(name: str, dtype: str = "") -> bool:
    """Return whether an instruction is recorded here, whatever the chip."""
    method = name.rpartition(".")[2].removeprefix("Intrinsic_")
    return method in METHODS


def data_size(dtype: str) -> int:
    """Return the bytes of an element."""
    return TikType(dtype).n_bytes


def bit_length(dtype: str) -> int:
    """Return the bits of an element."""
    return 8 * data_size(dtype)


def per_block(dtype: str) -> int:
    """Return the elements of a block."""
    return 32 // data_size(dtype)


def ceil_divide(value: int, step: int) -> int:
    """Return how many `step`s cover `value`."""
    return -(-value // step)


def align(value: int, step: int) -> int:
    """Return `value` rounded up to a multiple of `step`."""
    return ceil_divide(value, step) * step


def product(extents: Iterable[int]) -> int:
    """Return the product of `extents`: the elements of a shape."""
    return math.prod(extents)


class Dprofile:
    """TIK's description of a chip; the names in its parameters select it."""

    def __init__(self, *version: str, **more: object) -> None:
        """Describe the chip of an old pair of names, or the current one."""
        set_product_version(*version)

    def get_aicore_num(self) -> int:
        """Return the number of cores."""
        return current_soc().machine.n_cores

    def get_unified_buffer_size(self) -> int:
        """Return the bytes of UB."""
        return current_soc().capacity(Scope.UB)

    def get_l1_buffer_size(self) -> int:
        """Return the bytes of L1."""
        return current_soc().capacity(Scope.L1)

    def get_l0a_buffer_size(self) -> int:
        """Return the bytes of L0A."""
        return current_soc().capacity(Scope.L0A)

    def get_l0b_buffer_size(self) -> int:
        """Return the bytes of L0B."""
        return current_soc().capacity(Scope.L0B)

    def get_l0c_buffer_size(self) -> int:
        """Return the bytes of L0C."""
        return current_soc().capacity(Scope.L0C)

    def get_product_name(self) -> str:
        """Return CANN's name of the chip."""
        return current_soc().name


class OperatorContext:
    """TBE's compile context: takes compile information and keeps none."""

    def add_compile_info(self, key: str, value: object) -> None:
        """Accept a value for the tiling function."""

    def get_addition(self, key: str) -> None:
        """Return None: nothing was added."""


@contextmanager
def build_config(*args: object, **options: object) -> Generator[None, None, None]:
    """Accept build options."""
    yield


PLATFORM: dict[str, object] = {
    "get_soc_spec": get_soc_spec,
    "cce_conf_get_soc_spec": get_soc_spec,
    "set_current_compile_soc_info": set_current_compile_soc_info,
    "te_set_version": set_current_compile_soc_info,
    "api_check_support": check_support,
    "intrinsic_check_support": check_support,
    "get_bit_len": bit_length,
    "get_block_size": lambda: 32,
    **dict.fromkeys(("BLOCK_IN", "BLOCK_OUT", "BLOCK_REDUCE"), 16),
    "BLOCK_REDUCE_INT8": 32,
    "BLOCK_VECTOR": 1,
    "build_config": build_config,
    "te_set_l2_mode": checks.ignore,
    "fusion_manager": None,
    **{
        name: name
        for name in (*_SIZES, "CORE_NUM", "SOC_VERSION", "SHORT_SOC_VERSION", "AICORE_TYPE")
    },
    **{scope.value: scope for scope in Scope},
}
"""What `tbe.common.platform` and `te.platform.cce_conf` hold."""

TIK_UTIL: dict[str, object] = {
    "DTYPE_SIZE": {dtype.value: dtype.n_bytes for dtype in TikType},
    "ceil_div": ceil_divide,
    "reduce_mul": product,
}
"""What `te.tik.common.util` holds, as far as public samples use it."""

CONSTANTS: dict[str, object] = {
    **{f"DATA_TYPE_{dtype.value.upper()}": dtype.value for dtype in TikType},
    "DATA_TYPE_FP16": "float16",
    "DATA_TYPE_FP32": "float32",
    "BLOCK_SIZE": 32,
    "VECTOR_BYTE_SIZE": 256,
    "MAX_REPEAT_TIMES": 255,
    "MASK128": 128,
    "MASK64": 64,
    "STRIDE_ZERO": 0,
    "STRIDE_ONE": 1,
    "REPEAT_STRIDE_EIGHT": 8,
    "REPEAT_STRIDE_FOUR": 4,
    "SID": 0,
    "DEFAULT_BURST_LEN": 1,
    "DEFAULT_NBURST": 1,
}
"""What `impl.constant_util` holds, as far as kernels were seen to use it."""
