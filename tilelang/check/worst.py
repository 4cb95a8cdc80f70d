"""What the comparisons of all families of inputs come to, and the verdict that follows."""

from dataclasses import dataclass, field

from tilelang.check.compare import Comparison
from tilelang.check.families import Family
from tilelang.check.report import OK
from tilelang.check.strict import strict_error
from tilelang.diagnostics import TileError
from tilelang.ir.nodes import Program


@dataclass(slots=True)
class Worst:
    """The worst of several comparisons, and the first that is wrong."""

    shares: dict[str, float] = field(default_factory=dict[str, float])
    max_error: float = 0.0
    n_unbounded: int = 0
    n_elements: int = 0
    wrong: tuple[Family, list[Comparison]] | None = None
    doubtful: Family | None = None
    """The first on which something is wrong or cannot be judged."""

    def add(self, family: Family, comparisons: list[Comparison]) -> None:
        """Take in the comparisons of all results on one family."""
        self.shares[family.name] = max((one.max_share for one in comparisons), default=0.0)
        self.max_error = max(self.max_error, *(one.max_error for one in comparisons))
        self.n_unbounded += sum(one.n_unbounded for one in comparisons)
        self.n_elements += sum(one.share.size for one in comparisons)
        if self.wrong is None and self.shares[family.name] > 1:
            self.wrong = family, comparisons
        if self.doubtful is None and (self.wrong or self.n_unbounded):
            self.doubtful = family

    @property
    def share(self) -> float:
        """The largest share of the bound."""
        return max(self.shares.values(), default=0.0)

    def mistake(self, program: Program, machine: str) -> TileError | None:
        """Return the mistake of `program` that explains what is wrong or cannot be judged.

        `machine` is the one that `program` was traced for.
        """
        return strict_error(program, self.doubtful.inputs, machine) if self.doubtful else None

    def verdict(self, wrong: str, mistake: TileError | None) -> str:
        """Return `ok`, `wrong`, or that there is too much that cannot be judged.

        `mistake` is the program's own.
        """
        if self.wrong is not None:
            return f"{wrong} ({self.wrong[0].name} inputs)"
        over = f" over {len(self.shares)} families of inputs" if len(self.shares) > 1 else ""
        share = f"{self.n_unbounded:,} of {self.n_elements:,} elements{over}"
        if self.n_unbounded and mistake:
            code = mistake.diagnostics[0].code
            return f"not judged: {share} depend on a mistake of the kernel, {code}"
        return f"unbounded: {share} lie at a pole or overflow" if self.n_unbounded else OK
