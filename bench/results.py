"""The sections of RESULTS.md: each bench writes its own and leaves the others as they are."""

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def with_section(text: str, heading: str, lines: list[str]) -> str:
    """Return `text` with `lines` as the whole section `# heading`, at the end if it is new."""
    kept: list[str] = []
    before: list[str] | None = None
    is_own = is_fenced = False
    for line in text.splitlines():
        is_fenced ^= line.startswith("```")
        if line.startswith("# ") and not is_fenced:
            is_own = line == f"# {heading}"
            before = list(kept) if is_own else before
        if not is_own:
            kept.append(line)
    place = len(kept) if before is None else len(before)
    parts = (kept[:place], [f"# {heading}", "", *lines], kept[place:])
    return "\n\n".join("\n".join(part).strip() for part in parts if part) + "\n"


def publish(heading: str, lines: Iterable[str], *, write: bool) -> None:
    """Print a section as its lines are measured; if `write`, put it into RESULTS.md when whole."""
    print(f"\n# {heading}\n", flush=True)
    found: list[str] = []
    for line in lines:
        print(line, flush=True)
        found.append(line)
    if write:
        text = RESULTS.read_text() if RESULTS.exists() else ""
        RESULTS.write_text(with_section(text, heading, found))


def conditions(command: str) -> Iterator[str]:
    """Yield the first lines of a section: what was run, on what computer, with what versions."""
    yield f"`{command}` on {platform.machine()}, {_processor()};"
    python = f"Python {platform.python_version()}"
    yield ", ".join((python, *_versions("llvmlite", "numpy", "torch"))) + "."


def _versions(*packages: str) -> Iterator[str]:
    for package in packages:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
