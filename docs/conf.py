"""Settings of the site: ``python -m sphinx -W docs site``.  GitHub shows the pages as they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import minigan
from minigan.tape.equations import EQUATION

sys.path.append(str(Path(__file__).parents[1] / "examples"))
import notebooks

project = "minigan"
author = "the minigan authors"
version = release = minigan.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",  # formulas without a network
]
exclude_patterns = ["README.md", "templates", "static"]  # index.md includes README.md
exclude_patterns += ["notebooks"]  # notebooks.md includes the list of them
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # README.md has the title that index.md begins with

html_theme = "pydata_sphinx_theme"
html_title = "minigan"
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "secondary_sidebar_items": [],  # the chapters' list has the sections of the page
    "footer_start": [],
    "footer_end": [],
}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["chapters.css"]
html_js_files = ["formulas.js"]
PLANE = ["arrays", "layers", "losses", "optim", "gan"]  # a GAN in the plane: mathematics,
PLANE += ["points", "pictures", "network", "weight", "words", "page"]  # and its page
BESIDE = "gan-in-the-plane"  # a page among the chapters that has no number
html_sidebars = {"**": ["chapters.html"]}
html_show_sourcelink = False
html_context = {"default_mode": "auto"}  # light or dark, as the system is

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes, which say more
autodoc_default_options = {"members": True}
napoleon_google_docstring = False


def equations(
    app: object, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Keep the equations of a docstring, which are indented, line by line."""
    text = []
    before = "the first line, which is prose"
    indented = False
    for line in lines:
        # if all lines below the first were indented alike, Sphinx has removed the indentation
        if (indented or not before.strip()) and EQUATION.fullmatch(line.rstrip()):
            line = line if line.startswith("    ") else f"    {line}"
        # a bar, as in |x - y|, would begin one of Sphinx's substitutions
        if line.startswith("    ") and not indented and not before.strip():
            text += [".. code-block:: none", ""]
        if line.strip():
            indented = line.startswith("    ")
        text.append(line if indented else re.sub(r"(?<!`)\|(?!`)", r"\\|", line))
        before = line
    lines[:] = text


def make_notebooks(*_: object) -> None:
    """Make the notebooks of the examples, and the list of them with their titles."""
    folder, lines = Path(__file__).parent / "notebooks", []
    for name in notebooks.examples():
        notebook = notebooks.notebook_of(name)
        notebooks.write(notebook, folder / f"{name}.ipynb")
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        lines.append(f"- {title}: :download:`{name}.ipynb </notebooks/{name}.ipynb>`\n")
    (folder / "list.rst").write_text("".join(lines), encoding="utf-8")


def add_plane(app: Any, page: str, template: str, context: object, doctree: object) -> None:
    """Load the scripts of the GAN in the plane where it stands, and on no other page."""
    if page.endswith("gan-in-the-plane"):
        app.add_css_file("plane/plane.css")
        for name in PLANE:
            app.add_js_file(f"plane/{name}.js", loading_method="defer")


def chapters(
    app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Give each page the list of all pages in its language, the chapters with their numbers."""
    from sphinx import addnodes  # here, because a test reads this file without Sphinx

    korean = pagename.startswith("ko/")
    pages, groups = app.env.titles, []
    if "index" not in app.env.tocs:
        return
    for tree in app.env.tocs["ko/index" if korean else "index"].findall(addnodes.toctree):
        number, group = 0, []
        for _, name in tree["entries"]:
            counted = not groups and not name.endswith(BESIDE)
            number += counted
            title, uri = pages[name].astext(), context["pathto"](name)
            group.append((str(number) if counted else "", title, uri, name == pagename))
        groups.append((tree["caption"], group))
    twin = pagename.removeprefix("ko/") if korean else f"ko/{pagename}"
    other = twin if twin in pages else "index" if korean else "ko/index"
    context["other"] = context["pathto"](other), "English" if korean else "한국어"
    context["groups"] = groups if korean else groups[:-1]  # the last group leads to Korean
    context["language"] = "ko" if korean else "en"


def name_empty_heads(app: object, doctree: Any, docname: str) -> None:
    """Give a column without a head one that is read aloud, but not seen."""
    from docutils import nodes

    for head in doctree.findall(nodes.thead):
        for cell in head.findall(nodes.entry):
            if not cell.astext().strip():
                words = "행" if docname.startswith("ko/") else "row"
                hidden = nodes.inline(text=words, classes=["visually-hidden"])
                cell[:] = [nodes.paragraph("", "", hidden)]


def setup(app: object) -> None:
    app.connect("html-page-context", add_plane)  # type: ignore[attr-defined]
    app.connect("doctree-resolved", name_empty_heads)  # type: ignore[attr-defined]
    app.connect("html-page-context", chapters)  # type: ignore[attr-defined]
    app.connect("config-inited", make_notebooks)  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", equations, priority=400)  # type: ignore[attr-defined]
