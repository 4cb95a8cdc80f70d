"""The page of the language leaves nothing out, and its examples run."""

import re
from collections import Counter
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import tilelang as tl
from tilelang import guide
from tilelang.guide import CHAPTERS, Entry, entries, find_topic

ENTRIES = {entry.name: entry for chapter in CHAPTERS for entry in entries(chapter)}
EXAMPLES = [name for name, entry in ENTRIES.items() if entry.example]
OF_A_BODY = [name for name in EXAMPLES if name.partition(".")[0] not in ("Kernel", "kernel")]
NAMES = re.compile(r"`(?:tl\.)?([a-z]\w+)`")


def code_of(name: str) -> Any:
    return compile(ENTRIES[name].example, f"<example of {name}>", "exec")


def test_every_public_name_stands_in_one_chapter():
    listed = Counter(name for chapter in CHAPTERS for name in chapter.names if "." not in name)
    public: list[str] = vars(tl)["__all__"]
    assert listed == Counter(public)


def test_what_users_call_of_a_kernel_and_a_tensor_is_listed():
    def public(kind: type, hidden: set[str]) -> set[str]:
        names = {name for name in vars(kind) if not name.startswith("_")}
        return {f"{kind.__name__}.{name}" for name in names - hidden}

    internal = {"buffer", "recipe", "scope", "view_node"}
    assert public(tl.Tensor, internal) <= set(ENTRIES)
    assert public(tl.Kernel, {"parameters", "input_names"}) <= set(ENTRIES)


def test_every_name_says_what_it_is_and_every_operation_shows_how():
    for name, entry in ENTRIES.items():
        assert entry.summary.endswith("."), name
        assert len(entry.summary) < 120, name
        found = getattr(tl, name, None)
        if isinstance(found, FunctionType) and name not in ("best", "best_rule"):
            assert entry.example, f"{name} has no example"


@pytest.mark.parametrize("name", OF_A_BODY)
def test_an_example_of_a_body_runs(name: str):
    code = code_of(name)

    @tl.kernel(
        "x[M, N]: T, image[C, H, W]: T @ NC1HWC0, weights[O, C, R, S]: T @ FRACTAL_Z -> y[M, N]: T"
    )
    def kernel(x: tl.Tensor, image: tl.Tensor, weights: tl.Tensor, y: tl.Tensor) -> None:
        for i in tl.cores(4):
            tile = tl.alloc_ub((16, 64), x.dtype)
            tl.data_move(tile, x[i * 16, 0])
            tl.data_move(y[i * 16, 0], tile)
        t = tl.alloc_ub((16, 64), x.dtype)
        u = tl.alloc_ub((16, 64), x.dtype)
        if "alloc_gm" not in code.co_names and "cores" not in code.co_names:
            tl.data_move(t, x[0, 0])
            tl.data_move(u, x[16, 0])
        tensors = {"x": x, "y": y, "image": image, "weights": weights}
        exec(code, {"__name__": "example", "tl": tl, "t": t, "u": u, **tensors})

    image, weights = np.ones((1, 8, 8, 16), np.float16), np.ones((9, 1, 16, 16), np.float16)
    kernel(np.ones((64, 64), np.float16), image, weights, C=16, O=16, R=3, S=3)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - set(OF_A_BODY)))
def test_an_example_of_a_kernel_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("TILELANG_SWEEPS", str(tmp_path))

    @tl.kernel("x[M, N]: T -> y[M, N]: T")
    def doubled(x: tl.Tensor, y: tl.Tensor, *, m_tile: int = 16) -> None:
        for i in tl.cores(tl.ceildiv(x.shape[0], m_tile)):
            t = tl.alloc_ub((m_tile, x.shape[1]), x.dtype)
            tl.data_move(t, x[i * m_tile, 0])
            t *= 2
            tl.data_move(y[i * m_tile, 0], t)

    @doubled.reference
    def _(x: Any) -> Any:
        return 2 * x

    exec(code_of(name), {"__name__": "example", "tl": tl, "np": np, "doubled": doubled})
    assert doubled.check(M=20, N=8, dtype="float16", backends=["numpy"]).ok
    assert "wrong" not in capsys.readouterr().out


def test_the_operators_that_are_named_are_those_that_there_are():
    text = ENTRIES["Expression"].text
    named = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&", "|", "~"}
    assert {sign for part in re.findall(r"`([^`]*)`", text) for sign in part.split()} >= named
    refused = {"**", "//", "%", "@", "^", "<<", ">>"}
    assert not any(f"`{sign}" in text or f" {sign} " in text for sign in refused)


def test_the_words_around_name_only_what_there_is():
    words = " ".join([guide.IN_EXAMPLES, *(chapter.about for chapter in CHAPTERS)])
    for name in NAMES.findall(words):
        assert hasattr(tl, name) or name in ("doubled", "m_tile"), name


def test_a_call_shows_what_must_be_given():
    assert ENTRIES["data_move"].call == "tl.data_move(dst, src, pad=0)"
    assert ENTRIES["data_move"].short_call == "tl.data_move(dst, src, ...)"
    assert ENTRIES["load3d"].short_call == "tl.load3d(dst, src, kernel=..., ...)"
    assert ENTRIES["cores"].short_call == "tl.cores(*extents)"
    assert ENTRIES["Kernel.__call__"].short_call == "kernel(*arrays, ...)"
    assert ENTRIES["Tensor.shape"].call == "tensor.shape"
    assert ENTRIES["sweep.Plan"].short_call == "tl.sweep.Plan(...)"


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("data_move", ["data_move"]),
        ("tl.exp", ["exp"]),
        ("kernel.tiles", ["Kernel.tiles"]),
        ("kernel", ["kernel"]),
        ("Kernel", ["Kernel"]),
        ("reductions", ["reduce_sum", "reduce_max", "reduce_min"]),
    ],
)
def test_a_topic_is_a_name_or_a_chapter(topic: str, names: list[str]):
    assert [entry.name for entry in find_topic(topic)] == names


@pytest.mark.parametrize(
    ("topic", "hint"), [("copy", "tl.data_move"), ("loop", "`loops`"), ("alloc_u", "alloc_ub")]
)
def test_another_topic_is_told_what_is_meant(topic: str, hint: str):
    with pytest.raises(tl.TileError, match="E0145") as said:
        find_topic(topic)
    assert hint in str(said.value)


def test_an_example_ends_where_the_next_section_begins():
    text = "Do it.\n\nExample:\n    a = 1\n\n    b = 2\n\nRaises:\n    TileError: never."
    assert Entry("f", "f()", "f()", text).example == "a = 1\n\nb = 2"
    assert Entry("f", "f()", "f()", "Do it.").example == ""
