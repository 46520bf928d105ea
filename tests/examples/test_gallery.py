"""The gallery of failures: each sign tells the broken run from the healthy one, with any seed."""

from __future__ import annotations

import functools
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.example_files import EXAMPLES, ROOT, run_example
from PIL import Image

sys.path.insert(0, str(EXAMPLES))  # where the program finds its neighbours
gallery: Any = importlib.import_module("gallery")
small_gan: Any = importlib.import_module("gallery.small_gan")
failure_module: Any = importlib.import_module("gallery.failure")
exhibit: Any = importlib.import_module("museum.exhibit")
sys.path.remove(str(EXAMPLES))
FAILURES: dict[str, Any] = gallery.FAILURES
Edit, switched_on = exhibit.Edit, exhibit.switched_on
STEPS = 300  # of 1500 in the program
LONGER = {"learning-rate": 700, "g-too-strong": 700}  # where it takes time to show
EARLY = {"no-shuffling": 0.75}  # a limit for 300 steps, when a healthy G draws few digits, too

PAGES = [
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("failures.md", "ko/failures.md")
]


@functools.cache
def healthy(seed: int, steps: int = STEPS) -> Any:
    return gallery.train(steps, seed)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", FAILURES)
def test_the_sign_gives_the_failure_away(name: str, seed: int) -> None:
    failure, steps = FAILURES[name], LONGER.get(name, STEPS)
    with switched_on(failure.edits):
        broken = gallery.train(steps, seed)
    limit = EARLY.get(name, failure.limit)
    figures = failure.measure(healthy(seed, steps)), failure.measure(broken)
    assert (figures[0] < limit) != (figures[1] < limit), figures
    again = gallery.train(20, seed)  # the right lines are back
    assert again["d_loss"] == healthy(seed)["d_loss"][:20]


def test_a_sum_is_64_times_the_mean_and_adam_does_not_see_it() -> None:
    with switched_on(FAILURES["sum"].edits):
        broken = gallery.train(20, 1)
    for key, factor in (("d_norm", 64), ("d_loss", 1), ("spread", 1)):
        expected = np.multiply(factor, healthy(1)[key][: len(broken[key])])
        # Adam's eps, 1e-8 beside gradients near 1e-3, and rounding in a game of 20 steps
        np.testing.assert_allclose(broken[key], expected, rtol=0.01)


def test_batch_norm_with_one_batch_in_both_steps_draws_a_black_border() -> None:
    """The page says so of both failures with BatchNorm in D."""
    edits = (
        failure_module.WITH_BATCH_NORM,
        Edit(
            gallery.train,
            "y, cache_d = D.forward(fake)",
            "y, cache_d = D.forward(np.concatenate([real, fake]))\ny = y[B:]",
        ),
        Edit(
            gallery.train,
            "d_fake = D.backward(dy, cache_d, param_grads=False)",
            "dy = np.concatenate([0 * dy, dy])\n"
            "d_fake = D.backward(dy, cache_d, param_grads=False)[B:]",
        ),
    )
    with switched_on(edits):
        record = gallery.train(STEPS, 1)
    for name in ("batch-norm-apart", "batch-norm-half"):
        assert FAILURES[name].measure(record) < FAILURES[name].limit


def test_images_are_means_of_four_pixels_in_the_order_of_digits() -> None:
    images, means = small_gan.mnist()
    whole, labels = small_gan.mg.load_mnist("train")
    first = whole[labels == 0][0].astype("float32")
    assert images[0, 14 * 5 + 7] == first[10:12, 14:16].mean()
    zeros = int((labels == 0).sum())
    np.testing.assert_allclose(means[0], images[:zeros].mean(axis=0), rtol=1e-5)
    assert small_gan.same_digit(np.repeat(small_gan.scaled(means), [9, *[1] * 9], axis=0)) == 0.5
    scaled = small_gan.scaled(images)
    assert (scaled.min(), scaled.max()) == (-1, 1)
    assert scaled.std(axis=0).mean() == pytest.approx(0.34, abs=0.005)  # as the pages say
    assert failure_module.border({"samples": scaled}) == pytest.approx(-1, abs=0.005)


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_have_each_failure_with_its_lines(page: str) -> None:
    sections = dict(re.findall(r"^## ([\w-]+): .*?\n(.*?)(?=^## )", page, re.M | re.S))
    assert list(sections) == list(FAILURES)
    assert len(FAILURES) == 11  # which the pages call eleven
    for name, failure in FAILURES.items():
        for edit in failure.edits:
            assert f"# right\n{edit.right}\n# wrong\n{edit.wrong}\n" in sections[name]
        assert f"images/failures/{name}.png" in sections[name]
        (row,) = re.findall(rf"^\| \[{name}\].*", page, re.MULTILINE)
        sign, right, limit, wrong = row.split(" | ")[1:]
        assert page is PAGES[1] or sign == failure.sign
        assert float(limit) == failure.limit
        figures = float(right), float(wrong.removesuffix(" |"))
        assert (figures[0] < failure.limit) != (figures[1] < failure.limit)
        assert f"**{right}**" in sections[name]
        assert limit in sections[name]


def test_the_program_draws_a_failure(tmp_path: Path) -> None:
    printed = run_example("failures.py", FAILURE="bytes", STEPS="20", OUT=str(tmp_path))
    assert "  wrong  return images\n" in printed
    assert re.search(r"  sign   d_loss, .*: \d\.\d+ healthy, \d\.\d+ here", printed)
    with Image.open(tmp_path / "bytes.png") as picture:
        assert picture.size == (960, 390)
        assert np.asarray(picture.convert("L")).std() > 10
    assert [file.name for file in tmp_path.iterdir()] == ["bytes.png"]


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FAILURE", "xyz", "FAILURE is 'xyz', expected one of learning-rate, momentum"),
        ("STEPS", "19", "STEPS is 19, expected at least 20"),
    ],
)
def test_settings_that_are_none(variable: str, value: str, says: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "failures.py")]
    env = os.environ | {variable: value, "OUT": str(tmp_path / "out")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert says in result.stderr
    assert not (tmp_path / "out").exists()
