"""Compiles instructions of the pipes: checks once for each set of parameter values, then runs.

A *plan* is made of an instruction whose expressions are numbers: it checks everything that follows
from them, prepares the views of memory, and returns what to do. Plans are kept, so an instruction
in a loop is checked once for each different set of numbers.
"""

from collections.abc import Callable
from typing import Any, assert_never

from tilelang.backends.tik.emulate.compare import (
    plan_compare,
    plan_compare_to_mask,
    plan_load_mask,
    plan_select,
    plan_store_mask,
)
from tilelang.backends.tik.emulate.conversion import plan_convert
from tilelang.backends.tik.emulate.cube import plan_load2d, plan_mmad
from tilelang.backends.tik.emulate.elementwise import plan_elementwise, plan_high_precision
from tilelang.backends.tik.emulate.gather import plan_gather, plan_scatter
from tilelang.backends.tik.emulate.img2col import plan_col2img, plan_load3d
from tilelang.backends.tik.emulate.l1_cube import plan_conv2d, plan_matmul
from tilelang.backends.tik.emulate.leave import plan_broadcast, plan_fixpipe, plan_tensor_move
from tilelang.backends.tik.emulate.moves import plan_data_move, plan_data_move_pad
from tilelang.backends.tik.emulate.proposals import plan_merge, plan_move_field, plan_sort
from tilelang.backends.tik.emulate.reduction import plan_compact, plan_reduce, plan_whole_reduce
from tilelang.backends.tik.emulate.resolve import compile_resolver
from tilelang.backends.tik.emulate.state import State, check_range
from tilelang.backends.tik.emulate.support import check_support
from tilelang.backends.tik.emulate.transposition import (
    plan_transpose,
    plan_transpose_blocks,
    plan_transpose_channels,
)
from tilelang.backends.tik.instructions import (
    BroadcastToL0c,
    Col2Img,
    Compact,
    Compare,
    CompareToMask,
    Conv2d,
    Convert,
    Cube,
    DataMove,
    DataMovePad,
    Elementwise,
    Fixpipe,
    Gather,
    HighPrecision,
    Load2d,
    Load3d,
    LoadCompareMask,
    Matmul,
    MergeProposals,
    Mmad,
    MoveField,
    Rearrangement,
    Reduce,
    Scatter,
    Select,
    SortProposals,
    StoreCompareMask,
    TensorMove,
    Transfer,
    Transpose,
    TransposeBlocks,
    TransposeChannels,
    WholeReduce,
    Work,
)

_MAX_PLANS = 4096
"""Plans kept for one instruction; a longer loop makes them anew."""


def compile_work(work: Work, state: State) -> Callable[[], None]:
    """Return a closure that executes `work`.

    Raises:
        TileError: at once for what is wrong whatever the numbers (E1202, E1213); the closure, for
            what is wrong with those of one execution.
    """
    check_support(work, state.soc)
    _check_immediates(work)
    values, rebuild = compile_resolver(work, state, work.loc)
    plans: dict[tuple[Any, ...], Callable[[], None]] = {}
    generation = state.generation

    def run() -> None:
        nonlocal generation
        if generation != state.generation or len(plans) >= _MAX_PLANS:
            plans.clear()
            generation = state.generation
        key = values()
        step = plans.get(key)
        if step is None:
            step = plans[key] = plan(rebuild(key), state)
        step()

    return run


def _check_immediates(work: Work) -> None:
    """Refuse a written count of 0; a computed one is legal, and does nothing."""
    for field, name in (("repeat", "repeat_times"), ("n_burst", "nburst"), ("burst", "burst")):
        count = getattr(work, field, 1)
        if isinstance(count, int) and count == 0 and not isinstance(work, Load3d):
            check_range(work, name, 0, 1, 255 if field == "repeat" else 65535)


def plan(work: Work, state: State) -> Callable[[], None]:
    """Return what to do for `work`, whose expressions are numbers."""
    if isinstance(work, Rearrangement):
        return _plan_rearrangement(work, state)
    match work:
        case DataMove() | DataMovePad() | TensorMove() | BroadcastToL0c() | Fixpipe():
            return _plan_transfer(work, state)
        case Load2d() | Load3d() | Mmad() | Matmul() | Conv2d():
            return _plan_cube(work, state)
        case Elementwise():
            return plan_elementwise(work, state)
        case HighPrecision():
            return plan_high_precision(work, state)
        case Convert():
            return plan_convert(work, state)
        case Reduce() | WholeReduce() | Compact() | Transpose() | TransposeBlocks():
            return _plan_across_lanes(work, state)
        case _:
            return _plan_mask(work, state)


def _plan_transfer(work: Transfer, state: State) -> Callable[[], None]:
    match work:
        case DataMove():
            return plan_data_move(work, state)
        case DataMovePad():
            return plan_data_move_pad(work, state)
        case TensorMove():
            return plan_tensor_move(work, state)
        case BroadcastToL0c():
            return plan_broadcast(work, state)
        case Fixpipe():
            return plan_fixpipe(work, state)
        case _:
            assert_never(work)


def _plan_across_lanes(
    work: Reduce | WholeReduce | Compact | Transpose | TransposeBlocks, state: State
) -> Callable[[], None]:
    match work:
        case Reduce():
            return plan_reduce(work, state)
        case WholeReduce():
            return plan_whole_reduce(work, state)
        case Compact():
            return plan_compact(work, state)
        case Transpose():
            return plan_transpose(work, state)
        case TransposeBlocks():
            return plan_transpose_blocks(work, state)
        case _:
            assert_never(work)


def _plan_rearrangement(work: Rearrangement, state: State) -> Callable[[], None]:
    match work:
        case Gather():
            return plan_gather(work, state)
        case Scatter():
            return plan_scatter(work, state)
        case MoveField():
            return plan_move_field(work, state)
        case SortProposals():
            return plan_sort(work, state)
        case MergeProposals():
            return plan_merge(work, state)
        case TransposeChannels():
            return plan_transpose_channels(work, state)
        case Col2Img():
            return plan_col2img(work, state)
        case _:
            assert_never(work)


def _plan_cube(work: Cube, state: State) -> Callable[[], None]:
    match work:
        case Load2d():
            return plan_load2d(work, state)
        case Load3d():
            return plan_load3d(work, state)
        case Mmad():
            return plan_mmad(work, state)
        case Matmul():
            return plan_matmul(work, state)
        case Conv2d():
            return plan_conv2d(work, state)
        case _:
            assert_never(work)


def _plan_mask(
    work: Compare | CompareToMask | LoadCompareMask | StoreCompareMask | Select, state: State
) -> Callable[[], None]:
    match work:
        case Compare():
            return plan_compare(work, state)
        case CompareToMask():
            return plan_compare_to_mask(work, state)
        case LoadCompareMask():
            return plan_load_mask(work, state)
        case StoreCompareMask():
            return plan_store_mask(work, state)
        case Select():
            return plan_select(work, state)
        case _:
            assert_never(work)
