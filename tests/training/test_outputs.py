"""What is made from a run's state follows its checkpoint, and cannot end the run."""

from __future__ import annotations

import errno
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.runs import Configure, assert_same_run, saved_run
from PIL import Image

import minigan as mg
from minigan.errors import InputError
from minigan.training import outputs
from minigan.training.folder import CHECKPOINT, CURVES, FILM, HISTORY, PAGE, locked
from minigan.training.history import HistoryFile
from minigan.training.outputs import Outputs
from minigan.training.pictures import grid_png

MADE = (HISTORY, CURVES, FILM, PAGE, "samples/epoch_0002.png")


def lines_of(folder: Path) -> list[str]:
    """The figures of history.csv, without the times."""
    rows = (folder / HISTORY).read_text().splitlines()
    return [",".join(row.split(",")[:6]) for row in rows]


@pytest.mark.parametrize("lost", MADE)
def test_a_finished_run_gets_back_what_was_lost(
    lost: str, config: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    """It died between its last checkpoint and that file, or the file was removed."""
    folder = mg.Trainer(config(epochs=2)).run()
    before = {name: (folder / name).read_bytes() for name in MADE}
    if lost == HISTORY:  # as it was after the first epoch
        (folder / lost).write_text("\n".join((folder / lost).read_text().splitlines()[:2]))
    else:
        (folder / lost).unlink()
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Nothing to do: the run in {folder} ended with epoch 2."
    )
    for name, content in before.items():
        assert (folder / name).read_bytes() == content, name


