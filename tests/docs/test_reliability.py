"""Each promise of docs/reliability.md names the tests that hold it, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_promise_has_its_test() -> None:
    tables = re.findall(r"^\|.*\| test \|\n\|[-|]*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 25
    for row in rows:
        *_, tests, _ = row.split("|")
        files = re.findall(r"`(tests/[\w/.]+)`", tests)
        assert files, row
        for file in files:
            assert (ROOT / file).is_file(), file
