"""Make notebooks of the examples.

    python examples/notebooks.py                    # all of them, into runs/notebooks
    python examples/notebooks.py xor gan_2d --run   # two of them, with what they print and draw

An example is a program with percent cells.  Jupytext turns them into the cells of a notebook, and
the pictures that the program names in lines such as "picture: runs/xor.png" are shown below them.
OUT in the environment names another folder for the notebooks, and the programs' own variables, such
as EPOCHS, hold for their notebooks, too.  The packages needed are those of the extra `notebook`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent
PICTURE = re.compile(r'^( *)print\((f".*?picture: (.*?)")\)$', re.MULTILINE)
SHOWN = r'\1print(\2)\n\1show_below(f"\3")'
TITLE = re.compile(r"^# %% (?!\[markdown\])", re.MULTILINE)  # of a cell; Jupyter shows none
FIRST = """\
# This notebook was made from examples/{name}.  It needs minigan: python -m pip install ".[fast]"
from IPython import display


def show_below(picture):
    display.display(display.Image(filename=picture))
"""
BESIDE = """\


# This program looks for its neighbours, but a notebook is no file: take those of the package.
import importlib.util
import sys
from pathlib import Path

__file__ = str(Path(importlib.util.find_spec("minigan").origin).parents[1] / "examples" / "{name}")
sys.path.insert(0, str(Path(__file__).parent))
"""


def examples() -> list[str]:
    """Return the names of the examples that can be notebooks, without .py."""
    files = sorted(EXAMPLES.glob("*.py"))
    return [f.stem for f in files if f.read_text(encoding="utf-8").startswith("# %% [markdown]")]


def notebook_of(name: str) -> Any:
    """Return the notebook of an example, without outputs; the same one each time."""
    import jupytext
    from nbformat.v4 import new_code_cell

    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    cells = TITLE.sub("# %%\n# ", PICTURE.sub(SHOWN, source))
    notebook = jupytext.reads(cells, fmt="py:percent")
    looks_beside = any(sign in source for sign in ("__file__", "from museum", "from gallery"))
    first = FIRST + (BESIDE if looks_beside else "")
    notebook.cells.insert(1, new_code_cell(first.format(name=f"{name}.py").rstrip()))
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", {}  # jupytext would draw an id at random
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def run(notebook: Any, name: str) -> None:
    """Run the cells in this folder, and keep what they print and draw in the notebook."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    client = NotebookClient(notebook, timeout=None, kernel_name="python3", record_timing=False)
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{name}.py ended with {error.ename}: {error.evalue}")


def write(notebook: Any, file: Path) -> None:
    """Write a notebook into a file, and make its folder if need be."""
    import nbformat

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(nbformat.writes(notebook), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make notebooks of the examples.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="the examples; all if none")
    parser.add_argument("--run", action="store_true", help="run them, which may take minutes")
    options = parser.parse_args()
    names = [name.removesuffix(".py") for name in options.names] or examples()
    if unknown := set(names) - set(examples()):
        sys.exit(f"there is no example {min(unknown)}, expected one of {', '.join(examples())}")
    folder = Path(os.environ.pop("OUT", "runs/notebooks"))  # the programs have an OUT of their own
    for name in names:
        notebook = notebook_of(name)
        if options.run:
            run(notebook, name)
        write(notebook, folder / f"{name}.ipynb")
        print(f"notebook: {folder / name}.ipynb")


if __name__ == "__main__":
    main()
