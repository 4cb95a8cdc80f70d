"""The paper's algorithm Y, a matrix product in TIK, as it is written there."""

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record_source

_SCRIPT = """
from tbe import tik

def algorithm_y(m, k, n, tiles, store_each_step):
    t = tik.Tik()
    m_tile, k_tile, n_tile = tiles
    a = t.Tensor("float16", (k // 16, m, 16), name="a", scope=tik.scope_gm)
    b = t.Tensor("float16", (k // 16, n, 16), name="b", scope=tik.scope_gm)
    c = t.Tensor("float16", (n // 16, m, 16), name="c", scope=tik.scope_gm)
    half = {"quantize_params": {"mode": "fp322fp16", "mode_param": None}}

    def store(c_l0, i, j):
        t.fixpipe(c[j * n_tile * m + i * m_tile * 16], c_l0, n_tile // 16, m_tile * 2,
                  (m - m_tile), 0, extend_params=half)

    def body(i, j, step, c_l0, init):
        a_l1 = t.Tensor("float16", (k_tile // 16, m_tile, 16), name="a_l1", scope=tik.scope_cbuf)
        b_l1 = t.Tensor("float16", (k_tile // 16, n_tile, 16), name="b_l1", scope=tik.scope_cbuf)
        t.data_move(a_l1, a[step * k_tile * m + i * m_tile * 16], 0, k_tile // 16, m_tile,
                    m - m_tile, 0)
        t.data_move(b_l1, b[step * k_tile * n + j * n_tile * 16], 0, k_tile // 16, n_tile,
                    n - n_tile, 0)
        t.matmul(c_l0, a_l1, b_l1, m_tile, k_tile, n_tile, init)
        if store_each_step:
            store(c_l0, i, j)

    with t.for_range(0, n // n_tile, name="j") as j:
        with t.for_range(0, m // m_tile, name="i") as i:
            c_l0 = t.Tensor("float32", (n_tile // 16, m_tile, 16), name="c_l0",
                            scope=tik.scope_cbuf_out)
            with t.new_stmt_scope():
                body(i, j, 0, c_l0, True)
            with t.for_range(1, k // k_tile, name="step") as step:
                body(i, j, step, c_l0, False)
            if not store_each_step:
                store(c_l0, i, j)
    t.BuildCCE("algorithm_y", [a, b], [c])
"""


def algorithm_y(
    sizes: tuple[int, int, int], tiles: tuple[int, int, int], *, store_each_step: bool = True
) -> InstructionProgram:
    """Return the product of sizes (m, k, n), cut into tiles (m, k, n), on one core.

    As written, the innermost body moves the sums out in every step; otherwise after the last one.
    """
    return record_source(_SCRIPT, "algorithm_y", *sizes, tiles, store_each_step)
