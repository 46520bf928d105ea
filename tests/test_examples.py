"""The examples run and do what they say."""

from __future__ import annotations

import ast
import csv
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minigan as mg
from minigan.backend.cupy_backend import why_unavailable
from minigan.blas import limited_threads
from minigan.checkpoint import save_checkpoint
from minigan.metrics import load_classifier

ROOT = Path(__file__).parent.parent


def run_example(name: str, *args: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *args],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_xor(tmp_path: Path) -> None:
    lines = run_example("xor.py", OUT=str(tmp_path)).splitlines()
    table = dict(line.split(" = ") for line in lines if " xor " in line)
    assert {key: round(float(p)) for key, p in table.items()} == {
        "0 xor 0": 0,
        "0 xor 1": 1,
        "1 xor 0": 1,
        "1 xor 1": 0,
    }
    assert lines[-2].startswith("PASS")
    with Image.open(tmp_path / "xor.png") as picture:
        assert np.asarray(picture).std() > 10
    source = (ROOT / "examples" / "xor.py").read_text(encoding="utf-8")
    learning, picture_part = source.split("# %% [markdown]\n# ## The picture\n")
    code = learning.splitlines()
    assert len([line for line in code if line and not line.startswith("#")]) <= 25
    assert "forward" not in picture_part  # all of backprop is in the part that is counted
    assert "step" not in picture_part


