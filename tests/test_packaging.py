"""What is installed: every package, every data file, and an import that costs little."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.repository import PACKAGES, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(code: str, *, cwd: Path, path: Path | None = None) -> str:
    """Return what a fresh interpreter prints for `code` in `cwd`; `path` is searched first."""
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def build(kind: str, folder: Path) -> Path:
    """Return the one file that `python -m build` makes of a copy of the checkout in `folder`.

    A copy, because setuptools puts what an earlier build left in the checkout into a wheel.
    """
    checkout, out = folder / "checkout", folder / "dist"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir"]
    run = subprocess.run([*command, out, checkout], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "absent from the `packages`" not in run.stdout + run.stderr  # data in an unlisted folder
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tmp_path_factory.mktemp("sdist"))


def to_install() -> set[str]:
    """Return the files of the packages in the checkout, each by its place in a wheel."""
    return {
        f"{name.replace('.', '/')}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, name in PACKAGES.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_package_is_listed():
    setuptools: dict[str, Any] = PROJECT["tool"]["setuptools"]
    folders = {"tilelang": "tilelang", **setuptools["package-dir"]}
    on_disk = {
        ".".join((name, *init.parent.relative_to(ROOT / folder).parts))
        for name, folder in folders.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert on_disk == set(setuptools["packages"])


def test_every_folder_with_python_is_a_package():
    holding = {path.parent for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")}
    assert [str(folder) for folder in holding if not (folder / "__init__.py").exists()] == []


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == to_install()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in metadata)


def test_what_the_wheel_must_hold_is_not_derived_from_the_checkout_alone(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"tilelang/py.typed", "tilelang/diagnostics/explain/environment.toml"} <= names
    assert {"tilelang/backends/numpy/__init__.py", "tilelang/kernels/__init__.py"} <= names
    assert any(name.startswith("tilelang/machines/") and name.endswith(".toml") for name in names)
    assert any(name.endswith(".lark") for name in names)


def test_the_sdist_holds_what_a_build_needs(sdist: Path):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "backends/numpy/__init__.py"} <= names
    assert {"tilelang/py.typed", "tilelang/diagnostics/explain/environment.toml"} <= names


def test_the_wheel_imports_from_another_folder(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import tilelang, tilelang.backends.numpy, tilelang.kernels\n"
        "from tilelang.diagnostics.explain import explanations\n"
        "print(tilelang.__file__, tilelang.kernels.__file__, len(explanations()) > 10)"
    )
    said = python(code, cwd=tmp_path, path=tmp_path / "site")
    site = tmp_path / "site/tilelang"
    assert said == f"{site}/__init__.py {site}/kernels/__init__.py True"


def test_a_checkout_finds_its_backends_and_kernels_under_tilelang(tmp_path: Path):
    code = "import tilelang.backends, tilelang.kernels; print(tilelang.kernels.__file__)"
    assert python(code, cwd=tmp_path, path=ROOT) == str(ROOT / "kernels/__init__.py")


def test_the_import_leaves_out_what_only_some_need():
    code = "import sys, tilelang; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = set(python(code, cwd=ROOT).split())
    unwanted = {"llvmlite", "triton", "torch", "rich", "typer", "pytest", "matplotlib", "IPython"}
    assert loaded & unwanted == set()


def test_the_import_is_quick():
    code = (
        "from time import perf_counter as now\n"
        "start = now(); import numpy; middle = now(); import tilelang; end = now()\n"
        "print(middle - start, end - middle)"
    )
    runs = [tuple(map(float, python(code, cwd=ROOT).split())) for _ in range(3)]
    numpy_seconds, own_seconds = (min(column) for column in zip(*runs, strict=True))
    assert own_seconds < 3 * numpy_seconds + 0.1
