"""Each source that a page or a docstring names is on the page of references."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Kingma & Ba 2015; Karras et al. 2019, 2020; Mescheder et al. (2018)
CITED = re.compile(
    r"\b([A-Z]\w+)(?: et\s+al\.| (?:&|and) [A-Z]\w+)?,? \(?((?:19|20)\d\d)(?:, (20\d\d))?\b"
)
NO_AUTHORS = {"SAMPLES"}
PAGES = sorted({*ROOT.glob("docs/*.md"), ROOT / "README.md"} - {ROOT / "docs" / "references.md"})
SOURCES = sorted({*ROOT.glob("minigan/**/*.py"), *ROOT.glob("examples/*.py")})


def cited(file: Path) -> set[tuple[str, str]]:
    """Return the sources that a file names, as (first author, year)."""
    text = re.sub(r"\n *#? *", " ", file.read_text(encoding="utf-8"))
    found = set()
    for name, *years in CITED.findall(text):
        found |= {(name, year) for year in years if year and name not in NO_AUTHORS}
    return found


def entries(page: str) -> dict[tuple[str, str], str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    heads = re.findall(
        r"^### (\w+)(?: et al\.| and \w+)? (\d{4})\n\n(.*\n\n.*)$", text, re.MULTILINE
    )
    return {(name, year): rest for name, year, rest in heads}


ENTRIES = entries("docs/references.md")


@pytest.mark.parametrize("file", PAGES + SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_cited_is_there(file: Path) -> None:
    assert cited(file) <= set(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=" ".join)
def test_what_is_there_is_cited(entry: tuple[str, str]) -> None:
    """Each page and file that an entry names does name the source: by author, if not by year."""
    used = re.findall(r"\]\((?!http)([^)]*)\)", ENTRIES[entry].split("Used in")[1])
    assert used
    for target in used:
        assert entry[0] in (ROOT / "docs" / target).read_text(encoding="utf-8"), target


def test_korean_readers_get_the_same_sources() -> None:
    korean = entries("docs/ko/references.md")
    assert list(korean) == list(ENTRIES)
    for key, entry in ENTRIES.items():
        assert korean[key].split("\n")[0] == entry.split("\n")[0]


def test_the_search_finds_sources(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "(Kingma & Ba 2015, algorithm 1), Karras et\nal. 2019, 2020; Ridders (1982); 784 2014"
    )
    expected = {("Kingma", "2015"), ("Karras", "2019"), ("Karras", "2020"), ("Ridders", "1982")}
    assert cited(page) == expected
