import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record, record_source
from tilelang.backends.tik.recorder.session import session
from tilelang.backends.tik.shims import installed
from tilelang.diagnostics import TileError

OLD_SCRIPT = '''
from te import tik
from te import platform as tbe_platform
from te.platform import cce_conf
from te.utils.op_utils import *
from te.utils import para_check
from topi.cce import util


class Doubler:
    """An operator as the old samples wrote them."""

    def __init__(self, shape, kernel_name):
        self.tik_instance = tik.Tik(tik.Dprofile())
        self.ub_bytes = cce_conf.get_soc_spec(cce_conf.UB_SIZE)
        self.cores = tbe_platform.cce_conf.get_soc_spec("CORE_NUM")
        self.n = shape[0]
        self.kernel_name = kernel_name
        self.x = self.tik_instance.Tensor("float16", shape, tik.scope_gm, "x")
        self.y = self.tik_instance.Tensor("float16", shape, name="y", scope=tik.scope_gm)

    def compute(self):
        t = self.tik_instance
        with t.for_range(0, self.n // 128, block_num=self.n // 128) as i:
            ub = t.Tensor("float16", (128,), name="ub", scope=tik.scope_ubuf)
            t.data_move(ub, self.x[i * 128], 0, 1, 8, 0, 0)
            t.vadd(128, ub[0], ub[0], ub[0], 1, 1, 1, 1, 8, 8, 8, 0)
            t.data_move(self.y[i * 128], ub, 0, 1, 8, 0, 0)
        t.BuildCCE(self.kernel_name, self.x, self.y, enable_l2=False)


@util.check_input_type(dict, dict, str)
def doubler(x, y, kernel_name="doubler"):
    para_check.check_shape(x.get("shape"))
    if x["dtype"] != "float16":
        raise RuntimeError(x["dtype"])
    Doubler(x["shape"], kernel_name).compute()
'''

NEW_SCRIPT = """
from impl.util.platform_adapter import error_manager_vector
from impl.util.platform_adapter import para_check
from impl.util.platform_adapter import register_operator
from impl.util.platform_adapter import tbe_platform
from impl.util.platform_adapter import tik
import tbe.common.platform as platform
from tbe.common.utils import para_check as same_check
from tbe.common import buildcfg


@register_operator("Fill")
@para_check.check_op_params(para_check.REQUIRED_OUTPUT, para_check.KERNEL_NAME)
def fill(y, kernel_name="fill"):
    if y["dtype"] not in ("float32",):
        error_manager_vector.raise_err_input_dtype_not_supported(kernel_name, "y", [], y["dtype"])
    assert tbe_platform.api_check_support("tik.vec_dup", "float32")
    tik_instance = tik.Tik(disable_debug=False)
    n = tbe_platform.get_soc_spec(tbe_platform.CORE_NUM)
    y_gm = tik_instance.Tensor("float32", (n, 8), name="y_gm", scope=tbe_platform.scope_gm)
    ub = tik_instance.Tensor("float32", (n, 8), name="ub", scope=tik.scope_ubuf)
    tik_instance.vec_dup(8, ub, 2.5, n, 1)
    tik_instance.data_move(y_gm, ub, 0, 1, n, 0, 0)
    tik_instance.BuildCCE(kernel_name=kernel_name, inputs=[], outputs=[y_gm])
    return tik_instance.tikdb.start_debug(feed_dict={}, interactive=False)
"""


def test_an_old_script_loads_unchanged_and_runs():
    x = np.arange(512, dtype=np.float16)
    argument = {"shape": (512,), "dtype": "float16"}
    program = record_source(OLD_SCRIPT, "doubler", argument, argument)
    assert program.name == "doubler"
    np.testing.assert_array_equal(emulate(program, {"x": x}).outputs["y"], 2 * x)


@pytest.mark.parametrize(("soc", "cores"), [("Ascend310", 2), ("Ascend910A", 32)])
def test_a_new_script_asks_for_its_chip_and_debugs_itself(soc: str, cores: int):
    results: list[object] = []
    namespace: dict[str, Any] = {}

    def entry() -> None:
        exec(NEW_SCRIPT, namespace)
        results.extend(namespace["fill"]({"dtype": "float32"}))

    record(entry, soc=soc)
    (got,) = results
    np.testing.assert_array_equal(got, np.full((cores, 8), 2.5))


def test_a_script_that_refuses_its_arguments_says_why():
    with pytest.raises(TileError, match=r"E1218.*raise_err_input_dtype_not_supported.*int8"):
        record_source(NEW_SCRIPT, "fill", {"dtype": "int8"})


