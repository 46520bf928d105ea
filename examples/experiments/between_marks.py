"""Put the results of a program into a page of the docs."""

from __future__ import annotations

from pathlib import Path

from minigan.machine.files import atomic_write


def write_between(file: Path, mark: str, text: str) -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- end of mark -->`` in a page."""
    start, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, found, rest = file.read_text(encoding="utf-8").partition(f"{start}\n")
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise SystemExit(f"{file} has no {start} and {end}")
    with atomic_write(file) as stream:
        stream.write(f"{before}{found}\n{text}\n\n{end}{after}".encode())
