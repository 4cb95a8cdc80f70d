"""One ordinary and one awkward problem for every shipped kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FLOATS = ("float16", "float32")


@dataclass(frozen=True, slots=True)
class Problem:
    """Sizes and attributes, and the dtypes of an Ascend chip's cube or vector unit."""

    kernel: str
    keywords: Mapping[str, int]
    dtypes: Sequence[str | Mapping[str, str]] = ("float16",)

    def __str__(self) -> str:
        """Return the kernel and its sizes."""
        return f"{self.kernel} {' '.join(f'{k}={v}' for k, v in self.keywords.items())}"


CONV = {"N": 8, "C": 64, "H": 56, "W": 56, "O": 64, "R": 3, "S": 3, "pad_top": 1, "relu": 1}
STEM = {"N": 1, "C": 3, "H": 224, "W": 224, "O": 64, "R": 7, "S": 7, "stride_h": 2, "stride_w": 2}
DEEP = {"N": 8, "C": 512, "H": 7, "W": 7, "O": 512, "R": 3, "S": 3, "pad_left": 1}
DEPTHWISE = {"N": 1, "C": 1, "H": 56, "W": 56, "O": 51, "R": 3, "S": 3, "groups": 17}
CONV_DTYPES = ("float16", {"T": "float16", "Y": "float32"}, {"T": "int8", "Y": "int32"})

PROBLEMS = (
    Problem("gemm", {"M": 1024, "N": 1024, "K": 1024}),
    Problem("gemm", {"M": 1000, "N": 1003, "K": 997}),
    Problem("gemm_bias_relu", {"M": 1024, "N": 1024, "K": 1024}),
    Problem("gemm_bias_relu", {"M": 1, "N": 17, "K": 0}),
    Problem("split_k_gemm", {"M": 16, "N": 128, "K": 8192}),
    Problem("split_k_gemm", {"M": 131, "N": 7, "K": 1}),
    Problem("quantized_gemm", {"M": 1024, "N": 1024, "K": 1024}, ("int8", "float16")),
    Problem("quantized_gemm", {"M": 3, "N": 5, "K": 7, "a_zero": 3, "b_zero": -4}, ("int8",)),
    *(Problem("linear", {"M": 999, "N": 1001, "K": 13, "activation": n}) for n in range(3)),
    Problem("softmax", {"M": 512, "N": 1000}, FLOATS),
    Problem("softmax", {"M": 3, "N": 50257}, FLOATS),
    Problem("layer_norm", {"M": 512, "N": 768}, FLOATS),
    Problem("layer_norm", {"M": 3, "N": 12289}, FLOATS),
    Problem("batch_norm", {"N": 32, "C": 64, "H": 56, "W": 56}, FLOATS),
    Problem("batch_norm", {"N": 1, "C": 1, "H": 1, "W": 1}, FLOATS),
    Problem("batch_norm_training", {"N": 32, "C": 64, "H": 56, "W": 56}, FLOATS),
    Problem("batch_norm_training", {"N": 129, "C": 17, "H": 3, "W": 1}, FLOATS),
    *(
        Problem(kernel, keywords, CONV_DTYPES)
        for kernel in ("conv2d", "conv2d_nc1hwc0")
        for keywords in (CONV, STEM, DEEP, DEPTHWISE)
    ),
    Problem("lstm_cell", {"B": 128, "I": 1024, "H": 1024}),
    Problem("lstm_cell", {"B": 7, "I": 100, "H": 65}),
    Problem("lstm", {"S": 32, "B": 128, "I": 256, "H": 256}),
    Problem("lstm", {"S": 3, "B": 128, "I": 1024, "H": 1024}),
    Problem("lstm", {"S": 1, "B": 7, "I": 100, "H": 65}),
)