def test_calling_something_without_a_stand_in_names_it():
    text = "import te.lang.cce\n\ndef kernel():\n    te.lang.cce.vadd(1, 2)\n"
    with pytest.raises(TileError, match=r"E1214.*te\.lang\.cce\.vadd.*no stand-in"):
        record_source(text, "kernel")


def test_a_module_that_is_not_listed_exists_until_something_of_it_is_called():
    text = (
        "from te.lang.cce.te_compute import broadcast_compute as b\n\ndef kernel():\n    b.go()\n"
    )
    with pytest.raises(TileError, match=r"E1214.*te\.lang\.cce\.te_compute\.broadcast_compute\.go"):
        record_source(text, "kernel")
    with pytest.raises(ModuleNotFoundError):
        record_source("import te_other\n", "kernel")


MINDSPORE_SCRIPT = """
from te import tik, tvm
from te.platform import cce_params as cce
from te.tik.common.util import DTYPE_SIZE, ceil_div, reduce_mul
from topi.cce import util
from mindspore.ops.op_info_register import op_info_register, TBERegOp, DataType

info = TBERegOp("Negate") \\
    .fusion_type("OPAQUE") \\
    .attr("scale", "optional", "float", "all", "1") \\
    .input(0, "x", False, "required", "all") \\
    .dtype_format(DataType.F32_Default, DataType.F32_FracNZ) \\
    .get_op_info()


@op_info_register(info)
def negate(x, kernel_name="negate"):
    util.check_shape_rule(x["shape"])
    unused = tvm.placeholder(x["shape"], name="x", dtype="float32")
    is_mini = util.get_product_version() == util.VERSION_MINI
    t = tik.Tik(tik.Dprofile("v100", "mini" if is_mini else "cloud"))
    n = reduce_mul(x["shape"])
    blocks = ceil_div(n * DTYPE_SIZE["float32"], 2 * cce.BLOCK_IN)
    x_gm = t.Tensor("float32", x["shape"], name="x", scope=tik.scope_gm)
    y_gm = t.Tensor("float32", x["shape"], name="y", scope=tik.scope_gm)
    ub = t.Tensor("float32", (n,), name="ub", scope=tik.scope_ubuf)
    t.data_move(ub, x_gm, 0, 1, blocks, 0, 0)
    t.vmuls(n, ub, ub, -1.0, 1, 1, 1, 8, 8)
    t.data_move(y_gm, ub, 0, 1, blocks, 0, 0)
    t.BuildCCE(kernel_name, inputs=[x_gm], outputs=[y_gm])
"""


@pytest.mark.parametrize("soc", ["Ascend310", "Ascend910A"])
def test_a_script_registered_with_mindspore_loads_unchanged(soc: str):
    x = np.arange(32, dtype=np.float32).reshape(4, 8)
    program = record_source(MINDSPORE_SCRIPT, "negate", {"shape": (4, 8)}, soc=soc)
    assert program.soc == soc
    np.testing.assert_array_equal(emulate(program, {"x": x}).outputs["y"], -x)


def test_modules_exist_only_inside_and_others_come_back():
    mine = ModuleType("te")
    sys.modules["te"] = mine
    try:
        with installed():
            assert sys.modules["te"] is not mine
            assert sys.modules["te.tik"] is sys.modules["tbe.tik"]
        assert sys.modules["te"] is mine
    finally:
        del sys.modules["te"]
    assert not [name for name in sys.modules if name.partition(".")[0] in ("tbe", "topi", "impl")]


def test_modules_go_when_the_script_fails():
    with pytest.raises(ZeroDivisionError):
        record(lambda: 1 // 0)
    assert "tbe" not in sys.modules


def test_a_script_may_choose_its_chip():
    text = """
from tbe import tik
from tbe.common.platform import set_current_compile_soc_info

def kernel():
    set_current_compile_soc_info("Ascend310P3")
    t = tik.Tik()
    y = t.Tensor("float32", (8,), name="y", scope=tik.scope_gm)
    t.BuildCCE("kernel", [], [y])
"""
    assert record_source(text, "kernel").soc == "Ascend310P3"


def test_unknown_chips_are_refused():
    with pytest.raises(TileError, match=r"E0603.*'Ascend911'"), session("Ascend911"):
        pass


def test_an_unknown_chip_of_a_script_is_refused_at_its_line():
    text = """
from tbe.common.platform import set_current_compile_soc_info

def kernel():
    set_current_compile_soc_info("Ascend911")
"""
    with pytest.raises(TileError, match=r":5:5: error\[E0603\].*'Ascend911'"):
        record_source(text, "kernel")
