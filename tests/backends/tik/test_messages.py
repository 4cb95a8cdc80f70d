"""Every mistake of a TIK script, as the whole message it gets."""

import re

import numpy as np
import pytest

from tests.golden import Golden
from tilelang.backends.tik.emulate import emulate
from tilelang.backends.tik.recorder import record_source
from tilelang.diagnostics import TileError

HEAD = """\
from tbe import tik


def kernel():
    t = tik.Tik()
    x = t.Tensor("float32", (1024,), name="x", scope=tik.scope_gm)
    y = t.Tensor("float32", (1024,), name="y", scope=tik.scope_gm)
    ub = t.Tensor("float32", (1024,), name="ub", scope=tik.scope_ubuf)
    t.data_move(ub, x, 0, 1, 128, 0, 0)
"""
TAIL = """\
    t.data_move(y, ub, 0, 1, 128, 0, 0)
    t.BuildCCE(kernel_name="kernel", inputs=[x], outputs=[y])
"""

WRONG = {
    "wrong_stride": "t.vec_adds(64, ub, ub, 1.0, 16, 8, 64)",
    "misaligned_start": "t.vec_adds(64, ub[4], ub[4], 1.0, 1, 8, 8)",
    "overflow_of_a_move": "t.data_move(ub[512], x, 0, 1, 128, 0, 0)",
    "over_read_too_far": "t.data_move(ub, x[1000], 0, 1, 128, 0, 0)",
    "repeat_too_large": "t.vec_adds(64, ub, ub, 1.0, 256, 8, 8)",
    "repeat_zero": "t.vec_adds(64, ub, ub, 1.0, 0, 8, 8)",
    "mask_too_large": "t.vec_adds(128, ub, ub, 1.0, 1, 8, 8)",
    "stride_of_a_move": "t.data_move(ub, x, 0, 4, 32, 0, 33)",
    "scalar_behind_the_end": "ub[1024].set_as(1.0)",
    "mask_behind_the_last_lane": "t.vec_adds([1, 0], ub, ub, 1.0, 1, 8, 8)",
    "mask_of_no_lane": "t.vec_adds([0, 0], ub, ub, 1.0, 1, 8, 8)",
    "missing_argument": "t.vadds(64, ub, ub, 1.0, 1, 1, 1)",
    "unknown_argument": "t.vec_adds(64, ub, ub, 1.0, 1, 8, 8, stride=1)",
    "bias_that_is_not_recorded": """\
l0 = [t.Tensor("float16", (256,), name=n, scope=s) for n, s in
          (("a", tik.scope_ca), ("b", tik.scope_cb), ("c", tik.scope_cc))]
    t.mmad(l0[2], l0[0], l0[1], 16, 16, 16, 0, bias_tensor=ub)""",
    "rounding_shift": "t.vshr(64, ub, ub, 2, 1, 1, 1, 8, 8, round_en=True)",
    "number_instead_of_a_tensor": "t.vec_adds(64, 3, ub, 1.0, 1, 8, 8)",
    "partial_overlap": "t.vec_adds(64, ub[8], ub, 1.0, 1, 8, 8)",
    "repeat_reads_the_one_before": "t.vec_adds(64, ub[64], ub, 1.0, 8, 8, 8)",
    "mixed_dtypes": """\
h = t.Tensor("float16", (64,), name="h", scope=tik.scope_ubuf)
    t.vec_add(64, ub, ub, h, 1, 8, 8, 8)""",
    "uninitialised_read": """\
other = t.Tensor("float32", (1024,), name="other", scope=tik.scope_ubuf)
    t.vec_add(64, ub, ub, other, 2, 8, 8, 8)""",
    "uninitialised_store": """\
other = t.Tensor("float32", (64,), name="other", scope=tik.scope_ubuf)
    t.data_move(ub[64], other, 0, 1, 8, 0, 0)""",
    "uninitialised_scalar": """\
other = t.Tensor("int32", (8,), name="other", scope=tik.scope_ubuf)
    n = t.Scalar("int32", "n")
    n.set_as(other[1])""",
    "tensor_after_its_scope": """\
with t.new_stmt_scope():
        other = t.Tensor("float32", (64,), name="other", scope=tik.scope_ubuf)
    t.vec_add(64, ub, ub, other, 1, 8, 8, 8)""",
    "over_capacity": """\
with t.for_range(0, 4, thread_num=2):
        t.Tensor("float32", (16384,), name="big", scope=tik.scope_ubuf)
        t.Tensor("float32", (16384,), name="large", scope=tik.scope_ubuf)""",
    "no_path": """\
l0c = t.Tensor("float32", (1, 16, 16), name="l0c", scope=tik.scope_cc)
    t.data_move(y, l0c, 0, 1, 1, 0, 0)""",
    "vector_operand_in_l1": """\
l1 = t.Tensor("float32", (64,), name="l1", scope=tik.scope_cbuf)
    t.vec_adds(64, l1, ub, 1.0, 1, 8, 8)""",
    "scalar_reads_gm": """\
n = t.Scalar("float32", "n")
    n.set_as(x[0])""",
    "else_without_if": """\
with t.else_scope():
        t.vec_adds(64, ub, ub, 1.0, 1, 8, 8)""",
    "nested_block_loops": """\
with t.for_range(0, 2, block_num=2):
        with t.for_range(0, 2, block_num=2):
            t.vec_adds(64, ub, ub, 1.0, 1, 8, 8)""",
    "gm_tensor_in_a_loop": """\
with t.for_range(0, 2):
        t.Tensor("float32", (64,), name="late", scope=tik.scope_gm)""",
    "python_if": """\
n = t.Scalar("int32", "n", 1)
    if n > 0:
        t.vec_adds(64, ub, ub, 1.0, 1, 8, 8)""",
    "python_range": """\
n = t.Scalar("int32", "n", 1)
    for i in range(n):
        t.vec_adds(64, ub, ub, 1.0, 1, 8, 8)""",
    "missing_instruction": "t.vmaxs(64, ub, ub, 0.0, 1, 1, 1, 8, 8)",
    "unrecorded_instruction": "t.viou(ub, ub, ub, 1)",
    "float_scalar_for_integers": """\
whole = t.Tensor("int32", (64,), name="whole", scope=tik.scope_ubuf)
    t.vec_dup(64, whole, 0.5, 1, 8)""",
    "load2d_transposes_bytes": """\
l1 = t.Tensor("int8", (1024,), name="l1", scope=tik.scope_cbuf)
    l0b = t.Tensor("int8", (1024,), name="l0b", scope=tik.scope_cb)
    t.load2dv1(l0b, l1, 0, 2, 1, 0, True)""",
    "mmad_operand_in_the_wrong_memory": """\
l0a = t.Tensor("float16", (256,), name="l0a", scope=tik.scope_ca)
    l0c = t.Tensor("float32", (256,), name="l0c", scope=tik.scope_cc)
    t.mmad(l0c, l0a, l0a, 16, 16, 16, 0)""",
}


