"""Unrolls an instruction program for one core: from text to the packets that pipes get.

Bodies are compiled to closures once; running them emits packets. What a loop does is computed once
for all iterations that agree in the scalars that matter (`essentials`).
"""

from collections.abc import Callable, Mapping

from tilelang.backends.tik.cycles.charges import Scene
from tilelang.backends.tik.cycles.course import Course, Interner
from tilelang.backends.tik.cycles.essentials import (
    essential,
    essential_names,
    names_in,
    used_names,
)
from tilelang.backends.tik.cycles.orders import compile_sync
from tilelang.backends.tik.cycles.packing import (
    Output,
    Step,
    compile_scalar,
    compile_work,
    known_value,
    nothing,
)
from tilelang.backends.tik.cycles.places import Regions
from tilelang.backends.tik.cycles.scalar_steps import compile_assignment, compile_store
from tilelang.backends.tik.cycles.scalar_values import (
    Values,
)
from tilelang.backends.tik.instructions import (
    AtomicAdd,
    Block,
    Body,
    Exit,
    ExitKind,
    ForRange,
    If,
    InputScalar,
    Instruction,
    InstructionProgram,
    Scalar,
    ScalarArray,
    ScalarFunction,
    SetScalar,
    StoreElement,
    Sync,
    Tensor,
    Work,
    walk,
)


class Left(Exception):
    """`tik_break`, `tik_continue` or `tik_return` was reached."""

    def __init__(self, kind: ExitKind) -> None:
        """Remember which."""
        super().__init__(kind)
        self.kind = kind


class Unroller:
    """A program, ready to be unrolled for any of its cores."""

    def __init__(
        self,
        program: InstructionProgram,
        scene: Scene,
        regions: Regions,
        scalars: Mapping[str, int | float],
    ) -> None:
        """Compile the program; `scalars` are the values of its InputScalars."""
        self.interner = Interner()
        self._output = Output(scene, regions, self.interner, Values())
        self._output.values.of.update(scalars)
        self._plain = {
            id(item): essential(item, scene.scopes)
            for item in walk(program.body)
            if isinstance(item, Work)
        }
        self._names = {key: names_in(work) for key, work in self._plain.items()}
        self._essential = essential_names(program.body, self._names)
        self._block_variables = {
            item.var
            for item in walk(program.body)
            if isinstance(item, ForRange) and item.is_block_loop
        }
        self._core = 0
        self._left: ExitKind | None = None
        self._run = self._compile_body(program.body)

    @property
    def cores_differ(self) -> bool:
        """Whether the number of a core changes more than addresses in GM."""
        return bool(self._block_variables & self._essential)

    def course(self, core: int) -> Course:
        """Return what the core that runs iteration `core` of block loops executes."""
        self._core = core

        def run() -> None:
            try:
                self._run()
            except Left:
                return

        return self._output.collect(run)

    def _compile_body(self, body: Body) -> Step:
        steps = [self._compile(instruction) for instruction in body]

        def run() -> None:
            for step in steps:
                step()

        return run

    def _compile(self, item: Instruction) -> Step:
        match item:
            case Tensor() | InputScalar() | AtomicAdd():
                return nothing
            case Scalar() | ScalarArray() | SetScalar() | ScalarFunction():
                return compile_assignment(item, self._output, self._essential)
            case StoreElement():
                return compile_store(item, self._output)
            case ForRange():
                return self._block_loop(item) if item.is_block_loop else self._loop(item)
            case If():
                return self._choice(item)
            case Block(body, disable_sync):
                return self._block(body, disable_sync)
            case Exit(kind):
                return lambda: _leave(kind)
            case Sync():
                return compile_sync(item, self._output)
            case _:
                return compile_work(item, self._plain[id(item)], self._output)

    def _block(self, body: Body, disable_sync: bool) -> Step:
        run_body, output = self._compile_body(body), self._output

        def run() -> None:
            outer, output.waits = output.waits, output.waits and not disable_sync
            try:
                run_body()
            finally:
                output.waits = outer

        return run

    def _choice(self, choice: If) -> Step:
        output = self._output
        branches = [
            (
                compile_scalar(output, branch.condition, branch.loc, "scalar load"),
                known_value(branch.condition, output, "a condition", branch.loc),
                self._compile_body(branch.body),
            )
            for branch in choice.branches
        ]
        otherwise = self._compile_body(choice.otherwise or ())
        jump = output.scene.rates["scalar.operation"]

        def run() -> None:
            for spend, holds, body in branches:
                spend()
                output.spend(jump)
                if holds():
                    body()
                    return
            otherwise()

        return run

    def _block_loop(self, loop: ForRange) -> Step:
        """Return a closure that runs the one iteration that belongs to the core."""
        end = known_value(loop.end, self._output, "the number of cores", loop.loc)
        body, values = self._compile_body(loop.body), self._output.values

        def run() -> None:
            if self._core < int(end()):
                values.of[loop.var] = self._core
                body()

        return run

    def _loop(self, loop: ForRange) -> Step:
        output, values = self._output, self._output.values
        spend = compile_scalar(output, (loop.begin, loop.end), loop.loc, "scalar load")
        begin, end = (
            known_value(bound, output, "how often a loop runs", loop.loc)
            for bound in (loop.begin, loop.end)
        )
        iteration = self._iteration(loop)
        n_threads = max(loop.thread_num, 1)

        def run() -> None:
            spend()
            first, last = int(begin()), int(end())
            iterations: list[Course] = []
            self._left = None
            for number in range(first, last):
                values.of[loop.var] = number
                output.turns[loop.var] = (number - first) % n_threads
                iterations.append(iteration())
                if self._left is not None:
                    break
            if iterations:
                output.append(self.interner.repeated(tuple(iterations)))
            self._pass_on()

        return run

    def _pass_on(self) -> None:
        """Go on after a loop, or leave the loops around it too."""
        left, self._left = self._left, None
        if left is ExitKind.RETURN:
            raise Left(left)

    def _iteration(self, loop: ForRange) -> Callable[[], Course]:
        """Return a closure that gives the course of the iteration that the variables describe."""
        output, body = self._output, self._compile_body(loop.body)
        overhead = output.scene.rates["scalar.loop"]
        known: dict[tuple[object, ...], Course] = {}

        def once() -> None:
            output.spend(overhead)
            try:
                body()
            except Left as left:
                self._left = None if left.kind is ExitKind.CONTINUE else left.kind

        describe = self._description(loop)
        if describe is None:
            return lambda: output.collect(once)

        def iteration() -> Course:
            key = describe()
            course = known.get(key)
            if course is None:
                course = known[key] = output.collect(once)
            return course

        return iteration

    def _description(self, loop: ForRange) -> Callable[[], tuple[object, ...]] | None:
        """Return a closure that gives all that the course of an iteration depends on.

        None where it also depends on, or changes, what other iterations left behind.
        """
        used = used_names(loop.body, self._names, self._essential)
        if used is None:
            return None
        output, order = self._output, sorted(used)
        of, turns = output.values.of, output.turns

        def describe() -> tuple[object, ...]:
            return (output.waits, *map(of.get, order), *turns.values())

        return describe


def _leave(kind: ExitKind) -> None:
    raise Left(kind)
