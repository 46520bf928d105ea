"""Runs on images of other sizes and in colour: all recipes, resuming, pictures and measures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from helpers.pictures import save
from PIL import Image

import minigan as mg
from minigan.cli import main
from minigan.data import ARRAYS, load_archive, pixel_values, save_archive
from minigan.evaluation import write_report
from minigan.training import RECIPES, find_generator, stored_generator
from minigan.training.film import STRIP
from minigan.training.images import read_data, training_data
from minigan.training.pictures import image_grid, scale_of

Configure: TypeAlias = Callable[..., mg.TrainConfig]


def stripes(n: int, h: int = 10, w: int = 8, *, colour: bool = True, seed: int = 0) -> Any:
    """Images of one colour below a white edge: uint8 (n, h, w, 3), or (n, h, w)."""
    rng = np.random.default_rng(seed)
    images = np.empty((n, h, w, 3), np.uint8)
    images[:] = rng.integers(0, 256, (n, 1, 1, 3))
    images[:, 0] = 255
    return images if colour else images[..., 0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pictures of 8 x 10 in two classes."""
    folder = tmp_path_factory.mktemp("own") / "pictures"
    for i, image in enumerate(stripes(120)):
        save(folder / ("light" if image[1:].mean() > 127 else "dark") / f"{i}.png", image)
    return folder


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_trains_on_colours_and_goes_on(
    recipe: str, config: Configure, folder: Path
) -> None:
    run = mg.Trainer(config(recipe=recipe, data=str(folder), epochs=2)).run()
    trainer = mg.Trainer(replace(mg.TrainConfig.of_run(run), epochs=3))
    assert trainer.state.shape == (10, 8, 3)
    assert trainer.gan.generator.n_out == trainer.gan.discriminator.n_in == 240
    trainer.run()
    trained = stored_generator(find_generator(run))
    assert trained.shape == (10, 8, 3)
    assert trained.classes == ((0, 1) if recipe == "conditional" else ())
    columns = 2 if recipe == "conditional" else 8
    scale = scale_of((10, 8, 3))
    size = ((8 + 2) * columns + 2) * scale, ((10 + 2) * (10 if columns == 2 else 8) + 2) * scale
    for name in ("samples/epoch_0003.png", "sample_0.png"):
        assert main(["sample", str(run)]) == 0
        with Image.open(run / name) as picture:
            assert (picture.mode, picture.size) == ("RGB", size)
    with Image.open(run / "training.gif") as film:
        assert film.size == (size[0], size[1] + STRIP)
    if recipe == "conditional":
        assert main(["sample", str(run), "--digits", "10", "--out", str(run / "two.png")]) == 0
        with Image.open(run / "two.png") as picture:
            assert picture.size == ((8 + 2) * 2 * 22 + 2 * 22, (10 + 4) * 22)  # 480 / 22, rounded


def test_it_resumes_bit_for_bit(config: Configure, folder: Path, tmp_path: Path) -> None:
    straight = mg.Trainer(config(data=str(folder), epochs=3)).run()
    twice = mg.Trainer(config(data=str(folder), epochs=2, out=str(tmp_path / "twice"))).run()
    mg.Trainer(replace(mg.TrainConfig.of_run(twice), epochs=3)).run()
    one, two = (load_archive(run / "checkpoint.npz")[0] for run in (straight, twice))
    np.testing.assert_array_equal(one["generator"], two["generator"])
    assert (straight / "samples" / "epoch_0003.png").read_bytes() == (
        twice / "samples" / "epoch_0003.png"
    ).read_bytes()


def test_pixels_reach_the_networks_in_their_places(folder: Path) -> None:
    images = stripes(40)
    config = mg.TrainConfig(hold_out=0)
    data = training_data(read_data(config, images, None), config, mg.get_backend("numpy"))
    assert data.images.shape == (40, 240)
    np.testing.assert_array_equal(data.images.reshape(-1, 10, 8, 3), images)
    grid = image_grid(pixel_values(data.images), shape=(10, 8, 3))
    np.testing.assert_allclose(grid[2:12, 2:10], images[0] / 255, atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8), (64, 64), (20, 12), (9, 9, 3)])
