"""A row of the history and its columns, for networks of any depth."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from minigan.training.history import HistoryRow, column_names, save_history

BEFORE = "epoch step d_loss g_loss p_real p_fake seconds images_per_second spread".split()
AFTER = ["ndb", "js", "classes"]


def row(d_layers: int, g_layers: int) -> HistoryRow:
    """A row in which every figure is another one."""
    means = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
    d_grads = tuple(100.0 + i for i in range(d_layers))
    g_grads = tuple(200.0 + i for i in range(g_layers))
    return HistoryRow(3, 700, *means, 8.0, d_grads, g_grads, ndb=50, js=0.25, classes=10)


@pytest.mark.parametrize(("d_layers", "g_layers"), [(4, 4), (2, 2), (1, 3), (3, 1), (0, 2)])
def test_a_row_goes_through_its_columns_unchanged(d_layers: int, g_layers: int) -> None:
    before = row(d_layers, g_layers)
    columns = before.columns()
    assert list(columns) == column_names(d_layers, g_layers)
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
    save_history(tmp_path / "history.csv", rows, column_names(2, 1))
    with (tmp_path / "history.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == column_names(2, 1)
    assert [line["step"] for line in found] == ["700", "800"]
    assert [line["d_grad_2"] for line in found] == ["101", "101"]
    assert [line["g_grad_1"] for line in found] == ["200", "200"]
    assert [line["js"] for line in found] == ["0.25", "nan"]
