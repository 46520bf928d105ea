"""Images of any size become squares of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minigan.data.dataset import Images, check_not_tiny

if TYPE_CHECKING:
    from PIL.Image import Image


def resized_picture(picture: Image, side: int) -> Image:
    """Return the square in the middle of a picture, scaled to ``side`` pixels on each side.

    What stands beside the square, left and right of it or above and below, is cut away.  The filter
    is Lanczos's, which averages when a picture gets smaller.
    """
    from PIL import Image, ImageOps

    return ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)


def resized(where: object, images: Images, side: int) -> Images:
    """Return images, (N, h, w) or (N, h, w, 3), as squares of ``side`` pixels: see above.

    Raises InputError for images below 8 x 8: many images of one pixel would fill the memory.
    """
    from PIL import Image

    check_not_tiny(where, *images.shape[1:3])
    if images.shape[1:3] == (side, side):
        return images
    result = np.empty((len(images), side, side, *images.shape[3:]), np.uint8)
    for i, image in enumerate(images):
        result[i] = np.asarray(resized_picture(Image.fromarray(image), side))
    return result
