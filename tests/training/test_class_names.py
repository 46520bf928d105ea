"""The names of classes: a run keeps those of its data, shows them, and is asked by them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import fails
from helpers.narrow import narrow_networks
from helpers.pages import page_file, whole_run
from helpers.pictures import grey, save
from helpers.runs import Configure, assert_same_run

import minigan as mg
from minigan.cli import main
from minigan.data import load_archive, save_archive
from minigan.training import asked_classes, stored_generator, stored_run
from minigan.training.class_names import LONGEST, SHOWN, listed, names_of, words_of_classes
from minigan.training.folder import BEST, CHECKPOINT
from minigan.training.stored_page import whole_run as run_with_figures
from minigan.training.trained import save_best

HOSTILE = "</script><b>\x1b[31m$\n\u202e"


def pets(folder: Path, *names: str) -> Path:
    """A folder of pictures: ten of each class, the same ones whatever the classes are called."""
    for k, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(10):
            save(folder / name / f"{i}.png", grey(10 * k + i, 9, 12))
    return folder


@pytest.fixture
def train(tmp_path: Path, config: Configure) -> Callable[..., Path]:
    """What trains a run of one epoch with classes of these names, and returns its folder."""

    def trained(*names: str) -> Path:
        options = {"data": str(pets(tmp_path / "pets", *names)), "epochs": 1, "batch_size": 9}
        return mg.Trainer(config(recipe="conditional", hold_out=0.0, **options)).run()

    return trained


def test_a_run_keeps_the_names_of_folders(train: Callable[..., Path], tmp_path: Path) -> None:
    folder = train("cats", "dogs")
    _, meta = load_archive(folder / CHECKPOINT)
    assert (meta["classes"], meta["names"]) == ([0, 1], ["cats", "dogs"])
    found = stored_run(folder / CHECKPOINT)
    assert found is not None
    run = run_with_figures(folder / CHECKPOINT)
    assert found[0].names == run.names == ("cats", "dogs")
    save_best(run, folder / BEST)
    for file in (folder / CHECKPOINT, folder / BEST):
        assert stored_generator(file).names == ("cats", "dogs")


def test_a_run_keeps_the_names_in_arrays_and_only_those_it_is_told(config: Configure) -> None:
    images = np.stack([grey(i, 9, 12) for i in range(20)])
    labels = np.array(["dogs", "cats"] * 10)
    options = {"batch_size": 9, "epochs": 1}
    trainer = mg.Trainer(config(recipe="conditional", **options), images=images, labels=labels)
    assert trainer.state.names == ("cats", "dogs")
    assert mg.Trainer(config(**options), images=images, labels=labels).state.names == ()
    assert names_of(("a", "b", "c"), (0, 2)) == ("a", "c")  # no image of b is trained with
    assert names_of((), (0, 2)) == ()


def test_names_are_words_and_change_no_number(train: Callable[..., Path], tmp_path: Path) -> None:
    """A run goes on with the same pictures in folders of other names, and keeps its own."""
    folder = train("cats", "dogs")
    others = pets(tmp_path / "others", "katzen", "hunde and more")  # which sort the other way round
    again = replace(mg.TrainConfig.of_run(folder), epochs=2)
    with pytest.raises(mg.InputError, match="is not the data that the run was started on"):
        mg.Trainer(replace(again, data=str(others)))
    same = pets(tmp_path / "same", "Felis", "canis")
    trainer = mg.Trainer(replace(again, data=str(same)))
    assert trainer.state.names == ("cats", "dogs")
    trainer.run()
    straight = mg.Trainer(replace(again, resume=None, out=str(tmp_path / "two"))).run()
    file = straight / CHECKPOINT
    arrays, meta = load_archive(file)
    meta["config"]["data"] = str(same)  # where the data lies now is the only difference
    save_archive(file, arrays, meta)
    assert_same_run(folder, straight)


def test_an_older_run_has_no_names_until_it_goes_on(train: Callable[..., Path]) -> None:
    folder = train("cats", "dogs")
    arrays, meta = load_archive(folder / CHECKPOINT)
    del meta["names"]
    save_archive(folder / CHECKPOINT, arrays, meta)
    assert stored_generator(folder / CHECKPOINT).names == ()
    assert run_with_figures(folder / CHECKPOINT).names == ()
    assert mg.Trainer(mg.TrainConfig.of_run(folder)).state.names == ("cats", "dogs")
    save_archive(folder / CHECKPOINT, arrays, meta | {"names": []})  # its data had none
    assert mg.Trainer(mg.TrainConfig.of_run(folder)).state.names == ()


@pytest.mark.parametrize(
    "names",
    [
        None,
        "ab",
        {"0": "a"},
        ["a", 1],
        [["a"], ["b"]],
        ["a"],
        ["a", "b", "c"],
        ["a", "b" * (LONGEST + 1)],
        ["\x1b[31m\n", None],
        ["x"] * 100_000,
    ],
)
def test_damaged_names(names: Any, train: Callable[..., Path], capsys: Any) -> None:
    folder = train("cats", "dogs")
    arrays, meta = load_archive(folder / CHECKPOINT)
    save_archive(folder / CHECKPOINT, arrays, meta | {"names": names})
    capsys.readouterr()
    for command in (["sample", str(folder)], ["report", str(folder)]):
        fails(command, "is damaged: the names of its classes are .{1,200}", capsys)
    with pytest.raises(mg.InputError, match="is damaged: the names of its classes are"):
        mg.Trainer(mg.TrainConfig.of_run(folder))


def test_names_beside_labels() -> None:
    names = ("cats", "dogs, small", "20", HOSTILE)
    ask = {"cats": [0], " cats ": [0], "cats,1": [0, 1], "1,0,": [1, 0], "cats,cats": [0, 0]}
    ask |= {"dogs, small": [1]}  # a name with a comma can stand alone
    ask |= {"20": [2], "20,cats": [2, 0], "2,20": [2, 2]}  # a name comes before a label
    ask |= {"103": [1, 0, 3], "</script><b>\\x1b[31m$\\n\\u202e,3": [3, 3]}
    for digits, columns in ask.items():
        assert asked_classes(digits, (0, 1, 2, 3), names) == columns, digits
    assert asked_classes("37", (0, 1), ("3", "7")) == [0, 1]  # texts of digits, as labels of arrays
    assert asked_classes("a", (0, 1), ("", "a")) == [1]


@pytest.mark.parametrize(
    ("digits", "what"),
    [
        ("fish", "fish"),
        ("cats,fish", "fish"),
        ("Cats", "Cats"),
        ("9", "9"),
        ("cats,\x1b\n!", "\\x1b\\n!"),
        ("cats,,1", None),
    ],
)
def test_a_name_that_is_not_known(digits: str, what: str | None) -> None:
    known = re.escape("the generator knows 0 (cats), 1 (\\x1b[1m\\n)")
    message = (
        f"digits asks for {re.escape(what)}, but {known}$"
        if what
        else "expected digits such as 2026"
    )
    with pytest.raises(mg.InputError, match=message):
        asked_classes(digits, (0, 1), ("cats", "\x1b[1m\n"))


def test_what_is_shown_is_short_and_one_line() -> None:
    words = words_of_classes((3, 5, 6, 9), ("cats", HOSTILE, "x" * LONGEST, " "))
    assert words[0] == "cats"
    assert words[1] == "</script><b>\\x1b[31m$\\n\\u202e"
    assert words[2] == "x" * (SHOWN - 1) + "…"
    assert words[3] == "9"  # no name at all
    assert words_of_classes((3, 5), ()) == ["3", "5"]
    many = listed(range(256), ["\ud800" * LONGEST] * 256)
    assert len(many) < 3000
    assert many.isprintable()
    assert names_of(["y" * 1000], (0,)) == ("y" * LONGEST,)


def test_the_command(train: Callable[..., Path], capsys: Any) -> None:
    folder = train("cats", "dogs")
    assert main(["sample", str(folder), "--digits", "cats,dogs,0"]) == 0
    assert main(["sample", str(folder), "--digits", "0,1,0", "--out", str(folder / "b.png")]) == 0
    assert (folder / "sample_0.png").read_bytes() == (folder / "b.png").read_bytes()
    capsys.readouterr()
    message = r"--digits asks for fish, but the generator knows 0 \(cats\), 1 \(dogs\)"
    fails(["sample", str(folder), "--digits", "cats,fish"], message, capsys)


def test_the_page_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow_networks(monkeypatch)
    run = whole_run("conditional")
    run.names = (HOSTILE, "z" * LONGEST, *"abcdefgh")
    text = page_file(run, tmp_path).read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*)</script>', text)
    assert found is not None
    words = ["</script><b>\\x1b[31m$\\n\\u202e", "z" * (SHOWN - 1) + "…", *"abcdefgh"]
    assert json.loads(found[1])["classes"] == words
    assert "</script><b>" not in text
    assert "\x1b" not in text


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="names of POSIX folders")
def test_hostile_folders(train: Callable[..., Path], tmp_path: Path, capsys: Any) -> None:
    name = HOSTILE.replace("/", "_")
    folder = train(name, "dogs", "\udcff")  # the last one is a byte that is no UTF-8
    stored = stored_generator(folder / CHECKPOINT)
    assert sorted(stored.names) == sorted([name, "dogs", "\udcff"])
    assert main(["sample", str(folder), "--digits", "dogs,\\udcff"]) == 0
    page = tmp_path / "tape.html"
    words = ["trace", "--recipe", "conditional", "--batch-size", "8", "--html", str(page)]
    assert main([*words, "--data", str(tmp_path / "pets")]) == 0
    assert "\x1b" not in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "_script><b>" not in text
    assert "\\\\x1b[31m" in text
