"""Every shipped kernel is checked, at awkward sizes, on every backend that runs in this process.

Triton's interpreter runs them too, all in one process: `tests/backends/triton/test_kernels.py`.
"""

from collections.abc import Iterator, Mapping

import pytest

from tilelang.shipped import find_kernel, kernel_names

PRODUCTS = ({"M": 1, "N": 1, "K": 1}, {"M": 17, "N": 129, "K": 33})
ROWS = ({"M": 1, "N": 1}, {"M": 17, "N": 601})
MAPS = ({"N": 1, "C": 1, "H": 1, "W": 1}, {"N": 2, "C": 17, "H": 5, "W": 7})
CONVOLUTIONS = (
    {"N": 1, "C": 1, "H": 1, "W": 1, "O": 1, "R": 1, "S": 1},
    {"N": 2, "C": 17, "H": 9, "W": 5, "O": 19, "R": 3, "S": 2, "stride_h": 2, "pad_left": 1},
)
PROBLEMS: Mapping[str, tuple[Mapping[str, int], ...]] = {
    "batch_norm": MAPS,
    "batch_norm_training": MAPS,
    "conv2d": (*CONVOLUTIONS, {**CONVOLUTIONS[1], "groups": 19, "C": 1, "relu": 1}),
    "conv2d_nc1hwc0": CONVOLUTIONS,
    "gemm": PRODUCTS,
    "gemm_bias_relu": PRODUCTS,
    "layer_norm": ROWS,
    "linear": (PRODUCTS[0], {**PRODUCTS[1], "activation": 2}),
    "lstm": ({"S": 1, "B": 1, "I": 1, "H": 1}, {"S": 3, "B": 17, "I": 33, "H": 20}),
    "lstm_cell": ({"B": 1, "I": 1, "H": 1}, {"B": 17, "I": 33, "H": 65}),
    "quantized_gemm": (PRODUCTS[0], {**PRODUCTS[1], "a_zero": 3, "b_zero": -5}),
    "softmax": ROWS,
    "split_k_gemm": (PRODUCTS[0], {"M": 17, "N": 5, "K": 601, "splits": 3}),
}
DTYPES: Mapping[str, tuple[str, ...]] = {
    "gemm": ("float16", "float32", "int8"),
    "quantized_gemm": ("float16", "int8"),
}


def cases() -> Iterator[tuple[str, str, Mapping[str, int]]]:
    """Yield every problem in the first dtype, and the last one in the others."""
    for name, problems in PROBLEMS.items():
        first, *others = DTYPES.get(name, ("float16", "float32"))
        yield from ((name, first, keywords) for keywords in problems)
        yield from ((name, dtype, problems[-1]) for dtype in others)


def test_no_kernel_is_left_out():
    assert sorted(PROBLEMS) == kernel_names()


@pytest.mark.parametrize(("name", "dtype", "keywords"), [*cases()])
def test_it_means_its_reference_and_backends_do_what_it_means(
    monkeypatch: pytest.MonkeyPatch, name: str, dtype: str, keywords: Mapping[str, int]
):
    monkeypatch.setattr("tilelang.check.procedure.runnable", lambda: ["llvm", "numpy", "tik"])
    report = find_kernel(name).check(dtype=dtype, machine=None, backends=None, **keywords)
    assert report.ok, f"\n{report}"
    refused = {row.backend for row in report.rows if row.verdict != "ok"}
    assert refused <= {"tik"}
