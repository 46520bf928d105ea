"""Run the code of a page, so that a picture shows the numbers that the page prints."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from pathlib import Path
from typing import Any

import numpy as np

import minigan as mg

DOCS = Path(__file__).parents[2]


@functools.cache
def numbers_of(page: str, start: str, end: str) -> dict[str, Any]:
    """Return the variables of the page's python blocks that stand between two of its texts."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(start)[2].partition(end)[0]
    namespace: dict[str, Any] = {"np": np, "mg": mg}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            exec(block, namespace)
    return namespace
