"""Labels of any type become bytes: whole numbers from 0 to 255, or the numbers of texts."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from minigan.data.dataset import Labels
from minigan.errors import InputError

MOST_CLASSES = 256  # labels are bytes


def check_labels(where: object, labels: npt.NDArray[np.generic]) -> Labels:
    """Return labels as uint8; truth values are 0 and 1.

    Raises InputError unless they are whole numbers from 0 to 255.
    """
    whole = labels.dtype.kind in "biu" or (
        labels.dtype.kind == "f" and bool((labels == np.rint(labels)).all())
    )
    if not whole:
        raise InputError(f"{where}: the labels are {labels.dtype}, expected whole numbers")
    if labels.size and (labels.min() < 0 or labels.max() > 255):
        raise InputError(f"{where}: the labels are not all from 0 to 255")
    return labels.astype(np.uint8)


def different_texts(where: object, labels: list[Any]) -> Any:
    """Return the different labels, sorted, if labels are texts; else None."""
    arrays = [np.asarray(some) for some in labels if some is not None]
    are = [array.dtype.kind in "US" for array in arrays]
    if any(are) and not all(are):
        kinds = " and ".join(str(array.dtype) for array in arrays)
        raise InputError(f"{where}: the labels are {kinds}, expected texts or numbers in both")
    if not any(are):
        return None
    texts = np.unique(np.concatenate([as_text(array).reshape(-1) for array in arrays]))
    if len(texts) > MOST_CLASSES:
        raise InputError(
            f"{where}: there are {len(texts):,} different labels, expected up to {MOST_CLASSES}"
        )
    codes = np.frombuffer(texts.astype(texts.dtype.newbyteorder("=")).tobytes(), np.uint32)
    if codes.size and codes.max() > sys.maxunicode:  # which Python cannot make a text of
        raise InputError(
            f"{where}: the labels are texts with the character {codes.max():#x}, expected up to "
            f"{sys.maxunicode:#x}"
        )
    return texts


def as_text(labels: npt.NDArray[Any]) -> Any:
    """Return labels that are bytes as texts."""
    return np.char.decode(labels, "utf-8", "replace") if labels.dtype.kind == "S" else labels
