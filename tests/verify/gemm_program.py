"""The matrix product of the README, written as nodes."""

from tests.verify.writing import Source, alloc, part, spot, tensor, tile, times
from tilelang.dtypes import DType, accumulator
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import Core, Loop, LoopKind, Matmul, Move, Program, Stage
from tilelang.ir.region import Memory, whole


def gemm(
    sizes: tuple[int, int, int] = (1000, 1003, 997),
    tiles: tuple[int, int, int] = (128, 128, 64),
    dtype: DType = DType.FLOAT16,
    *,
    stages: int = 2,
) -> Program:
    """Return `c = a @ b` for sizes and tiles (m, n, k), verified by nobody yet."""
    source = Source()
    (m, n, k), (m_tile, n_tile, k_tile) = sizes, tiles
    signature = source.line("def gemm(a, b, c, *, m_tile, n_tile, k_tile):")
    a, b, c = (
        tensor(name, shape, of, loc=spot(signature, f"{name},"))
        for name, shape, of in (
            ("a", (m, k), dtype),
            ("b", (k, n), dtype),
            ("c", (m, n), accumulator(dtype)),
        )
    )
    grid = source.line("    for i, j in tl.cores(tl.ceildiv(M, m_tile), tl.ceildiv(N, n_tile)):")
    where = source.line("        acc = tl.alloc_l0c((m_tile, n_tile), tl.acc(a.dtype))")
    acc = tile("acc", Memory.L0C, (m_tile, n_tile), accumulator(dtype), loc=where)
    loop = source.line("        for k in tl.for_range(tl.ceildiv(K, k_tile), stages=2):")
    where = source.line("            a1 = tl.alloc_l1((m_tile, k_tile), a.dtype)")
    a1 = tile("a1", Memory.L1, (m_tile, k_tile), dtype, loc=where)
    where = source.line("            b1 = tl.alloc_l1((k_tile, n_tile), b.dtype)")
    b1 = tile("b1", Memory.L1, (k_tile, n_tile), dtype, loc=where)
    load_a = source.line("            tl.data_move(a1, a[i * m_tile, k * k_tile])")
    load_b = source.line("            tl.data_move(b1, b[k * k_tile, j * n_tile])")
    multiply = source.line("            tl.matmul(acc, a1, b1, init=k == 0)")
    where = source.line("        out = tl.alloc_ub((m_tile, n_tile), c.dtype)")
    out = tile("out", Memory.UB, (m_tile, n_tile), c.dtype, layout=acc.layout, loc=where)
    leave = source.line("        tl.data_move(out, acc)")
    store = source.line("        tl.data_move(c[i * m_tile, j * n_tile], out)")
    a_tile = part(a, times(m_tile, "i"), times(k_tile, "k"), extent=a1.shape)
    b_tile = part(b, times(k_tile, "k"), times(n_tile, "j"), extent=b1.shape)
    c_tile = part(c, times(m_tile, "i"), times(n_tile, "j"), extent=out.shape)
    moves = (Move(whole(a1), a_tile, loc=load_a), Move(whole(b1), b_tile, loc=load_b))
    first = cond.equal(ix.variable("k"), ix.ZERO)
    body = (*alloc(a1, b1), *moves, Matmul(whole(acc), whole(a1), whole(b1), first, loc=multiply))
    stage = (
        *alloc(acc),
        Loop("k", ix.constant(-(-k // k_tile)), LoopKind.SERIAL, stages, body, loop),
        *alloc(out),
        Move(whole(out), whole(acc), loc=leave),
        Move(c_tile, whole(out), loc=store),
    )
    cores = (Core("i", -(-m // m_tile)), Core("j", -(-n // n_tile)))
    named = tuple(zip(("m_tile", "n_tile", "k_tile"), tiles, strict=True))
    return Program("gemm", (a, b), (c,), (), named, (Stage(cores, stage, grid),), signature)
