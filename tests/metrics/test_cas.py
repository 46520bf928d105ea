"""The classification accuracy score: what a classifier learns from labelled images alone."""

from __future__ import annotations

import numpy as np
import pytest

from minigan.data import load_data
from minigan.errors import InputError
from minigan.metrics import accuracy_score
from minigan.metrics.cas import Labels


@pytest.fixture(scope="module")
def some() -> tuple[Labels, Labels, Labels, Labels]:
    train, labels = load_data("mnist")
    test, test_labels = load_data("mnist", "test")
    images, tests = (x[:2000].reshape(-1, 784) / np.float32(255) for x in (train, test))
    return images, labels[:2000], tests, test_labels[:2000]


def test_real_images_teach_to_read(some: tuple[Labels, Labels, Labels, Labels]) -> None:
    images, labels, test, test_labels = some
    score = accuracy_score(images, labels, test, test_labels, epochs=15)
    assert 0.75 < score < 1
    assert score == accuracy_score(images, labels, test, test_labels, epochs=15)
    more = accuracy_score(images, labels, test, test_labels, epochs=30)
    assert more > score


def test_wrong_labels_and_missing_kinds_cost_points(
    some: tuple[Labels, Labels, Labels, Labels],
) -> None:
    images, labels, test, test_labels = some
    right = accuracy_score(images, labels, test, test_labels, epochs=15)
    seven_for_one = np.where(labels == 1, 7, labels)
    wrong = accuracy_score(images, seven_for_one, test, test_labels, epochs=15)
    assert wrong < right - 0.05
    few = labels < 5  # what was never seen cannot be read
    half = accuracy_score(images[few], labels[few], test, test_labels, epochs=15)
    assert half < 0.55
    same = np.repeat(images[:20], 100, axis=0)  # all digits, one kind each
    poor = accuracy_score(same, np.repeat(labels[:20], 100), test, test_labels, epochs=15)
    assert poor < right - 0.2


def test_what_is_no_set_of_labelled_images(some: tuple[Labels, Labels, Labels, Labels]) -> None:
    images, labels = some[0][:60], some[1][:60]
    for changed, message in (
        ((images, labels, images, labels[:, None]), r"labels are uint8 \(60, 1\), expected whole"),
        ((images, labels[:50], images, labels), "there are 60 images and 50 labels for them"),
        ((images, labels, images, labels[:9]), "there are 60 test images and 9 labels for them"),
        ((images, -labels.astype(int), images, labels), "labels reach down to -9"),
        ((images, labels + 5.5, images, labels), "labels are float64"),
        ((255 * images, labels, images, labels), "pixels of images reach from 0 to 255"),
        ((images * np.nan, labels, images, labels), "pixels of images reach from nan"),
        ((images[:0], labels[:0], images, labels), r"images have shape \(0, 784\)"),
        ((images, labels, images[:, :9], labels), r"test images have shape \(60, 9\)"),
    ):
        with pytest.raises(InputError, match=message):
            accuracy_score(*changed)
    with pytest.raises(InputError, match="epochs is 0"):
        accuracy_score(images, labels, images, labels, epochs=0)
