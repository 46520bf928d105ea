"""Read one PNG or JPEG file, which somebody may have made to do harm."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minigan.data.dataset import LARGEST, SMALLEST, Images, check_not_tiny
from minigan.data.kinds import PICTURES
from minigan.data.resizing import resized_picture
from minigan.errors import InputError
from minigan.machine.files import open_regular

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile


def read_picture(
    file: Path, resize: int | None = None
) -> tuple[tuple[int, int], Images | None, bool]:
    """Return the height and width of a picture, the picture, and whether it was transparent.

    The picture is uint8, (h, w) if it is grey, and else (h, w, 3).  It is turned as its EXIF data
    say, and shown on white where it is transparent; of 16 bits a pixel the upper 8 are kept.  If it
    is too large and not resized, it is None.

    Raises InputError for a file that cannot be read, for an animation, and for more pixels than
    Pillow unpacks without a warning (``Image.MAX_IMAGE_PIXELS``).
    """
    from PIL import Image, ImageOps

    bombs = Image.DecompressionBombWarning, Image.DecompressionBombError
    try:
        with warnings.catch_warnings(), open_regular(file) as stream:
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(stream, formats=PICTURES) as picture:
                frames = getattr(picture, "n_frames", 1)
                if picture.format == "PNG" and frames > 1:
                    raise InputError(f"{file} is an animation of {frames} pictures, expected one")
                if resize is None and not (
                    min(picture.size) >= SMALLEST and max(picture.size) <= LARGEST
                ):
                    return picture.size[::-1], None, False
                if resize is not None:
                    check_not_tiny(file, *picture.size[::-1])
                    # a JPEG file can be unpacked at half its size, or less
                    picture.draft(picture.mode, (4 * resize, 4 * resize))
                _scale_clear_colour(picture)
                upright, transparent = _plain(ImageOps.exif_transpose(picture))
                if resize is not None:
                    upright = resized_picture(upright, resize)
    except InputError:
        raise
    except bombs as error:
        raise InputError(
            f"{file} claims to have more than {Image.MAX_IMAGE_PIXELS:,} pixels: it may be made "
            "to fill the memory"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # a flipped bit can make any of these lines fail
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file} is damaged and cannot be read ({reason})") from error
    pixels = np.asarray(upright)
    if pixels.ndim == 3 and (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, 0]
    return (pixels.shape[0], pixels.shape[1]), pixels, transparent


def _scale_clear_colour(picture: ImageFile) -> None:
    """Let the colour that a PNG file calls transparent have the range of Pillow's pixels.

    Pillow gives grey of 1, 2 or 4 bits, and colours of 16 bits, 8 bits each, but not this colour
    (for 1 bit newer versions do).
    """
    clear = picture.info.get("transparency")
    if picture.format != "PNG" or clear is None:
        return
    stored = picture.tile[0][3]  # as Pillow names what is in the file
    if stored == "1":
        picture.info["transparency"] = 255 if clear else 0
    elif stored in ("L;2", "L;4"):
        picture.info["transparency"] = clear * {"L;2": 85, "L;4": 17}[stored]
    elif stored == "RGB;16B":
        picture.info["transparency"] = tuple(value >> 8 for value in clear)


def _plain(picture: Image) -> tuple[Image, bool]:
    """Return a picture of 8 bits, grey or in colour, and whether it was transparent in places."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel
        numbers = np.asarray(picture).astype(np.int64)
        clear = numbers == picture.info.get("transparency")
        levels = np.where(clear, 255, numbers.clip(0, 65535) >> 8)
        return Image.fromarray(levels.astype(np.uint8)), bool(clear.any())
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        lowest, _ = picture.getchannel("A").getextrema()
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB"), lowest != 255
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB"), False
