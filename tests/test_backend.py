"""Finding backends by name: installed ones, those of third parties, those that lack a package."""

from importlib.metadata import EntryPoint

import pytest

import tilelang.backend as backends
from tilelang.backend import backend_names, find_backend
from tilelang.diagnostics import TileError


def install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Install a backend `extra` beside nothing else; `value` says where its object is."""
    point = EntryPoint("extra", value, backends.GROUP)

    def entry_points(group: str) -> list[EntryPoint]:
        assert group == "tilelang.backends"
        return [point]

    monkeypatch.setattr(backends, "entry_points", entry_points)


def test_numpy_is_installed_and_runs_here():
    assert "numpy" in backend_names()
    numpy = find_backend("numpy")
    assert numpy.name == "numpy"
    assert numpy.runs_here is None


def test_a_backend_of_a_third_party_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "tilelang.backends.numpy:BACKEND")
    assert backend_names() == ["extra"]
    assert find_backend("extra").machine == "host"


def test_an_unknown_backend_suggests_one_or_lists_all():
    with pytest.raises(TileError, match=r"E0602\]: there is no backend 'nunpy'") as said:
        find_backend("nunpy")
    assert "write backend='numpy'" in str(said.value)
    with pytest.raises(TileError, match=r"use one of: .*numpy"):
        find_backend("quantum")


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "a_package_that_nobody_has:BACKEND")
    with pytest.raises(TileError, match=r"E0604\]: .*'a_package_that_nobody_has'") as said:
        find_backend("extra")
    assert "pip install 'tilelang-tik[extra]'" in str(said.value)


def test_a_module_of_our_own_that_is_missing_is_our_mistake(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "tilelang.no_such_module:BACKEND")
    with pytest.raises(ModuleNotFoundError):
        find_backend("extra")
