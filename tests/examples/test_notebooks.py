"""The notebooks that are made of the examples, and a run within a notebook."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from helpers.example_files import EXAMPLES, ROOT, load_example

notebooks = load_example("notebooks.py")
PACKAGES = "jupytext", "nbclient", "nbformat", "ipykernel", "ipywidgets"
pytestmark = pytest.mark.skipif(
    any(find_spec(package) is None for package in PACKAGES),
    reason="the packages for notebooks are not installed: pip install '.[notebook]'",
)


def made(folder: Path, *args: str, **environment: str) -> list[Any]:
    """The notebooks that the program writes into a folder, run in a folder without anything."""
    import nbformat

    command = [sys.executable, str(EXAMPLES / "notebooks.py"), *args]
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env = os.environ | {"OUT": "books", "PYTHONPATH": path} | environment
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=env
    )
    assert result.returncode == 0, result.stderr
    found = [nbformat.read(file, 4) for file in sorted((folder / "books").glob("*.ipynb"))]
    for notebook in found:
        nbformat.validate(notebook)
    return found


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def printed(notebook: Any) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def pictures(notebook: Any) -> list[str]:
    kinds = [kind for output in outputs(notebook) for kind in output.get("data", {})]
    return [kind for kind in kinds if kind.startswith("image/")]


def test_each_example_has_a_notebook_without_outputs(tmp_path: Path) -> None:
    found = made(tmp_path)
    assert len(found) == len(notebooks.examples()) == 10
    for name, notebook in zip(notebooks.examples(), found, strict=True):
        assert notebook == notebooks.notebook_of(name)  # the same one each time
        assert outputs(notebook) == []
        assert notebook.cells[0].cell_type == "markdown"
        assert notebook.cells[0].source.startswith("# ")
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert "# %%" not in code
        shown = code.count("show_below(") - 1  # less its definition
        source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
        assert shown == source.count("picture: {")
        assert shown == (name != "bug_museum")
        without = "\n".join(line for line in code.splitlines() if "show_below(f" not in line)
        cells = ast.parse(without.partition("\n\n\n")[2]).body  # all that follows is the program's
        assert [ast.unparse(part) for part in ast.parse(source).body[-3:]] == [
            ast.unparse(part) for part in cells[-3:]
        ]


def test_a_notebook_that_is_run_shows_its_pictures(tmp_path: Path) -> None:
    scratch, xor = made(tmp_path, "xor", "from_scratch.py", "--run", STEPS="2")
    assert "1 xor 0 = 1.00" in printed(xor)
    assert "PASS" in printed(xor)
    assert pictures(xor) == pictures(scratch) == ["image/png"]
    assert (tmp_path / "runs" / "xor.png").is_file()  # as the program does


def test_a_run_in_a_notebook_has_a_bar_and_a_grid_that_grows(tiny_data: Path) -> None:
    import nbformat.v4 as nbf
    from nbclient import NotebookClient

    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import minigan as mg
from IPython.display import Image, display

def look(trainer):
    samples = trainer.folder / "samples"
    display(Image(filename=samples / f"epoch_{{trainer.history[-1].epoch:04d}}.png"))
    return trainer.history[-1].epoch == 2

config = mg.TrainConfig(
    recipe="tutorial", epochs=3, batch_size=100, threads=1, data={str(tiny_data)!r}
)
folder = mg.Trainer(config).run(on_epoch=look)
"""
    notebook = nbf.new_notebook(cells=[nbf.new_code_cell(code)])
    resources = {"metadata": {"path": str(tiny_data.parent)}}
    NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    assert "Epoch [2/3]" in printed(notebook)
    assert "Stopped after step 4; everything is saved." in printed(notebook)
    grid, *own = [
        out.data["image/png"] for out in outputs(notebook) if "image/png" in out.get("data", {})
    ]
    assert len(own) == 2
    assert grid == own[1] != own[0]  # the grid of the run grows in its place
    kinds = [kind for output in outputs(notebook) for kind in output.get("data", {})]
    assert kinds.count("application/vnd.jupyter.widget-view+json") == 1  # the bar
    assert [out.name for out in outputs(notebook) if out.output_type == "stream"].count(
        "stderr"
    ) == 0


@pytest.mark.parametrize(("args", "message"), [(["xyz"], "there is no example xyz, expected one")])
def test_a_name_that_is_none(args: list[str], message: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "notebooks.py"), *args]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_ends_with_an_error_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "notebooks.py"), "xor", "--run"]
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    (tmp_path / "minigan.py").write_text("raise ValueError('broken')")
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=env
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "xor.py ended with ValueError: broken"
    assert not (tmp_path / "runs").exists()
