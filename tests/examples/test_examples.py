"""The examples run and do what they say."""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from helpers.example_files import EXAMPLES, ROOT, load_example, run_example
from helpers.narrow import narrow_networks
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

import minigan as mg
from minigan import load_mnist
from minigan.backend import Array
from minigan.data import pixel_values
from minigan.data.mnist import Images
from minigan.gradcheck import check_r1
from minigan.machine.blas import limited_threads
from minigan.metrics import load_classifier
from minigan.training import draw_samples, draw_truncated, draw_z, great_circles, read_model


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
    source = (EXAMPLES / "xor.py").read_text(encoding="utf-8")
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
        assert isinstance(film, GifImageFile)
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
    verdicts = re.findall(r"^(\S.*?) +(PASS|FAIL|NOT RESOLVED)  worst entry", printed, re.MULTILINE)
    assert verdicts == [
        ("Softplus", "PASS"),
        ("WrongSoftplus", "FAIL"),
        ("TwiceSoftplus", "PASS"),
        ("new dice", "NOT RESOLVED"),
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


def line(a: Any, b: Any, t: Any) -> Any:
    """A path of images, which is straight in every pixel."""
    return ((1 - t) * a + t * b).astype("float32")


def test_style(
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    narrow_networks(monkeypatch)
    monkeypatch.delenv("RUN", raising=False)
    settings = {"DATA": str(tiny_data), "EPOCHS": "5", "SAMPLES": "60"}
    module = loaded("style.py", tmp_path, monkeypatch, **settings)
    printed = capsys.readouterr().out
    assert "Epoch [5/5]" in printed
    sizes = {
        "mixing": (740, 570), "truncation": (1100, 490), "noise": (820, 440), "walks": (840, 580),
    }  # fmt: skip
    for name, size in sizes.items():
        assert f"picture: {tmp_path / name}.png\n" in printed
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size == pytest.approx(size, abs=1)  # Matplotlib rounds as it likes
            assert np.asarray(picture).std() > 10

    G, table, walks = module.G, module.table, module.walks
    close = functools.partial(np.testing.assert_allclose, atol=1e-5)  # the batches differ

    # Mixing: left and above are the truncated images of 15 latent points with one noise.
    rng = np.random.default_rng(0)
    x0, z = draw_z(rng, 1, G.n_in), draw_z(rng, 15, G.n_z)
    x = np.concatenate([z, x0[:, G.n_z :].repeat(15, axis=0)], axis=1)
    sources = draw_truncated(G, x, 0.7)
    close(np.concatenate([table[1:, 0], table[0, 1:]]), sources)
    w = module.towards_the_mean(G.styles(z))
    one, other = w[1:2], w[10:11]  # second on the left, fifth above
    close(table[2, 5], G.images([one, one, one, other], x0)[0])
    mixed = module.mixtures(w, w)
    close(mixed[np.arange(15), np.arange(15)], sources)  # with itself a style is not mixed
    swapped = mixed.swapaxes(0, 1)
    assert np.abs(mixed - swapped).max() > 1e-3
    for other in (sources, sources[:, None]):
        assert np.abs(mixed - other).max() > 1e-3
    shares = re.findall(r"show the digit of their (\w+) style: \d+%\n", printed)
    assert shares == ["coarse", "fine"]

    # Truncation: psi = 1 is none.
    assert module.psis[5] == 1
    close(module.truncated[5], draw_samples(G, module.points))
    assert np.abs(module.truncated[4] - module.truncated[5]).max() > 1e-3
    spreads = [images.std(axis=0).mean() for images in module.truncated]
    assert spreads == sorted(spreads)
    assert len(module.figures) == len(module.psis) == 7
    assert all(0 <= figure <= 1 for pair in module.figures for figure in pair)

    # Noise: one row has one style.
    assert module.noisy.shape == (5, 100, 784)
    for i, j in ((0, 0), (4, 7)):
        close(module.noisy[i, j], G.images([module.w[i][None]] * 4, module.x[j][None])[0])
    close(module.deviation[3], module.noisy[3].std(axis=0))
    assert module.deviation.min() > 0

    # Walks: both have the same ends, and that in z is the library's.
    close(walks[::2, [0, -1]], walks[1::2, [0, -1]])
    assert np.abs(walks[::2] - walks[1::2]).max() > 1e-3
    a, b = np.random.default_rng(1).standard_normal((2, 1, G.n_z)).astype("float32")
    eighths = np.arange(8)[:, None] / 8
    corners = np.random.default_rng(1).standard_normal((2, G.n_z))
    on_circle = great_circles(corners)(eighths[:, 0]).astype("float32")
    w = G.styles(on_circle)
    close(module.in_z(a, b, eighths), module.image(w, w))
    half = (G.styles(a) + G.styles(b)) / 2
    close(module.in_w(a, b, np.full((1, 1), 0.5)), module.image(half, half))
    lengths = f"path length: {module.length_z:.0f} in z, {module.length_w:.0f} in w\n"
    assert lengths in printed
    assert module.length_z > module.length_w > 0

    # The length of a path is that of its slope, here by the chain rule.
    a, b = pixel_values(load_mnist("test")[0][:100].reshape(2, 50, 784))
    t = np.random.default_rng(2).random((50, 1))
    x, slope = line(a, b, t), b - a
    for layer in module.classifier.layers[:4]:
        slope = slope @ layer.W if isinstance(layer, mg.Linear) else slope * (x > 0)
        x = layer(x)
    length = module.path_length(line, a, b, t)
    assert length == pytest.approx((slope**2).sum(axis=1).mean(), rel=0.01)

    # The run is taken again.
    loaded("style.py", tmp_path, monkeypatch, **settings)
    again = capsys.readouterr().out
    assert "Epoch" not in again
    assert again == printed[printed.index("run: ") :]


def test_an_example_that_ends_with_an_error_leaves_the_path_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(sys.path)
    with pytest.raises(SystemExit, match="SAMPLES=9"):
        loaded("style.py", tmp_path, monkeypatch, SAMPLES="9")
    assert sys.path == before


def test_style_needs_styles(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow_networks(monkeypatch)
    run, out = tmp_path / "plain", tmp_path / "out"
    mg.Trainer(mg.TrainConfig(epochs=1, data=str(tiny_data), out=str(run))).run()
    for settings, message in (
        ({"RUN": str(run)}, f"{run} has the recipe averaged, which has no styles"),
        ({"RUN": str(tmp_path / "none")}, str(tmp_path / "none")),
        ({"SAMPLES": "9"}, "SAMPLES=9, expected at least 10"),
        ({"DATA": str(tmp_path / "no")}, f"data folder {tmp_path / 'no'} does not exist"),
    ):
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as caught:
            loaded("style.py", out, patch, **settings)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not out.exists()


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
    example = (EXAMPLES / "own_layer.py").read_text(encoding="utf-8")
    assert list(classes(example)) == [
        "Softplus", "WrongSoftplus", "TwiceSoftplus", "Dropout", "SameDice", "DrawsAgain",
    ]  # fmt: skip
    shown = classes("\n".join(blocks))
    same = {name: code for name, code in shown.items() if name in classes(example)}
    assert same == classes(example)  # the page has more of them, which it checks by itself


def test_the_networks_of_ones_own_that_a_user_starts_from() -> None:
    """Their rules are right, those of the penalty too; the mask of each call is another one."""
    made = read_model(EXAMPLES / "my_gan.py")
    rng = np.random.default_rng(0)
    assert made.networks.generator is not None
    G = made.networks.generator(4, 6, seed=rng, dtype="float64")
    assert mg.check_gradients(G, rng.standard_normal((5, 4)), max_entries=300).passed

    class SameDice(made.layers["Dropout"]):  # type: ignore[misc, name-defined]
        def forward(self, x: Array) -> tuple[Array, Array]:
            self.calls[...] = 3
            result: tuple[Array, Array] = super().forward(x)
            return result

    x = rng.standard_normal((4, 7))
    D = mg.Sequential(mg.Linear(7, 9), SameDice(0.3, 1), mg.Linear(9, 1), seed=0, dtype="float64")
    assert mg.check_gradients(D, x).verdict == "PASS"
    assert check_r1(D, x).verdict == "PASS"

    once = made.layers["Dropout"](0.3, 1)
    once.allocate(dtype="float64")
    masks = [once.forward(np.ones((50, 40)))[1] for _ in range(2)]
    assert (masks[0] != masks[1]).any()
    assert np.mean(masks) == pytest.approx(1, abs=0.05)  # of 4,000 factors: 7 standard deviations
    assert once.calls == 2


def test_the_gallery_has_every_example_and_its_picture() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for script in (EXAMPLES).glob("*.py"):
        if script.read_text(encoding="utf-8").startswith("# %% [markdown]"):
            assert f"[{script.name}]({script.name})" in text, script.name
    for name in ("xor.png", "gan_2d.gif", "mnist_gan.png", "digit_classifier.png", "own_layer.png"):
        assert f"(../docs/images/{name})" in text, name
        size = (ROOT / "docs" / "images" / name).stat().st_size
        assert size < (1_500_000 if name.endswith(".gif") else 200_000), name


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of MNIST only the first 4000 images to train with, and 1000 to test."""

    def load(split: Literal["train", "test"]) -> tuple[Images, Images]:
        images, labels = load_mnist(split)
        n = {"train": 4000, "test": 1000}[split]
        return images[:n], labels[:n]

    monkeypatch.setattr(mg, "load_mnist", load)


@pytest.mark.usefixtures("few_images")
def test_mnist_gan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded("mnist_gan.py", tmp_path, monkeypatch, EPOCHS="1", BATCH_SIZE="200")
    out = capsys.readouterr().out
    assert re.search(r"Epoch \[1/1\], d_loss: \d\.\d{4}, g_loss: \d\.\d{4}, ", out)
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert np.asarray(picture).std() > 10


@pytest.mark.usefixtures("few_images")
def test_conditional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = loaded("conditional.py", tmp_path, monkeypatch, EPOCHS="1", BATCH_SIZE="200")
    out = capsys.readouterr().out
    assert re.search(r"Epoch \[1/1\]  d_loss \d\.\d{4}  .* read in \d+\.\d%  ", out)
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert picture.size == (604, 604)  # ten digits and the gaps between them, twice as large
        assert np.asarray(picture).std() > 10

    # A row for each z, a column for each digit.
    z, digits = module.shown[:, :100].reshape(10, 10, 100), module.shown[:, 100:]
    assert (z == z[:, :1]).all()
    assert len(np.unique(z[:, 0], axis=0)) == 10
    np.testing.assert_array_equal(digits, np.tile(np.eye(10), (10, 1)))

    # G in training wanders, and its average does not: they are two networks.
    assert module.step == 20
    assert (module.average.params != module.G.params).any()

    # Real digits, in the place of those that were asked for, are read.
    test_images, test_labels = mg.load_mnist("test")
    first = [np.flatnonzero(test_labels == digit)[:80] for digit in range(10)]

    def real(told: Any, turn: int) -> Any:
        asked = (told[:, 100:].argmax(axis=1) + turn) % 10
        chosen = [first[digit][i % 80] for i, digit in enumerate(asked)]
        return pixel_values(test_images[chosen].reshape(-1, 784))

    monkeypatch.setattr(module, "average", lambda told: real(told, 0))
    assert module.share_read() > 0.95
    monkeypatch.setattr(module, "average", lambda told: real(told, 1))  # the next digit each time
    assert module.share_read() < 0.05


@pytest.mark.usefixtures("few_images")
def test_digit_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "classifier.npz"
    loaded("digit_classifier.py", out, monkeypatch, EPOCHS="1", BATCH_SIZE="40")
    text = capsys.readouterr().out
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
