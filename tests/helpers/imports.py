"""Which module of minigan imports which, read from the sources: also what is imported inside a
function, or for types alone."""

from __future__ import annotations

import ast
from pathlib import Path

import minigan

PACKAGE = Path(minigan.__file__).parent
# Each room may import from itself and from the rooms before it.
ROOMS = (
    "machine", "errors", "backend", "data", "mathematics", "weights", "gradcheck", "metrics",
    "report", "training", "exchange", "evaluation", "tape", "bench", "minigan", "exercises", "cli",
)  # fmt: skip


def module_imports() -> dict[str, set[str]]:
    """Each module of the package, and the modules of the package that it imports."""
    files = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}
    imports: dict[str, set[str]] = {}
    for name, file in files.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name} has a relative import"
                assert node.module is not None
                parts = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (parts & files.keys()) or {node.module}
        imports[name] = found & files.keys() - {name}
    return imports


def name_of(file: Path) -> str:
    parts = ("minigan", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


def room_of(module: str) -> str:
    """``mathematics`` for the modules beside the rooms, ``minigan`` for the package itself."""
    parts = module.split(".")
    if len(parts) == 1:
        return "minigan"
    if parts[1] == "__main__":
        return "cli"
    is_room = (PACKAGE / parts[1]).is_dir() or parts[1] == "errors"
    return parts[1] if is_room else "mathematics"
