"""The formulas on a tape are those of the docstrings."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.small_gan import batch, small
from helpers.tapes import first_tape

import minigan as mg
from minigan.backend import Array
from minigan.losses import bce
from minigan.tape import Trace
from minigan.tape.equations import equation, equations_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tape() -> Trace:
    return first_tape()


def test_each_layer_has_its_equations() -> None:
    for layer in (
        mg.Linear(2, 2), mg.ReLU(), mg.LeakyReLU(), mg.Tanh(), mg.Sigmoid(), mg.BatchNorm1d(2),
    ):  # fmt: skip
        for name in ("y", *("d" + name for name in layer.param_names), "dx"):
            symbol, formula, _ = equation(type(layer), name)
            assert formula.startswith(f"{symbol} = "), (layer, name)
    assert equation(mg.Linear, "db") == ("db", "db = Σₙ dy[n]", "b is added to every row")
    assert equation(mg.BatchNorm1d, "dgamma") == ("dγ", "dγ = Σₙ dy[n] x̂[n]", "")
    assert equation(mg.Tanh, "dx") == ("dx", "dx = dy (1 - y²)", "since tanh' = 1 - tanh²")
    assert equation(mg.Adam, "θ")[1] == "θ ← θ - lr m̂ / (√v̂ + eps)"
    assert {"L", "dL/dp"} <= set(equations_of(bce))


class Forgetful(mg.Tanh):  # no docstring: Tanh's would not be true
    def forward(self, x: Array) -> tuple[Array, Any]:
        return 0 * x, x

    def __repr__(self) -> str:
        return "Forgetful(\n    of = everything,\n)"


def test_a_base_classs_equations_are_not_shown() -> None:
    assert equations_of(Forgetful) == {}
    assert equation(Forgetful, "y") == ("y", "y", "")


def test_the_site_sets_equations_line_by_line() -> None:
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs/conf.py")
    assert spec is not None
    assert spec.loader is not None
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    for of in (
        mg.Linear, mg.ReLU, mg.LeakyReLU, mg.Tanh, mg.Sigmoid, mg.BatchNorm1d, mg.Sequential,
        mg.bce, mg.bce_with_logits, mg.Adam, mg.GAN,
    ):  # fmt: skip
        lines = inspect.cleandoc(of.__doc__ or "").splitlines()
        conf.equations(None, "class", of.__name__, of, None, lines)
        block, texts = False, []
        for text in lines[1:]:
            if text.strip():
                block = text.startswith((".. code-block::", "    ")) and (block or text[0] == ".")
            if block:
                texts.append(text.strip())
        for left, (right, _) in equations_of(of).items():
            found = [" ".join(text.split()).startswith(f"{left} {right}") for text in texts]
            assert found.count(True) == 1, (of, left)
        assert len(equations_of(of)) >= 2, of


def test_a_name_of_many_lines_is_put_on_one() -> None:
    G = mg.Sequential(mg.Linear(3, 5), Forgetful(), seed=0)
    tape = mg.trace(mg.GAN(G, small().discriminator), *batch(8))
    names = [row.name for row in tape.rows if "Forgetful" in row.name]
    assert names == ["1 Forgetful( of = everything, )"] * 2
    assert re.search(r"^1 Forgetful\( of = everything, \)  y +\(8, 5\) ", str(tape), re.MULTILINE)


def test_without_docstrings_it_says_so(tape: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "-OO" not in str(tape)
    flags = SimpleNamespace(flags=SimpleNamespace(optimize=2))  # a true -OO compiles NumPy anew
    monkeypatch.setattr("minigan.tape.text.sys", flags)
    assert re.search("^formulas  none: python -OO leaves out ", str(tape), re.MULTILINE)
    assert "python -OO" in tape.html()
