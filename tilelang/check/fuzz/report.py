"""What fuzzing found, and the test that shows it again."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tilelang.check.fuzz.trial import Try


@dataclass(frozen=True, slots=True)
class Failure:
    """The smallest try that fails, and what is wrong, as `attempt` says it."""

    kernel: str
    module: str
    tried: Try
    wrong: str

    @property
    def test(self) -> str:
        """A test for pytest that fails until it is right."""
        words = [self.tried.backend, *(f"{k}_{v}" for k, v in self.tried.keywords.items())]
        name = re.sub(r"\W", "_", "_".join(words)).lower()
        return (
            f"from {self.module} import {self.kernel}\n"
            "from tilelang.check.fuzz import replay\n\n\n"
            f"def test_{self.kernel}_on_{name}():\n"
            f"    assert {self.tried.call(self.kernel)} is None\n"
        )


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """What a search did: tries by backend, and the failure if there was one."""

    kernel: str
    seed: int
    seconds: float
    counts: Mapping[str, int]
    n_refused: int
    failure: Failure | None

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and something was tried."""
        return self.failure is None and bool(self.counts)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        failure = self.failure
        return {
            "kernel": self.kernel,
            "seed": self.seed,
            "seconds": self.seconds,
            "tries": dict(self.counts),
            "refused": self.n_refused,
            "ok": self.ok,
            "failure": failure
            and {
                "backend": failure.tried.backend,
                "dtypes": dict(failure.tried.dtypes),
                "keywords": dict(failure.tried.keywords),
                "kind": failure.tried.kind,
                "seed": failure.tried.seed,
                "wrong": failure.wrong,
                "test": failure.test,
            },
        }

    def __str__(self) -> str:
        """Return what was tried, and the failure with its test."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        counts = ", ".join(f"{count:,} on {name}" for name, count in self.counts.items())
        yield (
            f"{self.kernel}: {counts or 'nothing tried'} in {self.seconds:.0f} s (seed "
            f"{self.seed}; {self.n_refused:,} drawn were not legal)"
        )
        if self.failure is None:
            yield "nothing failed" if self.counts else "every one that was drawn is illegal"
            return
        yield self.failure.wrong
        yield ""
        yield self.failure.test