@pytest.mark.parametrize("moment", ["follow", "draw_samples", "draw_curves"])
def test_a_run_killed_between_checkpoint_and_files_is_as_if_it_was_not(
    moment: str, config: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    straight = mg.Trainer(config(out=str(tmp_path / "straight"))).run()
    trainer = mg.Trainer(config())
    place: Any = HistoryFile if moment == "follow" else Outputs
    work = getattr(place, moment)

    def killed(*args: Any, **kwargs: Any) -> Any:
        if trainer.state.step == 14:
            raise Killed
        return work(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(place, moment, killed)
        patch.setattr(outputs, "SHARE", 1e9)  # curves are drawn after every epoch
        with pytest.raises(Killed):
            trainer.run()
    mg.Trainer(mg.TrainConfig.of_run(trainer.folder)).run()
    assert_same_run(straight, trainer.folder)
    assert lines_of(straight) == lines_of(trainer.folder)
    assert (straight / FILM).read_bytes() == (trainer.folder / FILM).read_bytes()


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_a_file_that_cannot_be_replaced_costs_a_warning(
    code: int,
    name: str,
    config: Configure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A spreadsheet holds history.csv, an image viewer a picture; the next time it is free."""
    if code != errno.EACCES and name != HISTORY:
        pytest.skip("one of them is enough")
    replace_file = Path.replace

    def held(self: Path, target: Path) -> Path:
        if target == tmp_path / "run" / name:
            raise OSError(code, os.strerror(code))
        return replace_file(self, target)

    trainer = mg.Trainer(config(epochs=2))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", held)
        folder = trainer.run()
    printed = capsys.readouterr().out
    file = folder / name
    assert f"Warning: {file} cannot be written ({os.strerror(code)}); the run goes on" in printed
    assert not file.exists()
    assert saved_run(folder)[1]["step"] == 14
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert file.exists()
    assert not list(folder.rglob("*.tmp"))


def test_only_the_checkpoint_ends_a_run(config: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == CHECKPOINT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", full)
    trainer = mg.Trainer(config())
    with pytest.raises(OSError, match="No space left on device"):
        trainer.run()
    with pytest.raises(InputError, match="an error has ended the run of this Trainer"):
        trainer.run()


def test_drawing_is_tried_with_the_first_picture(
    config: Configure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: Any, **options: Any) -> bytes:
        raise RuntimeError("no fonts\nat all")

    monkeypatch.setattr(outputs, "curves_png", broken)
    monkeypatch.setattr("minigan.training.trainer.FIRST_PICTURE", 2)
    trainer = mg.Trainer(config(epochs=1))
    step = trainer.train_step
    steps: list[int] = []

    def third(*args: Any) -> Any:
        steps.append(len(steps) + 1)
        return step(*args) if steps[-1] < 3 else 1 / 0

    monkeypatch.setattr(trainer, "train_step", third)
    with pytest.raises(ZeroDivisionError):
        trainer.run()
    assert (
        "Warning: the run's curves cannot be written (no fonts at all); the run goes on without "
        "it for now."
    ) in capsys.readouterr().out.splitlines()
    monkeypatch.setenv("MINIGAN_TRACEBACK", "1")  # for those who look for the reason
    with pytest.raises(RuntimeError, match="no fonts"):
        mg.Trainer(config(epochs=1, out=f"{trainer.folder}2")).run()


def test_temporary_files_of_a_killed_process_are_removed(config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    for file in (folder / ".minigan-12.tmp", folder / "samples" / ".minigan-34.tmp"):
        file.write_text("half a file")
    mg.Trainer(mg.TrainConfig.of_run(folder)).run()
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
@pytest.mark.parametrize("kind", ["link", "file", "pipe", "dangling link"])
def test_samples_must_be_a_folder_of_the_run(kind: str, config: Configure, tmp_path: Path) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(folder / "samples", elsewhere)
    before = sorted(elsewhere.iterdir())
    if kind == "file":
        (folder / "samples").write_text("x")
    elif kind == "pipe":
        os.mkfifo(folder / "samples")
    else:
        target = elsewhere if kind == "link" else tmp_path / "nowhere"
        (folder / "samples").symlink_to(target)
    what = "a link" if "link" in kind else "not a folder"
    with pytest.raises(InputError, match=f"samples is {what}, expected the folder with the run's"):
        mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))
    assert sorted(elsewhere.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
@pytest.mark.parametrize("name", [HISTORY, CURVES, FILM, CHECKPOINT, "config.json"])
def test_links_in_a_run_are_replaced_and_not_followed(
    name: str, config: Configure, tmp_path: Path
) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    victim = tmp_path / "victim"
    (folder / name).rename(victim)
    (folder / name).symlink_to(victim)
    before = victim.read_bytes()
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2)).run()
    assert victim.read_bytes() == before
    assert not (folder / name).is_symlink()


@pytest.mark.parametrize("name", [HISTORY, CURVES, CHECKPOINT])
def test_a_folder_in_the_place_of_a_file(name: str, config: Configure) -> None:
    folder = mg.Trainer(config(epochs=1)).run()
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(InputError, match=f"{name} is a folder, expected a file"):
        mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=2))


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_costs_one_line(
    code: int,
    config: Configure,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def unable(*args: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", unable)
    folder = mg.Trainer(config(epochs=1)).run()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f"Warning: {folder} cannot be locked here ({os.strerror(code)}): take care that only one "
        "process trains in it."
    )
    monkeypatch.setattr(fcntl, "flock", lambda *args: (_ for _ in ()).throw(OSError(errno.EIO, "")))
    with pytest.raises(OSError), locked(folder):  # noqa: PT011  that is no answer, it is a failure
        pass


def test_curves_and_film_take_a_small_share_of_the_time(
    config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the run: after a drawing of 1 s, the next one comes 50 s later or more."""
    now = [100.0]
    monkeypatch.setattr("minigan.training.outputs.time.perf_counter", lambda: now[0])
    trainer, drawn = mg.Trainer(config()), []
    files = Outputs(trainer.state, trainer.folder, 0.38)

    def draw() -> None:
        drawn.append(now[0])
        now[0] += 1.0

    monkeypatch.setattr(files, "draw_curves", draw)
    monkeypatch.setattr(files, "write_page", lambda: None)
    while now[0] < 400:
        files.draw_if_due()
        now[0] += 10  # an epoch
    assert drawn == [100.0, 151.0, 202.0, 253.0, 304.0, 355.0]


def test_the_first_picture_comes_after_so_many_steps(
    config: Configure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for room in ("trainer", "outputs", "folder"):
        monkeypatch.setattr(f"minigan.training.{room}.FIRST_PICTURE", 3)
    monkeypatch.setattr("minigan.training.progress.ESTIMATE_AFTER", 3)
    trainer = mg.Trainer(config(epochs=2, recipe="batch-norm"))  # whose G draws itself
    step, images = trainer.train_step, []

    def noted(*args: Any) -> Any:
        if trainer.state.step == 3:
            images.append(grid_png(trainer.generator(trainer.state.fixed_z)))
            assert picture.exists()
        return step(*args)

    trainer.train_step = noted
    picture = trainer.folder / "samples" / "step_0003.png"
    folder = trainer.run()
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == f"The first picture comes after 3 steps: {picture}"
    assert lines[3] == f"A page to watch it in a browser: {folder / PAGE}"
    assert re.fullmatch(r"The other 11 steps will take about \d+ seconds?\.", lines[4])
    assert sum("will take" in line for line in lines) == 1
    assert picture.read_bytes() == images[0]
    with Image.open(folder / FILM) as film:
        assert getattr(film, "n_frames", 1) == 3


def test_short_epochs_have_their_first_picture_when_they_are_saved(
    config: Configure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("minigan.training.progress.ESTIMATE_AFTER", 3)
    folder = mg.Trainer(config(epochs=3, save_every=2)).run()
    picture = folder / "samples" / "epoch_0002.png"
    assert capsys.readouterr().out.splitlines()[2] == (
        f"The first picture comes after 14 steps: {picture}"
    )
    assert picture.exists()
    mg.Trainer(replace(mg.TrainConfig.of_run(folder), epochs=4)).run()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"Going on after step 21 of 28 in {folder}."
    assert lines[2] == f"A page to watch it in a browser: {folder / 'report.html'}"
    assert lines[3].startswith("The other 4 steps will take about ")
