"""What a machine is: its memories, the legal moves between them, its cube, and its rates."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tilelang.dtypes import DType
from tilelang.ir.region import Memory


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of a machine, and where it was read.

    `source` starts with a grade and names documents (`tilelang.machines.sources`): "cfg INI".
    """

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers that belong together, such as a measured curve; `source` as in `Fact`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    source: str


@dataclass(frozen=True, slots=True)
class Path:
    """A legal move between two memories, done by the queue of instructions `pipe`.

    `casts` are the (source, target) dtypes that may differ on the way; equal dtypes always may.
    `transposes` are the dtypes of which the move can swap the last two axes.
    """

    source: Memory
    target: Memory
    pipe: str
    casts: tuple[tuple[DType, DType], ...] = ()
    transposes: tuple[DType, ...] = ()

    def carries(self, source: DType, target: DType) -> bool:
        """Return whether elements of `source` may arrive as `target`."""
        return source is target or (source, target) in self.casts


@dataclass(frozen=True, slots=True)
class CubeForm:
    """Operand dtypes that the cube multiplies, and the dtype it sums them in."""

    a: DType
    b: DType
    accumulator: DType

    def __str__(self) -> str:
        """Return the form as messages say it: `float16 x float16 -> float32`."""
        return f"{self.a} x {self.b} -> {self.accumulator}"


@dataclass(frozen=True, slots=True)
class Machine:
    """A chip as the verifier, the passes and the cycle model see it; read from one TOML file.

    The mappings are not to be changed: a machine is shared by everyone who finds it.
    """

    name: str
    title: str
    n_cores: int
    clock_hz: float
    is_split: bool
    """Whether cube and vector unit are different cores, which meet only in GM."""
    dtypes: tuple[DType, ...]
    """The element types that instructions know."""
    paths: tuple[Path, ...]
    cube: tuple[CubeForm, ...]
    img2col_targets: tuple[Memory, ...]
    """Where `Img2col` (TIK's `load3d`) may write; it always reads L1."""
    capacity: Mapping[Memory, int] = field(hash=False)
    """Bytes a core may allocate in each on-chip memory; GM is absent."""
    alignment: Mapping[Memory, int] = field(hash=False)
    """Bytes that the start of a region must be a multiple of."""
    facts: Mapping[str, Fact] = field(hash=False, repr=False)
    """Every number of the file by its dotted name: `capacity.l1`, `rates.path.l1_l0a`."""
    tables: Mapping[str, Table] = field(hash=False, repr=False)
    """What one number cannot say: `dma_packages`, bandwidth by transfer size."""

    @property
    def rates(self) -> Mapping[str, float]:
        """The numbers under `rates`, by the rest of their names: `path.l1_l0a`."""
        prefix = "rates."
        return {
            name.removeprefix(prefix): fact.value
            for name, fact in self.facts.items()
            if name.startswith(prefix)
        }

    def path(self, source: Memory, target: Memory) -> Path | None:
        """Return the move from `source` to `target`, or None if the machine has none."""
        ends = (source, target)
        return next((path for path in self.paths if (path.source, path.target) == ends), None)

    def route(self, source: Memory, target: Memory) -> tuple[Memory, ...] | None:
        """Return the fewest memories to pass through, both ends included; None without a way."""
        routes = [(source,)]
        seen = {source}
        for route in routes:
            if route[-1] is target and len(route) > 1:
                return route
            onward = [path.target for path in self.paths if path.source is route[-1]]
            routes += [(*route, memory) for memory in onward if memory not in seen]
            seen |= set(onward) - {target}
        return None

    def cube_form(self, a: DType, b: DType) -> CubeForm | None:
        """Return the product of `a` and `b` on the cube, or None if it takes no such operands."""
        return next((form for form in self.cube if (form.a, form.b) == (a, b)), None)

    @property
    def transposing_dtypes(self) -> tuple[DType, ...]:
        """The dtypes that can be transposed on the way from L1 to both L0A and L0B."""
        to_a, to_b = self.path(Memory.L1, Memory.L0A), self.path(Memory.L1, Memory.L0B)
        if to_a is None or to_b is None:
            return ()
        return tuple(dtype for dtype in to_a.transposes if dtype in to_b.transposes)
