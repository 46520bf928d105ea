"""What a picture of new digits is drawn from, with and without classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigan as mg
from minigan.cli import main
from minigan.training import Trained, asked_classes, draw_samples, draw_z, latent_picture
from minigan.training.asking import MOST_COLUMNS
from minigan.training.config import TrainConfig
from minigan.training.sampling import PRETRAINED
from minigan.training.walking import even_times, random_way

Z = 5


def trained(classes: tuple[int, ...] = (0, 1, 2)) -> Trained:
    config = TrainConfig(latent_dim=Z, recipe="conditional" if classes else "averaged")
    return Trained(mg.generator(Z, classes=len(classes), seed=0), config, classes)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_digits_become_columns_of_their_classes() -> None:
    ten = tuple(range(10))
    assert asked_classes("2026", ten) == [2, 0, 2, 6]
    assert asked_classes("7", ten) == [7]
    letters = tuple(range(1, 27))
    assert asked_classes("3,1, 20", letters) == [2, 0, 19]
    assert asked_classes("26,", letters) == [25]  # one label of two digits
    assert asked_classes("26", letters) == [1, 5]
    assert asked_classes("95", (5, 9)) == [1, 0]


@pytest.mark.parametrize("digits", ["20x6", "", ",", "-1", "2 6", "1,,2", "１２", "1.5", "0001,"])
def test_text_that_asks_for_nothing(digits: str) -> None:
    with pytest.raises(mg.InputError, match="digits is .*expected digits such as 2026"):
        asked_classes(digits, tuple(range(10)))


def test_classes_that_are_not_known() -> None:
    with pytest.raises(mg.InputError, match="digits asks for 4, but the generator knows 1, 2$"):
        asked_classes("124", (1, 2))
    with pytest.raises(mg.InputError, match="was trained without classes"):
        asked_classes("2026", ())


def test_without_classes_all_is_as_it_was() -> None:
    z, columns = latent_picture(trained(()), rng(), 6)
    np.testing.assert_array_equal(z, draw_z(rng(), 6, Z, "float64"))
    assert columns == 8
    G = trained(())
    z, columns = latent_picture(G, rng(), interpolate=True)
    assert (len(z), columns) == (64, 8)
    way = random_way(rng(), 64, Z)
    times = even_times(lambda t: draw_samples(G.net, way(t)), 0, 8, 64)
    np.testing.assert_array_equal(z, way(times))


def split(inputs: Any) -> tuple[Any, Any]:
    return inputs[:, :Z], inputs[:, Z:]


def test_a_grid_has_one_style_in_each_row_and_one_class_in_each_column() -> None:
    inputs, columns = latent_picture(trained(), rng())
    z, c = split(inputs)
    assert (len(z), columns) == (30, 3)
    np.testing.assert_array_equal(z, draw_z(rng(), 10, Z, "float64").repeat(3, axis=0))
    np.testing.assert_array_equal(c, np.tile(np.eye(3), (10, 1)))
    some, _ = latent_picture(trained(), rng(), 7)
    np.testing.assert_array_equal(some, inputs[:7])


def test_digits_asked_for_stand_in_their_order() -> None:
    inputs, columns = latent_picture(trained(), rng(), asked=[2, 0, 2])
    z, c = split(inputs)
    assert columns == 3
    np.testing.assert_array_equal(z, draw_z(rng(), 3, Z, "float64"))
    np.testing.assert_array_equal(c, np.eye(3)[[2, 0, 2]])
    inputs, columns = latent_picture(trained(), rng(), 20, [1])
    assert (len(inputs), columns) == (20, 8)
    np.testing.assert_array_equal(split(inputs)[1], np.eye(3)[[1] * 20])
    _, c = split(latent_picture(trained(), rng(), 5, [1, 0])[0])
    np.testing.assert_array_equal(c, np.eye(3)[[1, 0, 1, 0, 1]])
    assert latent_picture(trained(), rng(), asked=[0] * 100)[1] == MOST_COLUMNS


@pytest.mark.parametrize(("digits", "interpolate"), [(10_001, False), (1251, True)])
def test_more_digits_than_a_picture_has_room_for(digits: int, interpolate: bool) -> None:
    with pytest.raises(
        mg.InputError, match=r"`?digits`? makes 10,00. images, expected up to 10,000"
    ):
        latent_picture(trained(), rng(), None, [0] * digits, interpolate)
    inputs, _ = latent_picture(trained(), rng(), None, [0] * (digits - 1), interpolate)
    assert len(inputs) == 10_000
    assert len(latent_picture(trained(), rng(), 5, [0] * digits, interpolate)[0]) == 5


def test_a_walk_between_latent_points_keeps_the_class_of_a_row() -> None:
    z, c = split(latent_picture(trained(), rng(), interpolate=True)[0])
    corners = random_way(rng(), 24, Z)(np.arange(3.0))
    np.testing.assert_allclose(z[::8], corners, rtol=1e-12)
    np.testing.assert_array_equal(c, np.eye(3).repeat(8, axis=0))


def test_a_walk_between_digits_keeps_the_latent_point() -> None:
    inputs, columns = latent_picture(trained(), rng(), asked=[0, 2], interpolate=True)
    z, c = split(inputs)
    assert (len(z), columns) == (16, 8)
    assert (z == z[0]).all()
    np.testing.assert_allclose(c.sum(axis=1), 1)
    np.testing.assert_array_equal(c[[0, 8]], np.eye(3)[[0, 2]])
    assert (c[:, 1] == 0).all()
    assert (np.diff(c[:8, 2]) > 0).all()  # from the first digit to the other one
    assert (np.diff(c[8:, 2]) < 0).all()  # and back
    np.testing.assert_allclose(c[[4, 12], 2], 0.5, atol=0.1)


@pytest.mark.parametrize("asked", [None, [0, 2, 1]])
def test_a_walk_of_a_conditional_generator_is_even_in_each_row(asked: list[int] | None) -> None:
    """The images that ``draw`` makes count: here they change in one corner of z and of c."""

    def draw(inputs: Any) -> Any:
        return np.exp(6 * inputs[:, [0, Z + 2]])

    inputs, _ = latent_picture(trained(), rng(), 20, asked, interpolate=True, draw=draw)
    assert len(inputs) == 20
    images = draw(inputs)
    for row in (images[:8], images[8:16], images[16:]):
        steps = np.linalg.norm(np.diff(row, axis=0), axis=1)
        if steps.max() > 1e-9:  # from class 1 to 0 none changes
            assert steps.max() < 1.6 * steps.mean()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--digits", "20x6"], "--digits is '20x6', expected digits such as 2026"),
        (["--digits", ""], "--digits is '', expected digits"),
        (["--digits", "26,7"], "--digits asks for 26, but the generator knows 0, 1, 2, 3, 4, 5"),
        (
            [str(PRETRAINED), "--digits", "2026"],
            "--digits is '2026', but this generator was trained without classes",
        ),
    ],
)
def test_the_command_refuses_digits_in_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"minigan: {message}" in err
    assert not list(tmp_path.iterdir())
