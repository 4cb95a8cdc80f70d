"""Statements of the tile program, one by one."""

from dataclasses import dataclass, field
from typing import assert_never

from tilelang.backends.tik.instructions import Tensor
from tilelang.backends.tik.lower.cube import multiply
from tilelang.backends.tik.lower.cube_core import CubeCore
from tilelang.backends.tik.lower.forms import Form, form_of
from tilelang.backends.tik.lower.img2col import load_windows
from tilelang.backends.tik.lower.maps import compute
from tilelang.backends.tik.lower.reduces import reduce
from tilelang.backends.tik.lower.tiles import move
from tilelang.backends.tik.lower.writer import Writer
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.nodes import (
    Alloc,
    Body,
    If,
    Img2col,
    Loop,
    Map,
    Matmul,
    Mmad,
    Move,
    Reduce,
    Stmt,
)
from tilelang.ir.region import Buffer, Region


@dataclass(slots=True)
class Lowering:
    """One program on its way: what is written, and the form of every buffer by name."""

    writer: Writer
    machine: str
    cube_core: CubeCore | None = None
    """Does moves and products where the program runs on a core without UB."""
    forms: dict[str, Form] = field(default_factory=lambda: {})

    def declare(
        self, buffer: Buffer, *, is_own: bool = False, is_workspace: bool = False
    ) -> Tensor:
        """Return the declaration of `buffer`, whose form is kept; `is_own`: no argument."""
        form = form_of(buffer, self.writer.renamed[buffer.name], is_own=is_own)
        if self.cube_core is not None:
            form = self.cube_core.form(form)
        self.forms[buffer.name] = form
        loc = self.writer.loc
        return Tensor(form.name, form.dtype, form.shape, form.scope, is_workspace, loc=loc)

    def body(self, body: Body) -> None:
        """Write the statements of `body`."""
        for stmt in body:
            self.writer.loc = stmt.loc
            self._statement(stmt)

    def _statement(self, stmt: Stmt) -> None:
        writer = self.writer
        match stmt:
            case Alloc(buffer):
                writer.write(self.declare(buffer))
            case Loop():
                self._loop(stmt)
            case If():
                self._branch(stmt)
            case Move():
                self._move(stmt)
            case Img2col(dst, src):
                load_windows(writer, stmt, self._form(dst), self._form(src))
            case Mmad():
                self._multiply(stmt)
            case Map():
                compute(writer, stmt, self.forms, self.machine)
            case Reduce(dst, _, src):
                reduce(writer, stmt, self._form(dst), self._form(src), self.machine)
            case Matmul():
                raise AssertionError("expand_matmul has replaced it")
            case _:
                assert_never(stmt)

    def _move(self, stmt: Move) -> None:
        dst, src = self._form(stmt.dst), self._form(stmt.src)
        if self.cube_core is None:
            move(self.writer, stmt, dst, src, self.machine)
        else:
            self.cube_core.move(stmt, dst, src)

    def _multiply(self, stmt: Mmad) -> None:
        forms = (self._form(stmt.dst), self._form(stmt.a), self._form(stmt.b))
        if self.cube_core is None:
            multiply(self.writer, stmt, forms)
        else:
            self.cube_core.multiply(stmt, forms)

    def _form(self, region: Region) -> Form:
        return self.forms[region.buffer.name]

    def _loop(self, loop: Loop) -> None:
        writer = self.writer
        if writer.bounds(loop.extent)[1] < 1:
            return
        name = writer.renamed[loop.var]
        writer.ranges[loop.var] = (0, max(writer.bounds(loop.extent)[1] - 1, 0))
        if loop.extent == ix.constant(1):
            self._once(loop)
            return
        with writer.loop(name, loop.extent, thread_num=loop.stages):
            self.body(loop.body)

    def _once(self, loop: Loop) -> None:
        """Write the body of a loop of one iteration, in a scope if it has tiles, which must end."""
        if not any(isinstance(stmt, Alloc) for stmt in loop.body):
            self.body(loop.body)
            return
        with self.writer.scope():
            self.body(loop.body)

    def _branch(self, branch: If) -> None:
        writer = self.writer
        condition = writer.settled_condition(branch.condition)
        if isinstance(condition, cond.Truth):
            self.body(branch.then if condition.value else branch.otherwise)
            return
        with writer.collected() as then:
            self.body(branch.then)
        with writer.collected() as otherwise:
            self.body(branch.otherwise)
        if then or otherwise:
            writer.loc = branch.loc
            writer.branch([(condition, tuple(then))], tuple(otherwise))
