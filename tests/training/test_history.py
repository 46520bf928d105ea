"""A row of the history and its columns, for networks of any depth."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from minigan.training.history import HistoryFile, HistoryRow, LogEntry, column_names, sum_up

BEFORE = "epoch step d_loss g_loss p_real p_fake seconds images_per_second spread".split()
AFTER = ["ndb", "js", "classes", "d_train", "d_test", "lr"]


def row(d_layers: int, g_layers: int) -> HistoryRow:
    """A row in which every figure is another one."""
    means = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
    d_grads = tuple(100.0 + i for i in range(d_layers))
    g_grads = tuple(200.0 + i for i in range(g_layers))
    return HistoryRow(3, 700, *means, 8.0, d_grads, g_grads, 50, 0.25, 10, 0.6, 0.5, 0.001)


@pytest.mark.parametrize(("d_layers", "g_layers"), [(4, 4), (2, 2), (1, 3), (3, 1), (0, 2)])
def test_a_row_goes_through_its_columns_unchanged(d_layers: int, g_layers: int) -> None:
    before = row(d_layers, g_layers)
    columns = before.columns()
    assert list(columns) == column_names(d_layers, g_layers)
    assert before.values() == list(columns.values())
    values = [float(value) for value in columns.values()]  # as a checkpoint keeps them
    after = HistoryRow.of_columns(values, d_layers, g_layers)
    assert after == before
    assert (type(after.epoch), type(after.step)) == (int, int)


def test_columns_are_named_by_network_and_layer() -> None:
    norms = ["d_grad_1", "g_grad_1", "g_grad_2"]
    assert column_names(1, 2) == [*BEFORE, *norms, *AFTER]
    columns = row(1, 2).columns()
    assert [columns[name] for name in norms] == [100, 200, 201]
    assert (columns["spread"], columns["ndb"], columns["classes"]) == (8, 50, 10)


def test_the_file_has_the_columns_and_a_line_for_each_row(tmp_path: Path) -> None:
    rows = [row(2, 1), row(2, 1)._replace(step=800, js=float("nan"))]
    HistoryFile(tmp_path / "history.csv", column_names(2, 1)).follow(rows)
    with (tmp_path / "history.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == column_names(2, 1)
    assert [line["step"] for line in found] == ["700", "800"]
    assert [line["d_grad_2"] for line in found] == ["101", "101"]
    assert [line["g_grad_1"] for line in found] == ["200", "200"]
    assert [line["js"] for line in found] == ["0.25", "nan"]


def test_new_rows_are_appended(tmp_path: Path) -> None:
    path, columns = tmp_path / "history.csv", column_names(2, 1)
    file, rows = HistoryFile(path, columns), [row(2, 1)._replace(step=step) for step in range(5)]
    file.follow(rows[:1])
    inode = path.stat().st_ino
    for n in (3, 3, 5):
        file.follow(rows[:n])
        assert path.stat().st_ino == inode  # the same file, which has grown
        assert steps_in(path) == [str(i) for i in range(n)]


@pytest.mark.parametrize("change", ["removed", "edited", "replaced by a link", "cut"])
def test_a_file_that_somebody_changed_is_written_anew(change: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "history.csv", tmp_path / "victim"
    victim.write_text("precious")
    rows = [row(2, 1)._replace(step=step) for step in range(3)]
    file = HistoryFile(path, column_names(2, 1))
    file.follow(rows[:2])
    if change == "edited":
        path.write_text(path.read_text().replace("700", "seven hundred") + "notes\n")
    elif change == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        path.unlink()
    if change == "replaced by a link":
        path.symlink_to(victim)
    file.follow(rows)
    assert steps_in(path) == ["0", "1", "2"]
    assert victim.read_text() == "precious"


def steps_in(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [line["step"] for line in csv.DictReader(file)]


def test_a_clock_that_stands_still_gives_no_speed() -> None:
    """Virtual machines have such clocks, and a division by 0 would end the run."""
    summary = sum_up([LogEntry(1.0, 2.0, 0.5, 0.5, 0.0, 64.0)] * 3, epoch=1, step=3)
    assert math.isnan(summary.images_per_second)
    assert (summary.seconds, summary.d_loss) == (0, 1)