def loaded(name: str, out: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Any:
    """The example, run in this process with these settings, as a module."""
    for key, value in (environment | {"OUT": str(out)}).items():
        monkeypatch.setenv(key, value)
    with limited_threads(1):  # and afterwards as many as before, whatever the example sets
        return load_example(name)


def test_gan_2d_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded("gan_2d.py", tmp_path, monkeypatch, STEPS="12")
    assert {0, 1, 12} <= module.frame_steps <= set(range(13))
    with Image.open(tmp_path / "gan_2d.gif") as film, Image.open(tmp_path / "gan_2d.png") as still:
        assert film.n_frames == len(module.frame_steps)
        assert film.size == still.size == (540, 520)
        film.seek(film.n_frames - 1)
        last, whole = (np.asarray(image.convert("RGB"), float) for image in (film, still))
        assert np.abs(last - whole).mean() < 5  # of 255: the palette keeps the colours
        film.seek(0)
        assert np.abs(np.asarray(film.convert("RGB"), float) - whole).mean() > 5

    # An arrow is minus the slope of g_loss at its point.
    x = module.G(module.shown_z[:6]).astype("float64")
    D = mg.Sequential(
        mg.Linear(2, 64), mg.Tanh(), mg.Linear(64, 64), mg.Tanh(), mg.Linear(64, 1), mg.Sigmoid(),
        dtype="float64",
    )  # fmt: skip
    D.params[:] = module.D.params
    slopes = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        nudge = np.zeros_like(x)
        nudge[index] = 1e-5
        plus, minus = (float(mg.bce(D(moved), 1.0)[0]) for moved in (x + nudge, x - nudge))
        slopes[index] = (plus - minus) / 2e-5
    assert np.abs(slopes).max() > 1e-3
    arrows = module.push(x.astype("float32"))  # in float32, hence the tolerance
    np.testing.assert_allclose(arrows, -slopes, atol=1e-4 * np.abs(slopes).max())


def test_gan_2d_finds_all_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded("gan_2d.py", tmp_path, monkeypatch, STEPS="1")
    rng = np.random.default_rng(0)
    assert module.quality(np.zeros((80, 2))) == (0, 0)
    assert module.quality(np.repeat(module.modes, 10, axis=0)) == (8, 1)
    assert module.quality(np.repeat(module.modes[:3], [10, 89, 1], axis=0)) == (2, 1)
    covered, near = module.quality(module.ring(10_000, rng))
    assert covered == 8
    assert near == pytest.approx(1 - np.exp(-(3**2) / 2), abs=0.005)  # in the plane: 98.9 %

    with limited_threads(1):
        for _ in range(1000):  # of the example's 3000: there all eight, and 93 % near
            module.gan.train_step(module.ring(128, rng), module.normal(128, rng))
    covered, near = module.quality(module.G(module.normal(2000, rng)))
    assert covered >= 7
    assert near > 0.5


def test_own_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = loaded("own_layer.py", tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    verdicts = re.findall(r"^(\S.*?) +(PASS|FAIL)  worst entry x", printed, re.MULTILINE)
    assert verdicts == [
        ("Softplus", "PASS"),
        ("WrongSoftplus", "FAIL"),
        ("new dice", "FAIL"),
        ("same dice", "PASS"),
        ("drawn again", "FAIL"),
        ("after training", "PASS"),
    ]
    eighths, share = re.findall(r"step 1000 .* circle (\d)  points near it (\d+)%", printed)[0]
    assert int(eighths) >= 7  # with seeds 0 to 4: 8, and 97 to 100 %
    assert int(share) > 80
    with Image.open(tmp_path / "own_layer.png") as picture:
        assert np.asarray(picture).std() > 10

    ends = np.array([[-200, 0, 200]], dtype="float32")
    y, cache = module.Softplus().forward(ends)
    dx = module.Softplus().backward(np.ones_like(y), cache)
    assert y.dtype == dx.dtype == "float32"
    np.testing.assert_allclose(y, [[0, np.log(2), 200]], rtol=1e-6)
    np.testing.assert_allclose(dx, [[0, 0.5, 1]], rtol=1e-6)


def test_the_mask_of_dropout_is_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded("own_layer.py", tmp_path, monkeypatch, STEPS="0")
    layer = module.Dropout(0.25, np.random.default_rng(0))
    x = np.ones((200, 100), dtype="float32")
    (y, cache), (other, _) = layer.forward(x), layer.forward(x)  # two batches on their way
    assert (y != other).any()
    np.testing.assert_array_equal(layer.backward(x, cache), y)  # dx = dy · mask, with x = dy = 1
    assert y.dtype == "float32"
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.02)  # σ = √(1/3 / 20,000) = 0.004
    y, cache = layer.evaluate(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(2 * x, cache), 2 * x)


def classes(source: str) -> dict[str, str]:
    """The classes of some source, each without its annotations."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef):
                    part.returns = None
                elif isinstance(part, ast.arg):
                    part.annotation = None
            found[node.name] = ast.unparse(node)
    return found


def test_the_chapter_has_the_layers_of_the_example() -> None:
    page = (ROOT / "docs" / "your-own-layer.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    example = (ROOT / "examples" / "own_layer.py").read_text(encoding="utf-8")
    assert list(classes(example)) == [
        "Softplus", "WrongSoftplus", "Dropout", "SameDice", "DrawsAgain",
    ]  # fmt: skip
    assert classes("\n".join(blocks)) == classes(example)


def test_the_gallery_has_every_example_and_its_picture() -> None:
    text = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for script in (ROOT / "examples").glob("*.py"):
        if script.read_text(encoding="utf-8").startswith("# %% [markdown]"):
            assert f"[{script.name}]({script.name})" in text, script.name
    for name in ("xor.png", "gan_2d.gif", "mnist_gan.png", "digit_classifier.png", "own_layer.png"):
        assert f"(../docs/images/{name})" in text, name
        size = (ROOT / "docs" / "images" / name).stat().st_size
        assert size < (1_500_000 if name.endswith(".gif") else 200_000), name


def test_mnist_gan(tmp_path: Path) -> None:
    out = run_example("mnist_gan.py", EPOCHS="1", BATCH_SIZE="2000", OUT=str(tmp_path))
    assert re.search(r"Epoch \[1/1\]  d_loss \d\.\d{4}  g_loss \d\.\d{4}", out)
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert np.asarray(picture).std() > 10


def test_digit_classifier(tmp_path: Path) -> None:
    out = tmp_path / "classifier.npz"
    text = run_example("digit_classifier.py", EPOCHS="1", BATCH_SIZE="500", OUT=str(out))
    (accuracy,) = re.findall(r"Epoch \[1/1\]  loss \d\.\d{4}  test accuracy (\d\.\d{4})", text)
    assert float(accuracy) > 0.6  # 98.4 % after all twenty
    assert load_classifier(out).params.any()
    with Image.open(out.with_suffix(".png")) as picture:
        assert np.asarray(picture).std() > 10


def test_digit_classifier_draws_the_shipped_one(tmp_path: Path) -> None:
    out = tmp_path / "classifier.npz"
    text = run_example("digit_classifier.py", EPOCHS="0", OUT=str(out))
    assert text == f"picture: {out.with_suffix('.png')}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["classifier.png"]


def test_collapse(tmp_path: Path) -> None:
    out = tmp_path / "collapse.csv"
    text = run_example("collapse.py", VARIANT="leaky-g", EPOCHS="2", STEPS="3", OUT=str(out))
    assert text.count("leaky-g [") == 2
    rows = np.loadtxt(out, delimiter=",", skiprows=1)
    assert rows[:, 0].tolist() == [1, 2]
    assert np.isfinite(rows).all()
    header = out.read_text().splitlines()[0].split(",")
    by_name = dict(zip(header, rows.T, strict=True))
    assert (by_name["alive_3"] > 0.5).all()
    assert ((by_name["through_tanh"] > 0) & (by_name["through_tanh"] <= 1)).all()


def test_variants_of_collapse_have_names() -> None:
    command = [sys.executable, str(ROOT / "examples" / "collapse.py")]
    result = subprocess.run(
        command, env=os.environ | {"VARIANT": "wgan"}, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "VARIANT is 'wgan', expected one of tutorial, batch-norm" in result.stderr


def test_collapse_with_another_recipes_networks(tmp_path: Path) -> None:
    start = tmp_path / "start.npz"
    G = mg.generator(batch_norm=True)
    save_checkpoint(start, {"generator": G.params, "discriminator": mg.discriminator().params}, {})
    for settings, message in (
        ({"START": str(start)}, f"START={start} is of another recipe, expected the tutorial's"),
        ({"VARIANT": "batch-norm", "SAVE": "x.npz"}, "SAVE keeps the tutorial's networks"),
    ):
        command = [sys.executable, str(ROOT / "examples" / "collapse.py")]
        result = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_compare_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which runs it trains and measures, and what it writes of them."""
    module = load_example("compare_recipes.py")
    page = tmp_path / "is-it-working.md"
    page.write_text("before\n<!-- recipes -->\nold\n<!-- end of recipes -->\nafter\n")
    trained, figures = [], dict.fromkeys(module.COLUMNS[3:], 0.5)

    def train(folder: Path, recipe: str, lr: float | None, seed: int, epochs: int) -> str:
        trained.append((folder.name, epochs))
        return "diverged" if seed == 3 else ""

    def measure(evaluation: None, folder: Path) -> dict[str, float]:
        collapsed = folder.name == "tutorial-2"
        return figures | {"classes": 1 if collapsed else 10, "ndb": int(folder.name[-1])}

    for name, value in (
        ("DOCS", tmp_path), ("Evaluation", lambda: None), ("train", train), ("measure", measure),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    options = module.Options(recipes=("tutorial", "batch-norm"), seeds=(1, 3), epochs=(20,))
    module.main(options)
    assert sorted(trained) == [
        (f"{r}-{s}", 20) for r in ("batch-norm", "tutorial") for s in (1, 2, 3)
    ]
    rows = (tmp_path / "recipes.csv").read_text().splitlines()
    assert rows[0].split(",") == module.COLUMNS
    assert len(rows) == 1 + 4  # seed 3 came to no end
    text = page.read_text()
    assert text.startswith("before\n<!-- recipes -->\n")
    assert text.endswith("<!-- end of recipes -->\nafter\n")
    assert "| batch-norm | 20 | 2 | 0 | 10 | 2 (1 to 2) |" in text
    assert "| tutorial | 20 | 2 | 1 | 1 | 2 (1 to 2) |" in text  # one of two collapsed
    trained.clear()
    module.main(options)  # again: only what is missing
    assert {name for name, _ in trained} == {"tutorial-3", "batch-norm-3"}
    options.lr, options.seeds = 0.001, (1, 1)
    module.main(options)
    assert "| tutorial lr 0.001 | 20 | 1 | 0 | 10 |" in page.read_text()


def test_the_table_of_recipes_is_that_of_its_csv() -> None:
    module = load_example("compare_recipes.py")
    with (ROOT / "docs" / "recipes.csv").open(newline="") as file:
        table = module.table(list(csv.DictReader(file)))
    assert table in (ROOT / "docs" / "is-it-working.md").read_text()


QUICK = ("--rounds", "1", "--batch-sizes", "16", "--seconds", "0", "--no-epochs")


def test_benchmark_without_its_rivals(tmp_path: Path) -> None:
    for rival in ("torch", "jax"):  # not installed, whatever is
        (tmp_path / f"{rival}.py").write_text("raise ModuleNotFoundError('hidden')")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmark -->\nold\n<!-- end of benchmark -->\nafter\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    out = run_example("benchmark_vs_pytorch.py", *QUICK, "--write", str(page), PYTHONPATH=path)
    assert "minigan without Numba            losses of 10 steps differ by at most 0e+00" in out
    text = page.read_text()
    assert text.startswith("before\n<!-- benchmark -->\n\n")
    assert text.endswith("\n\n<!-- end of benchmark -->\nafter\n")
    assert "old" not in text
    assert "### A step of 16 images" in text
    assert re.search(r"\| minigan \| \d+\.\d \| 1\.00 \|", text)
    assert re.search(r"\| minigan without Numba \| \d+\.\d \| \d+\.\d\d \(", text)
    for name in ("JAX, one jit", "PyTorch tuned, eager", "the tutorial's PyTorch step"):
        assert f"{name} takes no part: ModuleNotFoundError: hidden" in text


@pytest.mark.torch
def test_benchmark_with_pytorch() -> None:
    pytest.importorskip("torch")
    out = run_example("benchmark_vs_pytorch.py", *QUICK)
    assert "takes no part" not in out.replace("JAX, one jit takes no part", "")
    for name in ("PyTorch tuned, eager", "the tutorial's PyTorch step"):
        (off,) = re.findall(rf"{name} +losses of 10 steps differ by at most (\S+)", out)
        assert float(off) < 1e-5
        assert re.search(rf"\| {name} \| \d+\.\d \| \d+\.\d\d \(", out)
    assert "import torch alone" in out


def test_benchmark_on_a_machine_without_a_gpu() -> None:
    if why_unavailable() is None:
        pytest.skip("there is a GPU")
    script = ROOT / "examples" / "benchmark_vs_pytorch.py"
    command = [sys.executable, str(script), "--device", "cuda"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("backend 'cupy' cannot be used: ")
    assert len(result.stderr.splitlines()) == 1


def test_ratios_are_of_one_round_and_their_median_counts() -> None:
    example = load_example("benchmark_vs_pytorch.py")
    times = {"ours": [1.0, 10.0, 2.0], "rival": [2.0, 10.0, 8.0]}  # medians 2 and 8: 4, if divided
    assert example.comparison(times, ["ours"]) == [
        "| | ms | / ours |",
        "|---|---:|---:|",
        "| ours | 2.0 | 1.00 |",
        "| rival | 8.0 | 2.00 (1.00 to 4.00) |",
    ]


def test_a_contestant_that_trains_something_else_ends_the_benchmark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = load_example("benchmark_vs_pytorch.py")
    losses = iter([[(1.4, 0.7)], [(1.4, 0.7001)]])
    answers = {
        "ask": lambda self, *request: (0.1, next(losses), 1.0, []),
        "start": lambda self: None,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(example.Contestant, name, answer)
    same = [example.Contestant("minigan", None), example.Contestant("rival", None)]
    assert example.admit(same) == (same, [])
    losses = iter([[(1.4, 0.7)], [(1.4, 0.71)]])
    with pytest.raises(SystemExit, match="rival does not train the same GAN"):
        example.admit(same)


def load_example(name: str) -> Any:
    sys.path.insert(0, str(ROOT / "examples"))  # where a script finds its neighbours
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / "examples" / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their own module up
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "examples"))
    return module
