"""An LSTM in TIK in four forms: product and cell apart, one step in one kernel, all steps in one.

Gates are in the order i f o g. The transposed weights are packed by groups of 64 hidden columns,
[H/64, K/16, 4 * 64, 16] with K = I + H, so that one move brings all four gates; activations are
fractal columns [K/16, B, 16]. Cores share out the batch and, where states do not stay on them, the
columns.
"""

from dataclasses import dataclass
from enum import Enum

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.recorder import record_source

_SCRIPT = """
from tbe import tik

N_TILE, K_TILE = 64, 64

class Lstm:
    def __init__(self, form, steps, batch, inputs, hidden, cores):
        self.t = t = tik.Tik()
        self.form, self.steps, self.cores = form, steps, cores
        parts = cores if form == "all steps" else cores * N_TILE // hidden
        self.batch, self.hidden, self.rows = batch, hidden, batch // parts
        self.k = inputs + hidden
        self.x_blocks = inputs // 16
        self.elements = self.rows * N_TILE
        def gm(dtype, shape, name):
            return t.Tensor(dtype, shape, name=name, scope=tik.scope_gm)
        self.xh = gm("float16", (steps, self.k // 16, batch, 16), "xh")
        self.w = gm("float16", (hidden // N_TILE, self.k // 16, 4 * N_TILE, 16), "w")
        self.gates = gm("float32", (hidden // N_TILE, 4 * N_TILE // 16, batch, 16), "gates")
        self.c = gm("float32", (hidden // 16, batch, 16), "c")
        self.hs = gm("float16", (steps, hidden // 16, batch, 16), "hs")
        self.c_new = gm("float32", (hidden // 16, batch, 16), "c_new")

    def build(self):
        t = self.t
        with t.for_range(0, self.cores, block_num=self.cores) as core:
            if self.form == "all steps":
                self.row = core * self.rows
                self.all_steps()
            else:
                columns = self.hidden // N_TILE
                self.row = core // columns * self.rows
                self.one_step(core % columns)
        t.BuildCCE("lstm", [self.xh, self.w, self.c], [self.hs, self.c_new, self.gates])

    def one_step(self, j):
        t, gap = self.t, self.batch - self.rows
        place = self.gates[(j * 16 * self.batch + self.row) * 16]
        if self.form == "cell":
            gates = self.ub("float32", 4 * self.elements, "gate_tile")
            t.data_move(gates, place, 0, 16, self.rows * 2, gap * 2, 0)
            self.finish(gates, j, 0)
            return
        a1 = t.Tensor("float16", (self.k // 16, self.rows, 16), name="a1", scope=tik.scope_cbuf)
        t.data_move(a1, self.xh[self.row * 16], 0, self.k // 16, self.rows, gap, 0)
        gates = self.product(a1, j, None)
        if self.form == "product":
            t.data_move(place, gates, 0, 16, self.rows * 2, 0, gap * 2)
        else:
            self.finish(gates, j, 0)

    def ub(self, dtype, n, name):
        return self.t.Tensor(dtype, (n,), name=name, scope=tik.scope_ubuf)

    def load_weights(self, b1, j, k_block, n_blocks):
        src = self.w[(j * (self.k // 16) + k_block) * 4 * N_TILE * 16]
        self.t.data_move(b1, src, 0, 1, n_blocks * 4 * N_TILE, 0, 0)

    def product(self, a1, j, kept):
        t, rows = self.t, self.rows
        m1, k1, n1 = rows // 16, K_TILE // 16, 4 * N_TILE // 16
        sums = t.Tensor("float32", (n1, rows, 16), name="sums", scope=tik.scope_cc)
        with t.for_range(0, self.k // K_TILE, thread_num=2) as step:
            a0 = t.Tensor("float16", (m1, k1, 16, 16), name="a0", scope=tik.scope_ca)
            b0 = t.Tensor("float16", (k1, n1, 16, 16), name="b0", scope=tik.scope_cb)
            if kept is None:
                b1 = t.Tensor("float16", (k1, 4 * N_TILE, 16), name="b1", scope=tik.scope_cbuf)
                self.load_weights(b1, j, step * k1, k1)
            else:
                b1 = kept[(j * (self.k // 16) + step * k1) * 4 * N_TILE * 16]
            for i in range(m1):
                t.load2dv1(a0[i * k1 * 256], a1, step * k1 * m1 + i, k1, m1, 0, False)
            t.load2dv1(b0, b1, 0, k1 * n1, 1, 0, False)
            with t.if_scope(step == 0):
                t.mmad(sums, a0, b0, rows, K_TILE, 4 * N_TILE, 0)
            with t.else_scope():
                t.mmad(sums, a0, b0, rows, K_TILE, 4 * N_TILE, 1)
        gates = self.ub("float32", 4 * self.elements, "gates_ub")
        t.data_move(gates, sums, 0, 1, n1 * m1, 0, 0)
        return gates

    def sigmoid(self, x, n):
        t, repeat = self.t, n // 64
        one = (1, 1, 8, 8)
        t.vmuls(64, x, x, -1.0, repeat, *one)
        t.vexp(64, x, x, repeat, *one)
        t.vadds(64, x, x, 1.0, repeat, *one)
        t.vrec(64, x, x, repeat, *one)

    def tanh(self, dst, x, n):
        t, repeat = self.t, n // 64
        t.vmuls(64, dst, x, 2.0, repeat, 1, 1, 8, 8)
        self.sigmoid(dst, n)
        t.vmuls(64, dst, dst, 2.0, repeat, 1, 1, 8, 8)
        t.vadds(64, dst, dst, -1.0, repeat, 1, 1, 8, 8)

    def finish(self, gates, j, step, c=None):
        t, n = self.t, self.elements
        repeat, three = n // 64, (1, 1, 1, 8, 8, 8)
        place = (j * (N_TILE // 16) * self.batch + self.row) * 16
        gap = self.batch - self.rows
        kept = c is not None
        if not kept:
            c = self.ub("float32", n, "c_tile")
            t.data_move(c, self.c[place], 0, N_TILE // 16, self.rows * 2, gap * 2, 0)
        space = self.ub("float32", n, "space")
        h = self.ub("float16", n, "h_tile")
        i, f, o, g = (gates[gate * n] for gate in range(4))
        self.sigmoid(i, 3 * n)
        self.tanh(space, g, n)
        t.vmul(64, c, c, f, repeat, *three)
        t.vmul(64, space, space, i, repeat, *three)
        t.vadd(64, c, c, space, repeat, *three)
        self.tanh(space, c, n)
        t.vmul(64, space, space, o, repeat, *three)
        t.vconv(64, "", h, space, repeat, 1, 1, 4, 8)
        if not kept:
            t.data_move(self.c_new[place], c, 0, N_TILE // 16, self.rows * 2, 0, gap * 2)
        size = (self.hidden // 16) * self.batch * 16
        t.data_move(self.hs[step * size + place], h, 0, N_TILE // 16, self.rows, 0, gap)
        return h

    def all_steps(self):
        t, k1 = self.t, self.k // 16
        columns = self.hidden // N_TILE
        kept = t.Tensor("float16", (columns, k1, 4 * N_TILE, 16), name="kept",
                        scope=tik.scope_cbuf)
        with t.for_range(0, columns) as j:
            self.load_weights(kept[j * k1 * 4 * N_TILE * 16], j, 0, k1)
        acts = [t.Tensor("float16", (k1, self.rows, 16), name=f"act{turn}", scope=tik.scope_cbuf)
                for turn in range(2)]
        c = self.ub("float32", self.elements * columns, "c_all")
        t.data_move(c, self.c[self.row * 16], 0, self.hidden // 16, self.rows * 2,
                    (self.batch - self.rows) * 2, 0)
        t.data_move(acts[0], self.xh[self.row * 16], 0, k1, self.rows, self.batch - self.rows, 0)
        with t.for_range(0, self.steps // 2) as pair:
            for turn in range(2):
                self.one_of_all(2 * pair + turn, acts[turn], acts[1 - turn], kept, c)

    def one_of_all(self, step, act, other, kept, c):
        t = self.t
        with t.if_scope(step + 1 < self.steps):
            src = self.xh[(step + 1) * self.k * self.batch + self.row * 16]
            t.data_move(other, src, 0, self.x_blocks, self.rows, self.batch - self.rows, 0)
        for j in range(self.hidden // N_TILE):
            gates = self.product(act, j, kept)
            h = self.finish(gates, j, step, c[j * self.elements])
            at = (self.x_blocks + j * (N_TILE // 16)) * self.rows * 16
            t.data_move(other[at], h, 0, 1, N_TILE // 16 * self.rows, 0, 0)


def lstm(form, steps, batch, inputs, hidden, cores):
    Lstm(form, steps, batch, inputs, hidden, cores).build()
"""


class Form(Enum):
    """What one kernel does."""

    PRODUCT = "product"
    """The product of one step; gates go to GM."""
    CELL = "cell"
    """The rest of one step: gates come from GM."""
    STEP = "step"
    """One step; gates stay on the core."""
    ALL_STEPS = "all steps"
    """Every step; weights and states stay on the core too."""


@dataclass(frozen=True, slots=True)
class Lstm:
    """Sizes of a layer: rows and columns that cores get are multiples of 16."""

    steps: int = 64
    batch: int = 512
    inputs: int = 128
    hidden: int = 128
    cores: int = 32

    def program(self, form: Form) -> InstructionProgram:
        """Return a kernel of one form."""
        steps = self.steps if form is Form.ALL_STEPS else 1
        sizes = (self.batch, self.inputs, self.hidden, self.cores)
        return record_source(_SCRIPT, "lstm", form.value, steps, *sizes)
