"""The site of the docs in a real browser: every page can be read without scrolling sideways.

The site is built once, with the extra `docs`.  The fixture ``reader`` also checks, after each test,
that the console had nothing to complain about and that nothing was loaded from anywhere.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import PHONE, Browser

pytestmark = pytest.mark.page

ROOT = Path(__file__).parents[2]
SCREEN = 1280  # pixels: a laptop
LEFT_OUT = {"docs/README.md"}  # it is the page index
PAGES = [
    file.relative_to(ROOT / "docs").with_suffix("").as_posix()
    for folder in ("docs", "docs/ko")
    for file in sorted((ROOT / folder).glob("*.md"))
    if file.relative_to(ROOT).as_posix() not in LEFT_OUT
]
CHAPTERS = 11


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pydata_sphinx_theme", reason="the extra `docs` is not installed")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "docs", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    return out


@pytest.fixture
def reader(one_browser: Browser) -> Iterator[Browser]:
    """The browser; the theme writes into the console which of its modes it takes."""
    yield one_browser
    complaints = one_browser.complaints()
    assert [words for words in complaints if "/scripts/pydata-sphinx-theme.js" not in words] == []
    assert [url for url in one_browser.requests() if not url.startswith(("file:", "data:"))] == []


def opened(reader: Browser, site: Path, page: str, width: int, dark: bool = False) -> None:
    """Open a page and all of its folds, and wait until its formulas have their last size."""
    reader.open(site / f"{page}.html", width=width, dark=dark)
    reader.driver.execute_async_script(
        "const done = arguments[0], root = document.documentElement;"
        "const wait = () => !window.MathJax?.startup || root.dataset.formulas ? done()"
        " : setTimeout(wait, 20); wait()"
    )
    reader.driver.execute_async_script(
        "for (const fold of document.querySelectorAll('.bd-article details')) fold.open = true;"
        "setTimeout(arguments[0], 50)"  # the event toggle comes a little later
    )


def wider(reader: Browser, selector: str) -> Any:
    """Return the text of those elements that are wider than their place."""
    return reader.run(
        "const wide = (e) => {"
        "  const box = e.closest('.pst-scrollable-table-container') || e;"
        "  const inner = e.tagName === 'MJX-CONTAINER' ? e.firstElementChild : e;"
        "  const edge = e.closest('.bd-article').getBoundingClientRect().right;"
        "  return box.scrollWidth > box.clientWidth + (box === e ? 1 : 0)"
        "    || inner.getBoundingClientRect().right > edge + 1;"
        "};"
        "return [...document.querySelectorAll(arguments[0])].filter(wide)"
        ".map((e) => `${e.tagName}: ${e.textContent.slice(0, 200)}`)",
        selector,
    )


DISPLAYED = ".bd-article mjx-container[display=true]"


@pytest.mark.parametrize("page", PAGES)
def test_a_laptop_scrolls_down_only_and_anybody_can_read_it(
    page: str, reader: Browser, site: Path
) -> None:
    opened(reader, site, page, SCREEN)
    assert wider(reader, f"{DISPLAYED}, .bd-article pre, .bd-article table") == []
    assert reader.run("return document.documentElement.scrollWidth") <= SCREEN
    assert reader.violations() == []


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_scrolls_down_only(page: str, reader: Browser, site: Path) -> None:
    """But for code, whose lines would mean something else if they were broken, and wide tables."""
    opened(reader, site, page, PHONE)
    assert wider(reader, f"{DISPLAYED}, .bd-article table:not(:has(th:nth-child(9)))") == []
    assert reader.run("return document.documentElement.scrollWidth") <= PHONE


def test_a_wide_table_moves_under_the_names_of_its_rows(reader: Browser, site: Path) -> None:
    opened(reader, site, "is-it-working", PHONE)
    found = reader.run(
        "const tables = [...document.querySelectorAll('.bd-article table')];"
        "const table = tables.find((e) => e.rows[0].cells[0].textContent === 'recipe');"
        "const box = table.closest('.pst-scrollable-table-container');"
        "const [name, ...cells] = table.rows[1].cells, left = name.getBoundingClientRect().left;"
        "box.scrollLeft = 1e4;"
        "return [box.scrollLeft, name.getBoundingClientRect().left - left,"
        "  Math.max(...cells.map((cell) => cell.getBoundingClientRect().height))];"
    )
    moved, name_moved, height = found
    assert moved > PHONE
    assert abs(name_moved) < 1
    assert height < 30  # one line: no figure is cut


@pytest.mark.parametrize("page", [page for page in PAGES if "/" not in page])
def test_anybody_can_read_it_in_the_dark(page: str, reader: Browser, site: Path) -> None:
    opened(reader, site, page, SCREEN, dark=True)
    assert reader.run("return document.documentElement.dataset.theme") == "dark"
    assert reader.violations() == []


@pytest.mark.parametrize("language", ["", "ko/"])
def test_the_list_of_chapters(language: str, reader: Browser, site: Path) -> None:
    """It has the numbers of the chapters, the sections of the page, and a way to its twin."""
    opened(reader, site, f"{language}rules", SCREEN)
    assert reader.run("return document.documentElement.lang") == (language or "en").strip("/")
    numbers = reader.run(
        "return [...document.querySelectorAll('.chapters .number')].map((e) => e.textContent)"
    )
    assert [n for n in numbers if n] == [str(n + 1) for n in range(CHAPTERS)]
    hrefs = reader.run(
        "return [...document.querySelectorAll('.chapters a')].filter((e) => e.offsetHeight)"
        ".map((e) => e.getAttribute('href'))"
    )
    assert "the-gan.html" in hrefs
    assert ("../rules.html" if language else "ko/rules.html") in hrefs
    assert sum(href.startswith("#") and len(href) > 1 for href in hrefs) >= 8


def test_a_wide_line_would_be_found(reader: Browser, site: Path) -> None:
    opened(reader, site, "rules", SCREEN)
    reader.run(
        "const article = document.querySelector('.bd-article');"
        "article.querySelector('pre').textContent = 'x'.repeat(300);"
        "article.querySelector('mjx-container[display=true]').style.fontSize = '3000%'"
    )
    found = wider(reader, f"{DISPLAYED}, .bd-article pre")
    assert [text.split(":")[0] for text in found] == ["MJX-CONTAINER", "PRE"]