def test_a_grid_of_any_shape(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (5, *shape)).astype("float32")
    images[0].flat[:2] = -1, 1
    grid = image_grid(images.reshape(5, -1), nrow=3, padding=1, shape=shape)
    h, w = shape[:2]
    assert grid.shape == (2 * (h + 1) + 1, 3 * (w + 1) + 1, *shape[2:])
    cell = grid[h + 2 : 2 * h + 2, w + 2 : 2 * w + 2]  # second row, second column
    np.testing.assert_allclose(cell, (images[4] + 1) / 2, atol=1e-6)
    assert grid[0].max() == grid[:, 0].max() == 0
    assert 40 <= max(shape[:2]) * scale_of(shape) <= 64


# ---------------------------------------------------------------- arrays


def test_arrays_from_python(config: Configure, tmp_path: Path, capsys: Any) -> None:
    images, labels = stripes(100, colour=False), np.arange(100) % 3
    trainer = mg.Trainer(config(recipe="conditional", epochs=1), images=images / 255, labels=labels)
    assert trainer.config.data == ARRAYS
    assert (trainer.state.classes, trainer.state.shape) == ((0, 1, 2), (10, 8))
    run = trainer.run()
    assert "Data: float64 arrays: 90 images of 8 x 10, grey, 3 classes, 10 more to test" in (
        capsys.readouterr().out
    )
    again = replace(mg.TrainConfig.of_run(run), epochs=2)
    with pytest.raises(mg.InputError, match="trained on arrays that were given from Python: save"):
        mg.Trainer(again)
    with pytest.raises(mg.InputError, match="these images are not the data that the run was star"):
        mg.Trainer(again, images=images[::-1], labels=labels)
    mg.Trainer(again, images=images, labels=labels).run()
    np.savez(tmp_path / "mine.npz", images=images, labels=labels)  # what the message says
    args = ["--data", str(tmp_path / "mine.npz")]
    assert main(["train", "--resume", str(run), "--epochs", "3", *args]) == 0
    assert main(["evaluate", str(run), *args]) == 0


def test_arrays_that_do_not_fit(config: Configure) -> None:
    with pytest.raises(mg.InputError, match="labels are given without images"):
        mg.Trainer(config(), labels=[1, 2])
    with pytest.raises(mg.InputError, match="recipe is conditional, which needs labels"):
        mg.Trainer(config(recipe="conditional"), images=stripes(50))
    with pytest.raises(mg.InputError, match="batch_size is 30, but the data has only 18 images"):
        mg.Trainer(config(), images=stripes(20))


# ---------------------------------------------------------------- runs and their files


def test_another_shape_of_the_same_bytes_is_other_data(config: Configure) -> None:
    images = stripes(100, 8, 16, colour=False)
    run = mg.Trainer(config(epochs=1), images=images).run()
    again = replace(mg.TrainConfig.of_run(run), epochs=2)
    with pytest.raises(mg.InputError, match="not the data that the run was started on"):
        mg.Trainer(again, images=images.reshape(100, 16, 8))


@pytest.mark.parametrize("option", [{"resize": 12}, {"hold_out": 0.2}])
def test_size_and_share_stay(option: dict[str, Any], config: Configure, folder: Path) -> None:
    run = mg.Trainer(config(data=str(folder), epochs=1)).run()
    (name,) = option
    with pytest.raises(mg.InputError, match=f"{name} is .*, but the run was started with"):
        mg.Trainer(replace(mg.TrainConfig.of_run(run), **option))


