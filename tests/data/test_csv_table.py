"""Tables of pixels as text: Kaggle's MNIST and its cousins, and tables that are something else."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pictures import grey

from minigan.data import load_images
from minigan.data.csv_table import read_csv
from minigan.errors import InputError

IMAGES = np.stack([grey(i, 28, 28) for i in range(5)])
LABELS = [5, 0, 4, 1, 9]
PIXELS = [f"pixel{i}" for i in range(784)]
QUOTED = [f'"{name}"' for name in ("label", *PIXELS)]


def table(names: list[str] | None, label: int | None, end: str = "\n") -> str:
    """The images as text, with the labels in one of the columns."""
    rows = [list(map(str, image.ravel())) for image in IMAGES]
    if label is not None:
        for row, value in zip(rows, LABELS, strict=True):
            row.insert(label, str(value))
    return "".join(",".join(row) + end for row in ([names] if names else []) + rows)


KINDS: dict[str, tuple[str, bool]] = {  # and whether they have labels
    "Kaggle, to train with": (table(["label", *PIXELS], 0), True),
    "Kaggle, to test with": (table(PIXELS, None), False),
    "labels first, no names": (table(None, 0), True),
    "no labels, no names": (table(None, None), False),
    "labels last": (table([*PIXELS, "Class"], 784), True),
    "names in quotes, lines of Windows": (table(QUOTED, 0, "\r\n"), True),
    "with a mark at its beginning": ("\ufeff" + table(["label", *PIXELS], 0), True),
    "a mark, no names": ("\ufeff" + table(None, 0), True),
    "blank lines": (table(None, 0, "\n\n"), True),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_tables(kind: str, packed: bool, tmp_path: Path) -> None:
    text, labelled = KINDS[kind]
    content = text.encode()
    file = tmp_path / "mnist.csv"
    file.write_bytes(gzip.compress(content) if packed else content)
    data: Any = load_images(file, hold_out=0)
    np.testing.assert_array_equal(data.train.images, IMAGES)
    assert (data.train.labels.tolist() if labelled else data.train.labels) == (
        LABELS if labelled else None
    )


def test_many_rows(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1203, 64), dtype=np.uint8)
    np.savetxt(tmp_path / "a.csv", images, "%d", delimiter=",")
    np.testing.assert_array_equal(
        read_csv(tmp_path / "a.csv").train.images, images.reshape(-1, 8, 8)
    )


ROW = ",".join(["7"] * 784)
DAMAGES = {
    "one column too few": (f"{ROW},1\n{ROW}\n", "line 2 has 784 columns, expected 785"),
    "one column too many": (f"{ROW}\n{ROW},5\n", "line 2 has 785 columns, expected 784"),
    "letters": (f"{ROW}\n{ROW[:-1]}x\n", "line 2, column 784 is 'x', expected a whole number"),
    "a number too large": (f"{ROW}\n{ROW[:-1]}256\n", "line 2, column 784 is '256', expected"),
    "a number below 0": (f"{ROW}\n-1{ROW[1:]}\n", "line 2, column 1 is '-1', expected"),
    "a number far too large": (f"{ROW}\n{'9' * 50}{ROW[1:]}\n", "line 2, column 1 is '9999"),
    "a fraction": (f"{ROW}\n0.5{ROW[1:]}\n", "line 2, column 1 is '0.5', expected a whole number"),
    "nan": (f"{ROW}\nnan{ROW[1:]}\n", "line 2, column 1 is 'nan', expected a whole number"),
    "a missing number": (f"{ROW}\n{ROW[1:]}\n", "line 2, column 1 is '', expected a whole number"),
    "an escape": (f"{ROW}\n\x1b[31m{ROW[1:]}\n", r"line 2, column 1 is '\\x1b\[31m', expected"),
    "too few columns": ("1,2,3\n", "has 3 columns, expected the pixels of a square, from 64 to"),
    "too many columns": (",".join(["7"] * 10_000), "has 10,000 columns, expected the pixels"),
    "prose": ("Dear reader, this is prose.\n", "has 2 columns, expected the pixels of a square"),
    "names only": (",".join(PIXELS) + "\n", "holds no images"),
    "a line without an end": ("7," * 100_000, "line 1 has more than 100,000 bytes"),
    "another separator": (ROW.replace(",", ";"), "has 1 columns"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damages(name: str, tmp_path: Path) -> None:
    text, message = DAMAGES[name]
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_csv(tmp_path / "a.csv")
    assert str(caught.value).startswith(str(tmp_path / "a.csv"))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_packed_table_takes_no_more_memory_than_its_images(tmp_path: Path) -> None:
    """20,000 rows of 64 columns are 2.6 MB of text and 1.3 MB of pixels."""
    row = ",".join(["0"] * 64) + "\n"
    (tmp_path / "a.csv").write_bytes(gzip.compress(row.encode() * 20_000))
    tracemalloc.start()
    assert read_csv(tmp_path / "a.csv").train.images.shape == (20_000, 8, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_packed_table_that_would_fill_the_memory(tmp_path: Path) -> None:
    """80 MB of text are packed into 80 KB."""
    row = ",".join(["0"] * 784) + "\n"
    (tmp_path / "a.csv").write_bytes(gzip.compress(row.encode() * 51_000))
    tracemalloc.start()
    with pytest.raises(InputError, match="would be unpacked from [0-9,]* to 67,1[0-9,]* bytes"):
        read_csv(tmp_path / "a.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80_000_000  # of the 43,000 images until then, and what reads them


def test_a_packed_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"0" * 50_000_000))
    tracemalloc.start()
    with pytest.raises(InputError, match="line 1 has more than 100,000 bytes"):
        read_csv(tmp_path / "a.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_truncated_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(table(None, 0).encode())[:-500])
    with pytest.raises(InputError, match="a.csv cannot be read: Compressed file ended"):
        read_csv(tmp_path / "a.csv")
