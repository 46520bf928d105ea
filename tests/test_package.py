"""The package as a whole: what it exports, what importing it costs, how long its core is."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minigan as mg

PACKAGE = Path(mg.__file__).parent
ROOT = Path(__file__).parent.parent
PUBLIC = """Linear ReLU LeakyReLU Tanh Sigmoid BatchNorm1d Layer Sequential bce bce_with_logits
Adam GAN StepResult generator discriminator check_gradients get_backend load_mnist
from_torchvision Trainer TrainConfig trace __version__""".split()


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
    for name in set(PUBLIC) - set(MATHEMATICS) - {"__version__", "StepResult"}:
        assert re.search(SAYS["errors"], inspect.getdoc(getattr(mg, name)) or ""), name


def test_version() -> None:
    try:
        assert importlib.metadata.version("minigan") == mg.__version__
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("minigan runs from its source, it is not installed")


def test_import_loads_numpy_and_nothing_heavier() -> None:
    heavy = ("matplotlib", "PIL", "tqdm", "tyro", "threadpoolctl", "cupy", "torch", "scipy")
    code = f"import sys, minigan; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_the_core_reads_in_one_sitting() -> None:
    core = ["layers", "network", "losses", "optim", "gan"]
    lines = {name: len((PACKAGE / f"{name}.py").read_text().splitlines()) for name in core}
    assert sum(lines.values()) <= 685, lines
    assert len((PACKAGE / "batch_norm.py").read_text().splitlines()) <= 150


@pytest.mark.parametrize("name", ["layers", "network", "losses", "optim", "gan", "batch_norm"])
def test_the_core_depends_on_numpy_alone(name: str) -> None:
    source = (PACKAGE / f"{name}.py").read_text()
    imports = re.findall(r"^(?:from|import) ([\w.]+)", source, re.MULTILINE)
    allowed = {"numpy", "minigan", "__future__", *sys.stdlib_module_names}
    assert {module.split(".")[0] for module in imports} <= allowed
    assert not {"minigan.data", "minigan.training", "minigan.cli", "minigan.plotting"} & set(
        imports
    )


def test_nothing_is_unpickled() -> None:
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text()
        assert not re.search(r"import pickle|allow_pickle=True|np\.load\(", source), file