@pytest.mark.parametrize(
    "shape", [None, 28, [], [28], [28, 28, 1], [7, 28], [28, 65], [28.0, 28], [28, 28, 3, 3], "28"]
)
def test_a_damaged_shape(shape: Any, config: Configure) -> None:
    run = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(run / "checkpoint.npz")
    for name in ("format", "arrays"):
        meta.pop(name, None)
    save_archive(run / "checkpoint.npz", arrays, meta | {"shape": shape})
    with pytest.raises(mg.InputError, match="is damaged: the shape of its images is"):
        stored_generator(run / "checkpoint.npz")
    with pytest.raises(mg.InputError, match="is damaged: the shape of its images is"):
        mg.Trainer(mg.TrainConfig.of_run(run))


def test_a_run_from_before_goes_on_with_all_of_its_images(
    config: Configure, tmp_path: Path
) -> None:
    """Runs of older versions state neither shape nor share: they trained on all images."""
    images = stripes(90, 28, 28, colour=False)
    data = tmp_path / "a.npy"
    np.save(data, images)
    run = mg.Trainer(config(data=str(data), epochs=1, hold_out=0)).run()
    options = json.loads((run / "config.json").read_text())
    for name in ("resize", "hold_out", "crc32"):
        del options[name]
    (run / "config.json").write_text(json.dumps(options))
    arrays, meta = load_archive(run / "checkpoint.npz")
    for name in ("resize", "hold_out"):
        del meta["config"][name]
    del meta["shape"]
    save_archive(run / "checkpoint.npz", arrays, meta)
    trainer = mg.Trainer(replace(mg.TrainConfig.of_run(run), epochs=2))
    assert (len(trainer.images), trainer.state.step) == (90, 3)
    trainer.run()


# ---------------------------------------------------------------- measures and other commands