@pytest.mark.parametrize("name", WRONG)
def test_message(name: str, golden: Golden):
    text = f"{HEAD}    {WRONG[name]}\n{TAIL}"
    with pytest.raises(TileError) as caught:
        emulate(record_source(text, "kernel"), {"x": np.zeros(1024, np.float32)})
    message = re.sub(r"<tik \d+>", "kernel.py", str(caught.value))
    golden.check(f"tik/messages/{name}.txt", f"{message}\n")


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({}, "kernel: `x` is not fed"),
        ({"x": np.zeros(1023, np.float32)}, "has 1,023 elements; the kernel declares 1,024"),
        ({"x": np.zeros(1024, np.float16)}, "has float16; the kernel declares float32"),
        ({"x": np.zeros(1024, np.float32), "z": np.zeros(1)}, "`z` is fed, but is no input"),
    ],
)
def test_wrong_feeds_are_named(feed: dict[str, object], message: str):
    program = record_source(f"{HEAD}{TAIL}", "kernel")
    with pytest.raises(TileError, match=f"E1211.*{message}"):
        emulate(program, feed)


def test_a_script_that_builds_nothing_is_told_so():
    with pytest.raises(TileError, match=r"E1216.*without calling BuildCCE"):
        record_source("def kernel():\n    pass\n", "kernel")
    with pytest.raises(TileError, match="no function 'other'"):
        record_source("def kernel():\n    pass\n", "other")


def test_tolerated_findings_are_warnings():
    text = f"{HEAD}    {WRONG['repeat_reads_the_one_before']}\n{TAIL}"
    feed = {"x": np.arange(1024, dtype=np.float32)}
    run = emulate(record_source(text, "kernel"), feed, tolerate={"E1206"})
    assert [item.code for item in run.warnings] == ["E1206"]
    # One repeat after the other: each adds 1 to what the one before left.
    rows = run.outputs["y"].reshape(16, 64)
    np.testing.assert_array_equal(rows[1:9], rows[0] + np.arange(1, 9)[:, None])


def test_what_is_no_finding_cannot_be_tolerated():
    program = record_source(f"{HEAD}{TAIL}", "kernel")
    with pytest.raises(TileError, match=r"E1211.*E1201, E9 cannot be tolerated"):
        emulate(program, {}, tolerate=("E1201", "E1206", "E9"))


def test_output_elements_that_nothing_writes_are_a_warning():
    text = HEAD + TAIL.replace("0, 1, 128", "0, 1, 64")
    run = emulate(record_source(text, "kernel"), {"x": np.ones(1024, np.float32)})
    (warning,) = run.warnings
    assert warning.code == "E1222"
    assert "512 of 1,024 elements of the output `y`" in warning.message
    assert "from element 512" in warning.message
