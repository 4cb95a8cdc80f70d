"""Bytes of an LSTM in global memory: its steps unfused, fused one by one, and as one kernel.

    python -m bench.lstm_traffic [--write]

The shipped kernels `lstm_cell` and `lstm`, counted by `tilelang.traffic`, beside `gemm` and the
least that a kernel for the rest of a step moves; and TIK scripts written by hand for the paper's
figure (`bench.paper.lstm`), counted in their instructions. `--write` puts the tables into
bench/RESULTS.md under a heading of their own.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass

from bench.paper.lstm import LAYER, WAYS, run
from bench.results import publish
from tilelang.ir.nodes import Program
from tilelang.kernels.gemm import gemm
from tilelang.kernels.lstm import lstm, residence
from tilelang.kernels.lstm_cell import lstm_cell
from tilelang.traffic import Traffic, gm_traffic, total_traffic

HEADING = "Bytes of an LSTM in global memory"
DTYPE, MACHINE = "float16", "ascend910"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer by what its sequence is: steps, rows of the batch, inputs, hidden columns."""

    steps: int
    batch: int
    inputs: int
    hidden: int

    def unfused_step(self) -> Traffic:
        """Return the bytes of one step as the published measurement had it.

        One product of [x, h] by both weights leaves the core in float32, and comes back, with the
        bias and c, for the activations, which write c and h.
        """
        batch, gates = self.batch, 4 * self.hidden
        product = gemm.program(
            M=batch, N=gates, K=self.inputs + self.hidden, dtype=DTYPE, machine=MACHINE
        )
        sums, state = batch * gates * 4, batch * self.hidden * 4
        pointwise = Traffic(read=sums + gates * 4 + state, written=state + state // 2)
        return total_traffic(gm_traffic(product)) + pointwise

    def cell(self) -> Program:
        """Return the shipped kernel of one step."""
        sizes = {"B": self.batch, "I": self.inputs, "H": self.hidden}
        return lstm_cell.program(dtype=DTYPE, machine=MACHINE, **sizes)

    def sequence(self) -> Program:
        """Return the shipped kernel of all steps."""
        sizes = {"S": self.steps, "B": self.batch, "I": self.inputs, "H": self.hidden}
        return lstm.program(dtype=DTYPE, machine=MACHINE, **sizes)


LAYERS = (
    Layer(LAYER.steps, LAYER.batch, LAYER.inputs, LAYER.hidden),
    Layer(32, 128, 128, 256),
    Layer(32, 128, 256, 256),
    Layer(32, 128, 1024, 1024),
)
"""The paper's figure has the first; the others fill L1 in part, nearly, and by far."""


def main() -> None:
    """Print the tables, and write them if asked to."""
    parser = ArgumentParser(prog="python -m bench.lstm_traffic", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    lines = [*_introduction(), *_shipped_lines(), "", *_script_lines()]
    publish(HEADING, lines, write=options.write)


def _introduction() -> Iterator[str]:
    yield "`python -m bench.lstm_traffic --write`: 1e6 bytes read and written in all steps,"
    yield f"counted, not measured; {DTYPE} with float32 states on {MACHINE}."
    yield ""


def _shipped_lines() -> Iterator[str]:
    heads = ("steps, batch, inputs, hidden", "gemm, then cell", "lstm_cell", "lstm", "of unfused")
    yield f"| {' | '.join(heads)} | weights |"
    yield "|---|---|---|---|---|---|"
    for layer in LAYERS:
        unfused = layer.steps * _both(layer.unfused_step())
        fused = layer.steps * _both(total_traffic(gm_traffic(layer.cell())))
        program = layer.sequence()
        whole = _both(total_traffic(gm_traffic(program)))
        sizes = f"{layer.steps}, {layer.batch}, {layer.inputs}, {layer.hidden}"
        yield (
            f"| {sizes} | {unfused / 1e6:,.0f} | {fused / 1e6:,.0f} | {whole / 1e6:,.0f} "
            f"| {whole / unfused:.0%} | {residence(program)} |"
        )


def _script_lines() -> Iterator[str]:
    yield (
        f"By hand in TIK, {LAYER.steps} steps, batch {LAYER.batch}, {LAYER.inputs} inputs, "
        f"{LAYER.hidden} hidden, which keeps all weights on the core"
    )
    yield "(`python -m bench.paper.lstm` has their times in the cycle model):"
    yield ""
    yield "| way | bytes |"
    yield "|---|---|"
    for name, forms in WAYS.items():
        yield f"| {name} | {run(name, forms).gm_bytes / 1e6:,.0f} |"


def _both(traffic: Traffic) -> int:
    return traffic.read + traffic.written


if __name__ == "__main__":
    main()
