"""A page as one file: HTML, style, scripts and data, put into each other's places.

The files in ``page/`` are the source of a run's page.  ``page.html`` names the others in marks
such as ``[[film.js]]``, and each mark is replaced once: text that came with the data is never
searched for marks.  The data is JSON in which no text can end the script that holds it, and the
scripts show every text as text, so a hostile name in a run stays a name.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("page")
FILE_MARK = re.compile(r"\[\[(\w+\.(?:js|css))\]\]")
DATA_MARK = re.compile(r"\[\[(title|data)\]\]")


def page_html(data: Mapping[str, Any], source: Path = FOLDER) -> bytes:
    """Return the page that shows the data, as the content of a file in UTF-8.

    ``data`` is what the scripts read; its ``"title"`` is also the title of the window.  ``source``
    is the folder with ``page.html`` and the files that it names; if it is not given, the page is
    that of a run.
    """
    # without "<", no text can end the script; a lone surrogate, as in odd file names, becomes "?"
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    parts = {"title": escape(str(data["title"])), "data": text}
    pieces = DATA_MARK.split(_filled(source))
    pieces[1::2] = [parts[name] for name in pieces[1::2]]
    return "".join(pieces).encode(errors="replace")


@functools.cache
def _filled(source: Path) -> str:
    """Return ``page.html`` with the other files in it, and the marks for the data left."""

    def content(name: str) -> str:
        return (source / name).read_text(encoding="utf-8").rstrip()

    return FILE_MARK.sub(lambda mark: content(mark[1]), content("page.html"))
