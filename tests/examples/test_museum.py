"""The bug museum: with each bug the check that it names fails, without it passes.

So a test of this suite that could not fail would show here.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.style import ModulatedLinear

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))  # where the script finds its neighbour
EXHIBITS: dict[str, Any] = importlib.import_module("museum").EXHIBITS
exhibit_module: Any = importlib.import_module("museum.exhibit")
room: Any = importlib.import_module("museum.classes_and_styles")
sys.path.remove(str(ROOT / "examples"))
Edit, switched_on = exhibit_module.Edit, exhibit_module.switched_on
observe, run_check = exhibit_module.observe, exhibit_module.run_check

ENGLISH, KOREAN = (
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("bug-museum.md", "ko/bug-museum.md")
)
every_exhibit = pytest.mark.parametrize("exhibit", EXHIBITS.values(), ids=EXHIBITS)

# What a failing check says where it is no comparison.
SAYS = {
    "stale-weights": "RuntimeError: stale cache: it was made after update 0",
    "broadcast": "Failed: DID NOT RAISE",
    "wrong-range": "Failed: DID NOT RAISE",
    "eps-for-momentum": "Failed: DID NOT RAISE",
}


@every_exhibit
def test_the_check_fails_with_the_bug_and_passes_without(exhibit: Any) -> None:
    assert run_check(exhibit, bug=False) == ""
    said = run_check(exhibit, bug=True)
    assert re.match(SAYS.get(exhibit.name, "AssertionError"), said), said
    assert run_check(exhibit, bug=False) == ""  # the bug is gone


@every_exhibit
def test_the_pages_show_what_is_measured(exhibit: Any) -> None:
    figures = [observe(exhibit, bug=bug) for bug in (False, True)]
    assert figures[0] != figures[1]
    for page in (ENGLISH, KOREAN):
        section = sections(page)[exhibit.name]
        for edit in exhibit.edits:
            assert f"{edit.right}\n" in section
            assert f"{edit.wrong}\n" in section
        assert exhibit.check in section
        for figure in figures:
            assert f"**{figure}**" in section
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {exhibit.name} |")]
        assert page is KOREAN or row.startswith(f"| {exhibit.name} | {exhibit.figure} |")
        check = exhibit.check.split("::")[1]
        assert row.endswith(f" | {figures[0]} | {figures[1]} | `{check}` |")


def test_the_pages_have_a_section_for_each() -> None:
    assert list(sections(ENGLISH)) == list(sections(KOREAN)) == list(EXHIBITS)
    assert len(EXHIBITS) == 21


def sections(page: str) -> dict[str, str]:
    """Return the text about each exhibit."""
    return dict(re.findall(r"^### ([\w-]+): .*?\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL))


class Table(mg.Layer):
    """A look-up as a layer.  x, y: (N, 5), y = x + T[labels]"""

    param_names = ("T",)
    T: Any
    dT: Any

    def __init__(self, *labels: int) -> None:
        self.labels = labels
        self.allocate(seed=0)

    def draw(self, rng: np.random.Generator) -> tuple[Any, ...]:
        return (rng.standard_normal((4, 5)),)

    def forward(self, x: Any) -> tuple[Any, Any]:
        return x + self.T[list(self.labels)], x

    def param_grads(self, dy: Any, x: Any) -> None:
        self.dT[...] = room.into_table(dy, list(self.labels), len(self.T))

    def input_grad(self, dy: Any, x: Any) -> Any:
        return dy.copy()


def test_the_gradient_check_sees_seven() -> None:
    """The page says so: it asks for slopes, and what a layer does to arguments and itself."""
    x = np.random.default_rng(0).standard_normal((6, 4))
    net = mg.Sequential(
        mg.Linear(4, 5), mg.ReLU(), mg.Linear(5, 3), mg.LeakyReLU(0.2), mg.Linear(3, 1),
        mg.Sigmoid(), seed=0,
    )  # fmt: skip
    styled, xs = ModulatedLinear(4, 3, seed=0), np.random.default_rng(1).standard_normal((5, 8))
    points = np.random.default_rng(2).standard_normal((4, 5))
    seen, seen_in_mild_batches = [], []
    for exhibit in EXHIBITS.values():
        with switched_on(exhibit.edits):
            of_net = mg.check_gradients(net, x, loss=lambda p: mg.bce(p, 1.0))
            rest = [mg.check_gradients(styled, xs), mg.check_gradients(Table(1, 3, 1, 0), points)]
            mild = [  # a single row, and each label once
                mg.check_gradients(styled, xs[:1]),
                mg.check_gradients(Table(1, 3, 2, 0), points),
            ]
        if not all([of_net, *rest]):
            seen.append(exhibit.name)
        if not all([of_net, *mild]):
            seen_in_mild_batches.append(exhibit.name)
    old = ["accumulate", "sum-for-mean", "sigma-of-sigma", "stale-activations", "in-place"]
    assert seen == [*old, "repeated-label", "styles-of-the-batch"]
    assert seen_in_mild_batches == old


def test_mixed_images_lie_between_real_and_fake() -> None:
    mixed = importlib.import_module("museum.penalties").mixed
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((500, 3)), rng.standard_normal((500, 3))
    points = mixed(real, fake, rng)
    assert (points >= np.minimum(real, fake) - 1e-12).all()
    assert (points <= np.maximum(real, fake) + 1e-12).all()
    share = (points - fake)[:, 0] / (real - fake)[:, 0]  # the same for all pixels of an image
    np.testing.assert_allclose(points, fake + share[:, None] * (real - fake), atol=1e-9)
    assert abs(share.mean() - 0.5) < 0.05
    assert len(np.unique(share)) == 500


def test_a_table_gets_what_one_hot_rows_give() -> None:
    rng = np.random.default_rng(1)
    labels, dy = rng.integers(0, 4, 20), rng.standard_normal((20, 5))
    layer = mg.Linear(6, 5, dtype="float64")  # of the last two classes there is no row
    layer.backward(dy, layer.forward(np.eye(6)[labels])[1])
    dT = room.into_table(dy, labels, 6)
    np.testing.assert_allclose(dT, layer.dW, atol=1e-14)
    assert not dT[4:].any()
    assert room.into_table(dy.astype("float32"), labels, 6).dtype == "float32"


def test_a_line_that_has_moved_is_an_error() -> None:
    with (
        pytest.raises(ValueError, match=r"Tanh.forward has 0 lines 'y = np.sinh\(x\)'"),
        switched_on((Edit(mg.Tanh.forward, "y = np.sinh(x)", "y = x"),)),
    ):
        pass


def test_a_bug_goes_even_after_an_error() -> None:
    def leave() -> None:
        with switched_on((Edit(mg.Tanh.forward, "y = np.tanh(x)", "y = x"),)):
            assert mg.Tanh()(np.ones(1)) == 1
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    assert mg.Tanh()(np.ones(1)) == np.tanh(1)


def run_museum(name: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / "bug_museum.py")]
    environment = os.environ | {"EXHIBIT": name}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode == 0) == (name != "wgan"), result.stderr
    return result.stdout or result.stderr


def test_the_tour() -> None:
    lines = run_museum("").splitlines()
    assert len(lines) == 1 + 2 * 21
    assert [line.split()[0] for line in lines[1::2]] == list(EXHIBITS)
    assert {line.split()[0] for line in lines[2::2]} == {"caught"}


def test_one_exhibit() -> None:
    out = run_museum("adam-power")
    assert "right   correction1, correction2 = 1 - beta1**t, 1 - beta2**t" in out
    assert "wrong   correction1, correction2 = 1 - beta1, 1 - beta2" in out
    assert "caught by mathematics/test_optim.py::test_twenty_steps_of_each_parameter" in out


def test_exhibits_have_names() -> None:
    assert "EXHIBIT is 'wgan', expected one of adam-power, adam-eps" in run_museum("wgan")
