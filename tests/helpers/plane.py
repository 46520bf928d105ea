"""The page of the GAN in the plane without the site around it: its box and its scripts."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTS = DOCS / "static" / "plane"


def script_names() -> list[str]:
    """Return the names of the scripts, in the order in which docs/conf.py loads them."""
    settings = (DOCS / "conf.py").read_text(encoding="utf-8")
    lines = re.findall(r"^PLANE \+?= \[(.*?)\]", settings, re.MULTILINE)
    return [name for line in lines for name in re.findall(r'"(\w+)"', line)]


def plane_page(folder: Path, language: str = "en", *, dark: bool = False) -> Path:
    """Write a page with the box of docs/gan-in-the-plane.md, or of its Korean twin."""
    source = DOCS / ("" if language == "en" else language) / "gan-in-the-plane.md"
    found = re.search(r'<div id="plane".*?</div>', source.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    style = (SCRIPTS / "plane.css").read_text(encoding="utf-8")
    scripts = [(SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in script_names()]
    colours = "background: #14181e; color: #ced6dd" if dark else "background: white; color: black"
    page = [
        f'<!DOCTYPE html><html lang="{language}" data-theme="{"dark" if dark else "light"}"><head>',
        '<meta charset="utf-8"><title>A GAN in the plane</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{style} body {{ {colours}; margin: 0 }}</style>",
        *[f"<script>{script}</script>" for script in scripts],
        f"</head><body><main><h1>A GAN in the plane</h1>{found[0]}</main></body></html>",
    ]
    file = folder / f"plane_{language}_{'dark' if dark else 'light'}.html"
    file.write_text("\n".join(page), encoding="utf-8")
    return file
