"""The parts of the page, as Python prepares them: networks, directions, film, curves, measures."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.backend import Array
from minigan.report import (
    curves_of,
    film_of,
    measures_of,
    network_of,
    page_html,
    picture_of,
    principal_directions,
)
from minigan.report.film import FRAMES
from minigan.report.networks import packed_matrix
from minigan.training import save_grid


def unpacked(matrix: dict[str, str], columns: int) -> Array:
    whole = np.frombuffer(base64.b64decode(matrix["whole"]), "<i2").reshape(-1, columns)
    scale = np.frombuffer(base64.b64decode(matrix["scale"]), "<f4")
    return np.asarray(scale[:, None] * whole)


def test_a_matrix_keeps_sixteen_bits_of_each_row() -> None:
    rng = np.random.default_rng(0)
    W = rng.standard_normal((30, 20)).astype(np.float32) * 10.0 ** rng.integers(-6, 6, (30, 1))
    W[3] = 0
    errors = np.abs(unpacked(packed_matrix(W), 20) - W).max(axis=1)
    assert (errors <= np.abs(W).max(axis=1) / 32767 * 0.51).all()  # half a step, and rounding


def test_networks_name_their_layers() -> None:
    layers = network_of(mg.generator(10, batch_norm=True, seed=0))
    assert layers is not None
    kinds = [layer["kind"] for layer in layers]
    assert kinds == [*["Linear", "BatchNorm1d", "ReLU"] * 3, "Linear", "Tanh"]
    assert {"gamma", "beta", "running_mean", "running_var", "eps"} < layers[1].keys()


def test_a_network_that_the_page_cannot_compute_is_none() -> None:
    class Own(mg.Tanh):
        pass

    assert network_of(mg.Sequential(mg.Linear(3, 2), Own(), seed=0)) is None
    assert network_of(mg.Sequential(mg.Linear(2000, 3000), seed=0)) is None  # 6,003,000 numbers


def test_directions_are_those_that_change_images_most() -> None:
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    pixels, _ = np.linalg.qr(rng.standard_normal((50, 3)))
    strengths = np.array([5.0, 3.0, 1.0])

    def draw(z: Array) -> Array:  # three directions matter, and the first of them most
        return np.asarray(np.tanh(0.02 * (z @ turned[:, :3] * strengths) @ pixels.T))

    directions, shares = principal_directions(draw, 8, count=3)
    np.testing.assert_allclose(np.abs(directions @ turned[:, :3]), np.eye(3), atol=0.05)
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(shares, strengths**2 / 35, atol=0.05)


def test_directions_compare_images_of_one_class_only() -> None:
    def draw(z: Array) -> Array:
        classes = np.arange(len(z)) % 2
        return np.stack([z[:, 0], 100.0 * classes, 0 * classes], axis=1)

    directions, shares = principal_directions(draw, 2, count=1, groups=2)
    np.testing.assert_allclose(np.abs(directions), [[1, 0]], atol=0.01)
    assert shares[0] == pytest.approx(1)


def test_directions_of_a_collapsed_generator() -> None:
    directions, shares = principal_directions(lambda z: np.zeros((len(z), 6)), 4)
    assert np.isfinite(directions).all()
    assert shares == [0] * 4


def picture(file: Path, seed: int = 0, images: int = 1) -> Path:
    save_grid(file, np.random.default_rng(seed).random((images, 784)))
    return file


def test_the_film_is_thinned_and_keeps_both_ends(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png")
    frames = film_of([(f"epoch {i}", file) for i in range(1000)])
    assert len(frames) == FRAMES
    assert (frames[0]["words"], frames[-1]["words"]) == ("epoch 0", "epoch 999")


def test_the_film_keeps_to_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(f"epoch {i}", picture(tmp_path / f"{i}.png", i)) for i in range(10)]
    size = files[0][1].stat().st_size
    monkeypatch.setattr("minigan.report.film.BUDGET", 4 * size)
    words = [frame["words"] for frame in film_of(files)]
    assert words == ["epoch 1", "epoch 5", "epoch 9"]


def test_what_is_no_picture_is_left_out(tmp_path: Path) -> None:
    good, other = picture(tmp_path / "good.png"), picture(tmp_path / "other.png", images=9)
    (tmp_path / "text.png").write_text("<script>alert(1)</script>")
    (tmp_path / "half.png").write_bytes(good.read_bytes()[:20])
    (tmp_path / "long.png").write_bytes(good.read_bytes() + bytes(3_000_000))
    (tmp_path / "folder.png").mkdir()
    huge = bytearray(good.read_bytes())
    huge[16:20] = (10**6).to_bytes(4)
    (tmp_path / "huge.png").write_bytes(huge)
    names = ["text", "half", "long", "folder", "huge", "missing"]
    frames = [(name, tmp_path / f"{name}.png") for name in names]
    found = film_of([("other", other), *frames, ("good", good)])
    assert [frame["words"] for frame in found] == ["good"]
    assert base64.b64decode(found[0]["png"]) == good.read_bytes()
    assert [picture_of(file) for _, file in frames] == [None] * 6
    assert film_of([]) == []


def test_curves_are_means_of_several_rows() -> None:
    n = 2500
    x, nan = np.arange(1, n + 1) / 10, np.full(n, np.nan)
    nan[[99, 2499]] = 1.5, 2.5
    curves = curves_of(x, {"d_loss": np.arange(n, dtype=float)}, {"js": nan})
    assert len(curves["x"]) == len(curves["d_loss"]) == 834
    assert curves["x"][0] == 0.3
    assert curves["x"][-1] == 250
    assert curves["d_loss"][:2] == [1, 4]
    assert curves["d_loss"][-1] == 2499  # of the last row alone
    assert curves["js"] == {"x": [10, 250], "y": [1.5, 2.5]}
    assert curves_of([], {"d_loss": []}, {"js": []}) == {
        "x": [], "d_loss": [], "js": {"x": [], "y": []},
    }  # fmt: skip


FIGURES = {
    "ndb": {"different": 2, "js": 0.00363, "bins": 15},
    "classes": {"shares": [0.1] * 10, "present": 10, "kl": 0.002, "confident": 0.94},
    "frechet": 4.9,
}


def measured(tmp_path: Path, content: Any) -> dict[str, Any] | None:
    file = tmp_path / "metrics.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return measures_of(file)


def test_measures(tmp_path: Path) -> None:
    figures = {"generator": FIGURES, "real": FIGURES | {"frechet": 1.7}, "nearest": 0.153}
    table = measured(tmp_path, {"samples": 10_000, "figures": figures})
    assert table is not None
    rows = {name: (own, real) for name, own, real, _ in table["rows"]}
    assert rows["Fréchet distance"] == ("4.9", "1.7")
    assert rows["NDB, bins that differ"] == ("2", "2")
    assert rows["To the nearest training image"] == ("0.153", "")
    assert "Precision" not in rows
    assert table["rows"][0][3] == "of 15 kinds: lower is better"
    assert table["digits"] == [["10.0 %"] * 10] * 2


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{}", "nonsense", "[" * 100_000, '{"figures": []}', '{"figures": {}}',
        {"figures": {"generator": {"frechet": "<b>1</b>"}}},
        {"figures": {"generator": {"frechet": True}}},
        {"figures": {"generator": {"frechet": 1e300}}},
        '{"figures": {"generator": {"frechet": NaN}}}',
        " " * 2_000_000,
    ],
)  # fmt: skip
def test_a_file_that_is_no_report_is_as_good_as_none(content: Any, tmp_path: Path) -> None:
    assert measured(tmp_path, content) is None


def test_digits_must_be_ten_numbers(tmp_path: Path) -> None:
    for shares in ([0.1] * 9, "0123456789", ["<b>"] * 10, None):
        own = FIGURES | {"classes": {"shares": shares}}
        table = measured(tmp_path, {"figures": {"generator": own, "real": FIGURES}})
        assert table is not None
        assert table["digits"] is None


def test_no_text_ends_a_script_or_names_a_part() -> None:
    text = "</script><script>alert(1)</script>[[title]][[film.js]]<!--\ud800"
    page = page_html({"title": text, "config": [["data", text]]}).decode()
    assert page.count("</script>") == 3
    (data,) = page.split('id="data">')[1].split("</script>")[:1]
    assert json.loads(data)["config"] == [["data", text.replace("\ud800", "?")]]
    assert "<title>&lt;/script&gt;&lt;script&gt;alert(1)" in page
