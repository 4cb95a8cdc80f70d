"""Make one flat loop of loops that hold nothing but each other, around a matrix product.

Steps of k in L1 and slices of k in L0 are one sum; Triton pipelines one loop, the innermost.
"""

from dataclasses import replace

from tilelang.backends.triton.blocks import Body, Dot, For, Step
from tilelang.backends.triton.passes.simplify_blocks import substitute
from tilelang.backends.triton.walk import inner_bodies, rewrite
from tilelang.ir import index as ix


def merge_loops(body: Body) -> Body:
    """Return `body` with perfect nests around products merged, innermost pairs first."""
    return rewrite(body, lambda step: (_merged(step),))


def _merged(step: Step) -> Step:
    match step:
        case For(body=(For() as inner,)) if inner.extent.is_constant and _multiplies(inner.body):
            n_inner = inner.extent.constant
            var = step.var
            values = {
                step.var: ix.floor_div(ix.variable(var), n_inner),
                inner.var: ix.modulo(ix.variable(var), n_inner),
            }
            return replace(
                step,
                extent=ix.scale(step.extent, n_inner),
                stages=max(step.stages, inner.stages),
                body=substitute(inner.body, values),
            )
        case _:
            return step


def _multiplies(body: Body) -> bool:
    return any(isinstance(step, Dot) for step in body) and not any(map(inner_bodies, body))
