"""Scaling the pixels, and an epoch's minibatches."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt
import pytest

from minigan.data import batches, pixel_values

needs_torchvision = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)


def test_pixel_values() -> None:
    levels = np.arange(256, dtype=np.uint8)
    values = pixel_values(levels)
    assert values.dtype == np.float32
    assert (values[0], values[255]) == (-1, 1)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(pixel_values(levels, "float64"), levels / 127.5 - 1, atol=1e-15)


@pytest.mark.torch
@needs_torchvision
def test_scaling_equals_torchvision_bit_for_bit(mnist: npt.NDArray[np.uint8]) -> None:
    from PIL import Image
    from torchvision import transforms

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    every_level = np.arange(784, dtype=np.uint8).reshape(28, 28)
    for image in (every_level, *mnist[:100]):
        theirs = transform(Image.fromarray(image)).numpy()[0]
        ours = pixel_values(image)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_an_epoch_has_every_image_once_in_random_order() -> None:
    rng = np.random.default_rng(0)
    epochs = [list(batches(10, 4, rng)) for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [4, 4, 2]
        assert sorted(np.concatenate(epoch)) == list(range(10))
    assert (np.concatenate(epochs[0]) != np.concatenate(epochs[1])).any()
    assert [len(batch) for batch in batches(8, 4, rng)] == [4, 4]
