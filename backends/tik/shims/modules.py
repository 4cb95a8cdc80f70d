"""Which modules the shims install, and what each holds."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tilelang.backends.tik.instructions import Scope
from tilelang.backends.tik.recorder.conditions import every, negate, some
from tilelang.backends.tik.recorder.places import caller
from tilelang.backends.tik.recorder.tik import Tik
from tilelang.backends.tik.shims import checks, mindspore, platform
from tilelang.diagnostics import Diagnostic, TileError

PACKAGES = ("te", "tbe", "topi", "impl", "mindspore")
"""The top-level packages that are shimmed."""


class Shim(ModuleType):
    """A module whose missing attributes are errors only when they are called."""

    def __init__(self, name: str, contents: Mapping[str, object]) -> None:
        """Make the module `name` hold `contents`."""
        super().__init__(name)
        self.__path__ = list[str]()
        self.__dict__.update(contents)

    def __getattr__(self, attribute: str) -> Any:
        """Return a stand-in for something that no shim provides."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Missing(f"{self.__name__}.{attribute}")


class Missing:
    """Something of CANN's that no shim provides; harmless until it is called."""

    def __init__(self, name: str) -> None:
        """Stand for `name`."""
        self._name = name

    def __getattr__(self, attribute: str) -> "Missing":
        """Return a stand-in for an attribute."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Missing(f"{self._name}.{attribute}")

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Refuse."""
        raise TileError(
            Diagnostic(
                "E1214",
                f"the script calls {self._name}, which is part of CANN and has no stand-in here",
                caller(),
            )
        )


TIK: dict[str, object] = {
    "Tik": Tik,
    "Dprofile": platform.Dprofile,
    "all": every,
    "any": some,
    "negate": negate,
    "set_product_version": platform.set_product_version,
    "ASCEND_310": "Ascend310",
    "ASCEND_910": "Ascend910",
    **{scope.value: scope for scope in Scope},
}
_UTIL_COMMON: dict[str, object] = {
    "ceil": platform.ceil_divide,
    "align": platform.align,
    "div_align_scalar": platform.align,
}
_COMMON_UTIL: dict[str, object] = {
    "get_data_size": platform.data_size,
    "get_block_element": platform.per_block,
}
_CONTEXT: dict[str, object] = {
    "get_context": platform.OperatorContext,
    "op_context": Shim("op_context", {"get_context": platform.OperatorContext}),
}
_REGISTER: dict[str, object] = {
    name: checks.pass_through
    for name in ("register_operator", "register_op_compute", "register_param_generalization",
                 "register_operator_compute")
}  # fmt: skip
_BUILD: dict[str, object] = {
    "build_config": platform.build_config,
    "set_current_build_config": checks.ignore,
    "get_current_build_config": checks.ignore,
}
_TVM: dict[str, object] = {
    # Some operators describe their inputs for the DSL before they choose TIK.
    "placeholder": lambda *args, **options: Missing("te.tvm.placeholder(...)"),  # pyright: ignore[reportUnknownLambdaType]
}
_PARA_CHECK = checks.CheckModule("para_check")
_ERRORS: dict[str, object] = {
    "error_manager_vector": checks.CheckModule("error_manager_vector", raises=True),
    "error_manager_cube": checks.CheckModule("error_manager_cube", raises=True),
    "error_manager_util": checks.CheckModule("error_manager_util", raises=True),
}
_SHAPE_UTIL: dict[str, object] = {"shape_to_list": list}
_TOPI_UTIL = checks.CheckModule(
    "util", get_product_version=platform.product_version, shape_to_list=list
)


def make_modules() -> dict[str, ModuleType]:
    """Return fresh modules by full name, parents holding their children as attributes."""
    contents = _contents()
    names = sorted({prefix for name in contents for prefix in _prefixes(name)})
    modules: dict[str, ModuleType] = {}
    for name in names:
        made = contents.get(name, {})
        modules[name] = made if isinstance(made, ModuleType) else Shim(name, made)
        parent, _, child = name.rpartition(".")
        if parent:
            modules[parent].__dict__.setdefault(child, modules[name])
    return modules


def _contents() -> dict[str, Mapping[str, object] | ModuleType]:
    tik = Shim("tik", TIK)
    chip: dict[str, object] = platform.PLATFORM
    return {
        "te.tik": tik,
        "te.tik.common.util": platform.TIK_UTIL,
        "tbe.tik": tik,
        "tbe.tik.common.util": platform.TIK_UTIL,
        "te.platform": chip,
        "te.platform.cce_conf": chip,
        "te.platform.cce_params": chip,
        "te.platform.cce_build": _BUILD,
        "te.platform.fusion_manager": {},
        "te.utils": {"para_check": _PARA_CHECK, **_ERRORS},
        "te.utils.op_utils": _PARA_CHECK,
        "te.utils.para_check": _PARA_CHECK,
        "te.utils.error_manager": _ERRORS,
        "te.lang.cce": {},
        "te.lang.dynamic": {},
        "te.tvm": _TVM,
        "tbe.tvm": _TVM,
        "tbe.dsl": {},
        "tbe.common.platform": chip,
        "tbe.common.platform.platform_info": chip,
        "tbe.common.utils": {"para_check": _PARA_CHECK, **_SHAPE_UTIL, **_ERRORS},
        "tbe.common.utils.para_check": _PARA_CHECK,
        "tbe.common.utils.shape_util": _SHAPE_UTIL,
        "tbe.common.utils.errormgr": _ERRORS,
        "tbe.common.register": _REGISTER,
        "tbe.common.context": _CONTEXT,
        "tbe.common.buildcfg": _BUILD,
        "topi.cce.util": _TOPI_UTIL,
        "topi.generic": {},
        "impl.util.platform_adapter": _adapter(tik, chip),
        "impl.util.util_common": _UTIL_COMMON,
        "impl.util.util_tik_comm_func": _UTIL_COMMON,
        "impl.common_util": _COMMON_UTIL,
        "impl.constant_util": platform.CONSTANTS,
        "mindspore.ops": mindspore.REGISTRATION,
        "mindspore.ops.op_info_register": mindspore.REGISTRATION,
    }


def _adapter(tik: Shim, chip: Mapping[str, object]) -> dict[str, object]:
    """Return what `impl.util.platform_adapter` holds: the others, by their short names."""
    return {
        "tik": tik,
        "tbe_platform": Shim("tbe_platform", chip),
        "tbe_context": Shim("tbe_context", _CONTEXT),
        "tbe_build": Shim("tbe_build", _BUILD),
        "para_check": _PARA_CHECK,
        "shape_util": Shim("shape_util", _SHAPE_UTIL),
        "tbe_register": Shim("tbe_register", _REGISTER),
        **_ERRORS,
        **_REGISTER,
    }


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
