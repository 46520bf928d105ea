"""The words of messages: names of arguments, what a user has named, one and many."""

from __future__ import annotations

import numpy as np
import pytest

import minigan as mg
from minigan.errors import InputError, counted
from minigan.exercises.diagnosis import AnswerError, check_values


@pytest.mark.parametrize(
    ("text", "python", "command"),
    [
        ("`batch_size` is 0", "batch_size is 0", "--batch-size is 0"),
        ("only `epochs`, `data` may (`lr`; `out`: no)", "only epochs, data may (lr; out: no)",
         "only --epochs, --data may (--lr; --out: no)"),
        ("`out` a`b`c is a file", "out a`b`c is a file", "--out a`b`c is a file"),
        ("`out` `seed` is a file", "out `seed` is a file", "--out `seed` is a file"),
        ("x/`out`/y, `out`s, '`out`'", "x/`out`/y, `out`s, '`out`'", "x/`out`/y, `out`s, '`out`'"),
    ],
)  # fmt: skip
def test_backquotes(text: str, python: str, command: str) -> None:
    error = InputError(text)
    assert str(error) == python
    assert error.spelled(lambda name: "--" + name.replace("_", "-")) == command


def test_one_and_many() -> None:
    assert [counted(n, "image") for n in (0, 1, 2, 60_000)] == [
        "0 images", "1 image", "2 images", "60,000 images",
    ]  # fmt: skip
    net = mg.Sequential(mg.Linear(2, 1), seed=0, dtype="float64")
    lines = "\n".join(str(array) for array in mg.check_gradients(net, np.ones((1, 2))).arrays)
    assert "(1 of 1 entry)" in lines
    assert "(2 of 2 entries)" in lines
    with pytest.raises(AnswerError, match="; that is the only entry$"):
        check_values("db", np.array([np.nan]), np.array([1.0]))
    with pytest.raises(AnswerError, match="; 2 of 50 entries are wrong$"):
        check_values("db", np.r_[1.01, 1.02, np.ones(48)], np.ones(50))