def test_evaluate_leaves_out_what_needs_digits_and_says_so(
    config: Configure, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = mg.Trainer(config(data=str(folder), epochs=1, recipe="conditional")).run()
    capsys.readouterr()
    assert main(["evaluate", str(run)]) == 0
    out, err = capsys.readouterr()
    assert "the classifier knows MNIST's digits only, so classes, confidence, Fréchet" in err
    assert "so 12 of the 120 images, drawn at random, are held out to test with" in err
    rows = [line[:26].strip() for line in out.splitlines()]
    assert rows[1:7] == [
        "",
        "NDB, bins that differ",
        "JS of the bins",
        "Parzen log-likelihood",
        "to nearest training image",
        "",
    ]
    assert "of 5: lower is better" in out  # 108 images to train with, of which 54 fill the bins
    report = json.loads((run / "metrics.json").read_text())
    assert report["samples"] == 54
    figures = report["figures"]["generator"]
    assert (figures["classes"], figures["frechet"], figures["precision_recall"]) == (None,) * 3
    assert (
        figures["parzen"]["log_likelihood"] < report["figures"]["real"]["parzen"]["log_likelihood"]
    )
    with Image.open(run / "neighbours.png") as picture:
        assert picture.mode == "RGB"


def test_evaluate_without_test_images(config: Configure, folder: Path) -> None:
    run = mg.Trainer(config(data=str(folder), epochs=1, hold_out=0)).run()
    notes: list[str] = []
    report, _ = write_report(run, None, progress=notes.append)
    assert "note: there are no test images, so what is compared with them is left out" in notes
    assert (report.generator.parzen, report.centroids, report.nearest_real) == (None,) * 3
    assert report.nearest > 0


def test_the_anchor_of_sorted_files_is_no_single_class(config: Configure, tmp_path: Path) -> None:
    """Files of two classes come one after the other; real images must still be like each other."""
    images = np.repeat(np.array([0, 255], np.uint8), 300)[:, None, None].repeat(8, 1).repeat(8, 2)
    images = images ^ np.random.default_rng(0).integers(0, 32, images.shape, dtype=np.uint8)
    np.save(tmp_path / "a.npy", images)
    run = mg.Trainer(config(data=str(tmp_path / "a.npy"), epochs=1)).run()
    report, _ = write_report(run, None)
    assert report.real.ndb.different <= 2
    assert report.real.ndb.js < 0.1


def test_evaluate_every(config: Configure, folder: Path) -> None:
    trainer = mg.Trainer(config(data=str(folder), epochs=2, evaluate_every=1))
    run = trainer.run()
    last = trainer.history[-1]
    assert 0 < last.js < 0.7
    assert 0 < last.ndb <= 10  # of so many bins, with ten images each
    assert np.isnan(last.classes)
    assert stored_generator(run / "best.npz").shape == (10, 8, 3)


def test_evaluate_every_with_too_few_images(config: Configure) -> None:
    with pytest.raises(mg.InputError, match="NDB needs at least 20 training images, got 18"):
        mg.Trainer(config(batch_size=6, evaluate_every=1), images=stripes(20))


def test_trace(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--data", str(folder), "--batch-size", "4", "--recipe", "tutorial"]) == 0
    assert "(4, 240)" in capsys.readouterr().out
    args = ["trace", "--data", str(folder), "--batch-size", "4", "--resize", "9"]
    assert main([*args, "--recipe", "conditional"]) == 0
    assert "(4, 243)" in capsys.readouterr().out
    assert main(["trace", "--data", str(folder), "--batch-size", "400"]) == 2
    assert re.search("--batch-size is 400, but the data has only 108", capsys.readouterr().err)


def test_on_a_device(config: Configure, stand_in: mg.backend.Backend, tmp_path: Path) -> None:
    images, labels = stripes(60), np.arange(60) % 2
    runs = [
        mg.Trainer(
            config(epochs=1, recipe="conditional", backend=name, out=str(tmp_path / name)),
            images=images,
            labels=labels,
        )
        for name in ("numpy", "cupy")
    ]
    for trainer in runs:
        trainer.run()
    host, device = (trainer.history[-1] for trainer in runs)
    for name in ("d_loss", "g_loss", "d_train", "d_test", "spread"):
        assert getattr(device, name) == pytest.approx(getattr(host, name), rel=1e-4)


def test_single_images_have_the_size_of_the_data(config: Configure, folder: Path) -> None:
    run = mg.Trainer(config(data=str(folder), epochs=1)).run()
    assert (
        main(["sample", str(run), "--n", "3", "--format", "npy", "--out", str(run / "a.npy")]) == 0
    )
    images = np.load(run / "a.npy")
    assert (images.shape, images.dtype) == ((3, 10, 8, 3), np.uint8)
    assert (
        main(["sample", str(run), "--n", "3", "--format", "folder", "--out", str(run / "a")]) == 0
    )
    again = mg.load_images(run / "a", hold_out=0).train.images
    np.testing.assert_array_equal(again, images)


@pytest.mark.parametrize("whole", [True, False])
def test_weights_come_back_from_another_format(
    whole: bool, config: Configure, folder: Path, tmp_path: Path
) -> None:
    run = mg.Trainer(config(data=str(folder), epochs=1)).run()
    assert main(["export", str(run), "--to", "npz", "--out", str(tmp_path / "export")]) == 0
    card = (tmp_path / "export" / "README.md").read_text()
    assert "It makes an image of 8 x 10, colour: 240 numbers, in rows from the top, red" in card
    files = sorted(path.name for path in (tmp_path / "export").glob("*.npz"))
    (name,) = [name for name in files if (name == "generator.npz") != whole]
    again = tmp_path / "again"
    args = ["import", str(tmp_path / "export" / name), "--out", str(again)]
    assert main([*args, "--data", str(folder)]) == 0
    source = again if whole else again / "best.npz"
    one, two = (stored_generator(find_generator(path)) for path in (run, source))
    assert two.shape == (10, 8, 3)
    np.testing.assert_array_equal(one.net.params, two.net.params)
    if whole:
        mg.Trainer(replace(mg.TrainConfig.of_run(again), epochs=2)).run()
