"""A generator as a graph of ONNX draws what minigan draws."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.exchange import export_run
from minigan.exchange.onnx_file import onnx_bytes
from minigan.models import style_generator
from minigan.training import stored_generator

missing = find_spec("onnx") is None or find_spec("onnxruntime") is None
pytestmark = [
    pytest.mark.torch,  # the step of the checks that installs such libraries
    pytest.mark.skipif(missing, reason="onnx and onnxruntime are not installed"),
]
if not missing:
    import onnx
    import onnxruntime


def drawn(file: Path, z: Array) -> Array:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (images,) = session.run(["images"], {"z": z.astype(np.float32)})
    return np.asarray(images)


def latent(net: mg.Sequential, n: int = 1000) -> Array:
    return np.random.default_rng(0).standard_normal((n, net.n_in or 0)).astype("float32")


@pytest.mark.parametrize(
    "recipe", ["averaged", "batch-norm", "conditional", "least-squares", "style", "tutorial"]
)
def test_a_graph_draws_the_same_images(recipe: str, train: Any) -> None:
    """Both compute in float32, and add in another order: some 1e-7 for each of a few layers."""
    folder = train(recipe).folder
    export, files = export_run(folder, "onnx")
    assert files == ["generator.onnx"]
    assert sorted(file.name for file in export.iterdir()) == ["README.md", "generator.onnx"]
    net = stored_generator(folder / "checkpoint.npz").net
    z = latent(net)
    assert np.abs(drawn(export / "generator.onnx", z) - net(z)).max() <= 1e-5
    assert drawn(export / "generator.onnx", z[:1]).shape == (1, 784)  # any number of rows


def test_the_shipped_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    folder, _ = export_run(to="onnx")
    assert folder == Path("runs", "export_onnx")
    net = mg.load_generator()
    z = latent(net)
    assert np.abs(drawn(folder / "generator.onnx", z) - net(z)).max() <= 1e-5


def test_styles_and_noise_are_heard(tmp_path: Path) -> None:
    """The strengths of the noise begin at 0: here they are drawn, like all else."""
    net = style_generator(7, seed=0)
    net.params[...] += 0.1 * np.random.default_rng(1).standard_normal(net.params.size)
    (tmp_path / "net.onnx").write_bytes(onnx_bytes(net, {}))
    z = latent(net)
    there = drawn(tmp_path / "net.onnx", z)
    assert np.abs(there - net(z)).max() <= 1e-5
    z[:, -512:] += 1  # noise of the last layer: some of its units are off
    assert np.abs(drawn(tmp_path / "net.onnx", z) - there).max() > 1e-3


def test_every_layer_in_float64_too(tmp_path: Path) -> None:
    net = mg.Sequential(
        mg.Linear(5, 4), mg.BatchNorm1d(4, eps=0.1), mg.LeakyReLU(0.3), mg.Linear(4, 3), mg.ReLU(),
        mg.Linear(3, 2), mg.Sigmoid(), seed=0, dtype="float64",
    )  # fmt: skip
    net.forward(np.random.default_rng(0).standard_normal((50, 5)))
    (tmp_path / "net.onnx").write_bytes(onnx_bytes(net, {}))
    z = latent(net)
    assert np.abs(drawn(tmp_path / "net.onnx", z) - net(z.astype("float64"))).max() <= 1e-5


def test_the_file_says_where_it_comes_from(train: Any, tiny_data: Path) -> None:
    export, _ = export_run(train("conditional").folder, "onnx")
    model = onnx.load(export / "generator.onnx")
    notes = json.loads({p.key: p.value for p in model.metadata_props}["minigan"])
    assert notes["config"]["recipe"] == "conditional"
    assert notes["classes"] == list(range(10))
    assert str(tiny_data.parent).encode() not in (export / "generator.onnx").read_bytes()
    text = (export / "README.md").read_text()
    assert "of 100 numbers from N(0, 1), and the one-hot vector of a class beside them: 10" in text
    names: dict[str, Any] = {}
    code = text.split("```python\n")[1].split("```")[0]
    exec(code.replace('"generator.onnx"', repr(str(export / "generator.onnx"))), names)
    assert names["images"].shape == (64, 784)


class Swish(mg.Layer):
    pass


def test_layers_without_a_form() -> None:
    with pytest.raises(mg.InputError, match=r"the layer Swish\(\) has no form in ONNX"):
        onnx_bytes(mg.Sequential(mg.Linear(2, 3), Swish()), {})
