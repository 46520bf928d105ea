"""The tape as text, as a page, as a table, and as the command shows it."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path

import pytest
from helpers.tapes import first_tape, line, rows_of, tape_with_an_own_layer

import minigan as mg
from minigan.cli import main
from minigan.tape import Trace, first_step


@pytest.fixture
def tape() -> Trace:
    return first_tape()


@pytest.fixture
def own_layer() -> Trace:
    return tape_with_an_own_layer()


def columns(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)


@pytest.mark.parametrize("recipe", ["batch-norm", "tutorial"])
@pytest.mark.parametrize("batch_size", [2, 1000])
def test_text_is_a_hundred_columns_wide(recipe: str, batch_size: int) -> None:
    lines = str(mg.trace(*first_step(recipe, batch_size, 0))).splitlines()
    assert max(map(columns, lines)) == 100
    heads = [columns(text) for text in lines if text.rstrip().endswith("MFLOP")]
    assert heads == [100] * 6
    costs = [text for text in lines if re.search(r" \(?[\d.]+\)?$", text) and "Linear" in text]
    assert {columns(text) for text in costs} == {100}


def test_styles_are_explained_where_there_are_some(tape: Trace) -> None:
    lines = str(mg.trace(*first_step("style", 2, 0))).splitlines()
    (start,) = [i for i, text in enumerate(lines) if text.startswith("styles ")]
    assert lines[start - 1].startswith("MFLOP ")
    assert max(map(len, lines[start : start + 4])) <= 100
    assert "styles " not in str(tape)


def test_text(tape: Trace) -> None:
    text = str(tape)
    first = rows_of(tape, "D", "D backward")[-1]
    norm = f"{line(first, 'dW').size:.3g}"
    assert re.search(
        rf"^0 Linear\(784, 1024\) +dW = xᵀ dy +\(784, 1024\)  \|dW\| {norm} +51\.38\n"
        r" +db = Σₙ dy\[n\] +\(1024,\) .*\n"
        r" +dx = dy Wᵀ +\(32, 784\) +skipped +\(51\.38\)\n"
        r"The first layer's dx is left out by input_grad=False: ",
        text,
        re.MULTILINE,
    )
    assert re.search(r"^1 BatchNorm1d\(256\) +y = γ x̂ \+ β +\(16, 256\) → \(16, 256\) ", text, re.M)
    assert f"d_loss {float(tape.result.d_loss):.4f}" in text
    done = sum(one.flop for row in tape.rows for one in row.lines if not one.skipped) / 1e9
    assert re.search(r"^R1 +\d\.\d{3} GFLOP of these, 29%; not in every step$", text, re.M)
    assert f"46 matrix products, {done:.3f} GFLOP\n" in text
    assert not re.search(" $", text, re.MULTILINE)


def test_page_needs_no_other_file(tape: Trace, own_layer: Trace) -> None:
    page = tape.html()
    assert not re.search(r"https?:|\bsrc=|\bhref=|@import|url\(", page)
    (data,) = re.findall(r'<script type="application/json" id="data">(.*)</script>', page)
    rows = json.loads(data)["rows"]
    assert [row["name"] for row in rows] == [row.name for row in tape.rows]
    assert [row["partner"] for row in rows] == [row.partner for row in tape.rows]
    skipped = rows[[row.phase for row in tape.rows].index("R1 forward") - 1]["lines"][-1]
    assert skipped["figure"] == "skipped"
    assert skipped["product"].startswith("skipped: a matrix product, 2 · 32 · 784 · 1024 = 51.38 ")
    assert "fake.detach()" in skipped["why"]
    assert own_layer.html().count("</script>") == page.count("</script>") == 2


def test_table_for_a_notebook(tape: Trace, own_layer: Trace) -> None:
    table = tape._repr_html_()
    lines = sum(len(row.lines) for row in tape.rows)
    assert len(re.findall("<tr><td[^>]*>[^<]*</td><td", table)) == lines
    assert "<td style='text-align:left'>dW = xᵀ dy</td>" in table
    assert "&lt;/script&gt;&lt;b&gt;Slope" in own_layer._repr_html_()
    assert "<b>Slope" not in own_layer._repr_html_()


# ---------------------------------------------------------------- the command


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], tape: Trace) -> None:
    out = tmp_path / "tape.html"
    assert main(["trace", "--batch-size", "16", "--html", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{tape}\n\nThe step as a page: {out}\n"
    assert out.read_text(encoding="utf-8") == tape.html()
    assert main(["trace", "--batch-size", "1", "--recipe", "tutorial", "--seed", "4"]) == 0
    other = capsys.readouterr().out
    assert "BatchNorm1d" not in other
    assert other == f"{mg.trace(*first_step('tutorial', 1, 4))}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--batch-size 0", "--batch-size is 0, expected a whole number of at least 2"),
        ("--batch-size 1", "--batch-size is 1, expected a whole number of at least 2"),
        ("--batch-size 0 --recipe tutorial", "--batch-size is 0, .* of at least 1"),
        ("--batch-size 60001", "--batch-size is 60001, expected a whole number up to 60,000"),
        ("--seed=-1", "--seed is -1, expected a whole number of at least 0"),
        (
            "--recipe dcgan",
            "--recipe is 'dcgan', expected averaged, batch-norm, conditional, least",
        ),
        ("--html nowhere/x.html", "--html nowhere/x.html is in nowhere, which is not a folder"),
        ("--html /", "--html / is a folder"),
        ("--html=", "--html is '', expected the name of a file"),
    ],
)
def test_command_errors(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", *options.split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(f"minigan: {message}.*\n", printed.err), printed.err


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_only_a_regular_file_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    Path("circle").symlink_to("circle")
    for command in ("trace --html", "bench --backend numpy --json"):
        for name in ("pipe", "link", "circle"):
            assert main([*command.split(), name]) == 2
            reason = "is not a regular file, expected a file to write"
            expected = f"minigan: {command.split()[-1]} {name} {reason}\n"
            assert capsys.readouterr().err == expected
    assert Path("pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "link", "pipe"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    there, link, new = tmp_path / "there.html", tmp_path / "link.html", tmp_path / "new.html"
    there.write_text("old")
    link.symlink_to("there.html")
    for leads_to in (there, new):
        link.unlink()
        link.symlink_to(leads_to.name)
        assert main(["trace", "--batch-size", "2", "--html", str(link)]) == 0
        assert link.is_symlink()
        assert leads_to.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
