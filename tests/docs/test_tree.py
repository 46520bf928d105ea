"""The trees of README and docs/architecture.md name what is there, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tree(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(r"^```\n(minigan/\n.*?)```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_tree_of_the_readme() -> None:
    folder, named = Path(), set()
    for line in tree("README.md").splitlines():
        name = line.split()[0]
        folder = Path(name) if not line.startswith(" ") else folder
        path = ROOT / name if not line.startswith(" ") else ROOT / folder / name
        assert path.is_dir() if name.endswith("/") else path.is_file(), path
        named.add(path)
    package = ROOT / "minigan"
    expected = {path for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    private = {"__init__.py", "__main__.py", "errors.py", "__pycache__"}
    assert {path for path in expected if path.name not in private} <= named


def test_the_tree_of_the_architecture_names_each_module() -> None:
    shown = tree("docs/architecture.md")
    words = set(re.findall(r"[\w.]+", shown))
    for file in (ROOT / "minigan").rglob("*.py"):
        if file.name not in ("__init__.py", "__main__.py"):
            known = file.stem in words or file.name in words
            room = re.search(rf"^  {file.parent.name}/.*(?:\n    .*)*", shown, re.MULTILINE)
            assert known or (room is not None and "…" in room[0]), file
