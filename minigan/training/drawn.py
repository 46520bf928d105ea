"""Write drawn images: as pages of a grid, as one array, or as a folder of single pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from minigan.backend import Array
from minigan.errors import InputError
from minigan.machine.files import atomic_write, new_folder
from minigan.training.pictures import grid_png, scale_of
from minigan.training.run import MNIST_SHAPE

FORMATS = {"png": ".png", "npy": ".npy", "folder": ""}  # and how the names of their files end
ROWS = 32  # of images on a page, which is then 1,924 pixels high


def save_images(
    path: Path, images: Array, kind: str, columns: int = 8, shape: tuple[int, ...] = MNIST_SHAPE
) -> list[Path]:
    """Write images in [-1, 1], (N, n), in one of the ``FORMATS``, and return what was written.

    ``png`` makes a grid with so many columns, or several pages of it: ``path`` then gets
    ``_page_01``, ``_page_02`` and so on before its ending.  ``npy`` makes one array, uint8
    (N, *shape).  ``folder`` makes a new folder with a PNG file for each image.  The last two have
    the grey values of the data, 0 to 255, where a grid stretches them.

    Raises InputError if the folder exists already, and OSError if a file cannot be written.
    """
    if kind == "npy":
        with atomic_write(path) as stream:
            np.save(stream, as_bytes(images, shape))
        return [path]
    if kind == "folder":
        return [_save_folder(path, as_bytes(images, shape))]
    on_page = ROWS * columns
    pages = [images[start : start + on_page] for start in range(0, len(images), on_page)]
    files = [path]
    if len(pages) > 1:
        width = max(2, len(str(len(pages))))
        numbers = range(1, len(pages) + 1)
        files = [path.with_name(f"{path.stem}_page_{i:0{width}}{path.suffix}") for i in numbers]
    scale = scale_of(shape) if len(pages) > 1 else None  # the last one has the others' scale
    for file, page in zip(files, pages, strict=True):
        with atomic_write(file) as stream:
            stream.write(grid_png(page, columns, shape, scale))
    return files


def as_bytes(images: Array, shape: tuple[int, ...] = MNIST_SHAPE) -> npt.NDArray[np.uint8]:
    """Return images in [-1, 1] as those of the data: uint8 (N, *shape), 0 is black, 255 white."""
    levels = np.rint((np.asarray(images, np.float64) + 1) * 127.5)
    return levels.clip(0, 255).astype(np.uint8).reshape(len(images), *shape)


def _save_folder(path: Path, images: npt.NDArray[np.uint8]) -> Path:
    """Write a PNG file for each image into a new folder, which is there when all of them are."""
    from PIL import Image

    width = max(4, len(str(len(images) - 1)))
    try:
        with new_folder(path) as folder:
            for i, image in enumerate(images):
                content = io.BytesIO()
                Image.fromarray(image).save(content, "PNG")
                (folder / f"{i:0{width}}.png").write_bytes(content.getvalue())
    except FileExistsError as error:
        raise InputError(f"`out` {path} exists already, expected a new folder") from error
    return path
