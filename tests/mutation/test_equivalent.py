"""The mutants that are said to make no difference are changes of lines that are still there."""

from __future__ import annotations

import json
from pathlib import Path

import minigan

FOLDER = Path(__file__).parent
PACKAGE = Path(minigan.__file__).parent


def test_each_has_its_line_and_its_reason() -> None:
    for one in json.loads((FOLDER / "equivalent.json").read_text(encoding="utf-8")):
        file, place, was, became = one["mutant"]
        source = " ".join((PACKAGE / f"{file}.py").read_text(encoding="utf-8").split())
        defined = f"def {place}(" in source or f"class {place}(" in source
        assert not place or defined  # without a place: a line of the module
        assert " ".join(was.split()) in source, was
        assert became != was
        assert len(one["why"].split()) > 5, one
