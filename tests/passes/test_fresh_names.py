"""Names for what passes add."""

from tests.verify.gemm_program import gemm
from tilelang.passes.fresh_names import FreshNames


def test_names_of_tensors_tiles_and_variables_are_taken():
    fresh = FreshNames(gemm())
    assert [fresh(name) for name in ("a", "acc", "i", "k")] == ["a_2", "acc_2", "i_2", "k_2"]


def test_a_name_is_given_once():
    fresh = FreshNames(gemm())
    assert [fresh("rows") for _ in range(3)] == ["rows", "rows_2", "rows_3"]
