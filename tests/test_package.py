"""The package as a whole: what it exports, what importing it costs, how long its core is."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest

import minigan as mg

PACKAGE = Path(mg.__file__).parent
ROOT = Path(__file__).parent.parent
PUBLIC = """Linear ReLU LeakyReLU Tanh Sigmoid BatchNorm1d Layer Sequential bce bce_with_logits
Adam GAN StepResult generator discriminator check_gradients get_backend load_mnist
from_torchvision Trainer TrainConfig trace load_generator InputError GradientReport r1 mse
load save_grid
load_images __version__""".split()


def test_public_names() -> None:
    assert sorted(mg.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        value = getattr(mg, name)
        if name != "__version__":
            assert inspect.getdoc(value), name
    assert (PACKAGE / "py.typed").exists()


SAYS = {
    "equations": r"^\s*\S.*\s(=|←) ",
    "shapes": r"\([NB],|\bshape\b",
    "errors": r"\bRaises\b|else ValueError",
    "source": r"torch\.|et al|Kingma & Ba|tutorial|LeCun",
}
# What is not to be said: these raise nothing of their own, ...
SILENT = {
    "ReLU": {"errors"},
    "Tanh": {"errors"},
    "Sigmoid": {"errors"},
    "Layer": {"errors", "source", "shapes"},  # ... have none before a layer is one,
    "generator": {"equations"},  # ... are a row of layers,
    "discriminator": {"equations"},
    "check_gradients": {"source"},  # ... are the definition of the derivative.
    "trace": {"source"},
}
MATHEMATICS = """Linear ReLU LeakyReLU Tanh Sigmoid BatchNorm1d Layer Sequential bce
bce_with_logits Adam GAN generator discriminator check_gradients trace""".split()


def test_docstrings_give_equations_shapes_errors_and_source() -> None:
    lacking = {}
    for name in MATHEMATICS:
        text = inspect.getdoc(getattr(mg, name)) or ""
        if "errors as in ``bce``" in text:
            text += inspect.getdoc(mg.bce) or ""
        said = {what for what, form in SAYS.items() if re.search(form, text, re.MULTILINE)}
        lacking[name] = SAYS.keys() - said - SILENT.get(name, set())
    assert {name: what for name, what in lacking.items() if what} == {}
    for name in (
        set(PUBLIC)
        - set(MATHEMATICS)
        - {"__version__", "StepResult", "GradientReport", "InputError"}
    ):
        assert re.search(SAYS["errors"], inspect.getdoc(getattr(mg, name)) or ""), name


def test_version() -> None:
    try:
        assert importlib.metadata.version("minigan") == mg.__version__
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("minigan runs from its source, it is not installed")


def test_the_lowest_versions_are_those_that_are_tested() -> None:
    """``.ci/run lowest`` runs the tests on exactly the lower bounds of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    bounds = dict(
        line.split(">=")
        for line in (*project["dependencies"], *extras["fast"], *extras["test"])
        if not line.startswith("minigan")
    )
    pins = dict(
        line.split("==")
        for line in (ROOT / ".ci" / "lowest.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    assert pins.keys() == bounds.keys()
    for name, bound in bounds.items():
        assert pins[name].removesuffix(".0").removesuffix(".0") == bound.removesuffix(".0"), name


def test_import_loads_numpy_and_nothing_heavier() -> None:
    heavy: tuple[str, ...] = (
        "matplotlib",
        "PIL",
        "tqdm",
        "tyro",
        "threadpoolctl",
        "cupy",
        "torch",
        "scipy",
    )
    heavy += ("safetensors", "onnx", "onnxruntime", "minigan.exchange")
    code = f"import sys, minigan; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


# Lines of code, without docstrings, comments and blank lines: an explanation costs nothing.
CAPS = {"layers": 115, "activations": 65, "batch_norm": 94, "network": 163, "losses": 48}
CAPS |= {"optim": 54, "models": 61, "penalty": 56, "conditional": 24, "gan": 134}
CAPS |= {"style": 94, "styled": 92}


def code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code."""
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (*layout, tokenize.ENDMARKER):
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            first = node.body[0]
            lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def test_code_lines_are_counted_without_words() -> None:
    source = (
        '"""Says."""\n\n# why\ndef f() -> int:\n    """Says\n    more."""\n    return 1  # here\n'
    )
    assert code_lines(source) == {4, 7}


@pytest.mark.parametrize("name", CAPS)
def test_the_core_reads_in_one_sitting(name: str) -> None:
    assert len(code_lines((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))) <= CAPS[name]


def test_the_mathematics_stands_alone_at_the_top() -> None:
    beside = {"__init__", "__main__", "errors"}
    assert {file.stem for file in PACKAGE.glob("*.py")} == CAPS.keys() | beside


def test_minigan_stands_on_numpy() -> None:
    """Other libraries are imported in the functions that need them: the command line, pictures."""
    for file in PACKAGE.rglob("*.py"):
        allowed = {"numpy", "minigan", *sys.stdlib_module_names}
        if file.parent.name == "cli":
            allowed.add("tyro")
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert {name.split(".")[0] for name in names} <= allowed, file


def test_nothing_is_unpickled() -> None:
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text()
        assert not re.search(r"import pickle|allow_pickle=True|np\.load\(", source), file
