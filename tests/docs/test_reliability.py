"""Each promise of docs/reliability.md names the tests that hold it, and they are there.

Its Korean twin names the same tests for each promise.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def promises_of(page: str, head: str) -> list[list[str]]:
    """Return the files that each row of the page's tables of promises names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    tables = re.findall(rf"^\|.*\| {head} \|\n\|[-|]*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    return [re.findall(r"`(tests/[\w/.]+)`", row.split("|")[-2]) for row in rows]


def test_every_promise_has_its_test() -> None:
    promises = promises_of("docs/reliability.md", "test")
    assert len(promises) > 25
    for files in promises:
        assert files
        for file in files:
            assert (ROOT / file).is_file(), file
    assert promises_of("docs/ko/reliability.md", "테스트") == promises
