"""A file of weights is read as what it is, whatever its name says."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from minigan.errors import InputError
from minigan.exchange.bundle import Bundle
from minigan.exchange.npz_file import read_npz
from minigan.exchange.safetensors_file import read_safetensors
from minigan.exchange.torch_file import read_torch
from minigan.machine.files import open_regular


def read_bundle(file: Path) -> Bundle:
    """Return what a file holds; its content says of which kind it is.

    Raises InputError if it is of none, damaged, or cannot be read.
    """
    try:
        with open_regular(file) as stream:
            start = stream.read(16)
            names = []
            if start.startswith(b"PK"):
                stream.seek(0)
                with ZipFile(stream) as archive:
                    names = archive.namelist()
    except FileNotFoundError as error:
        raise InputError(f"{file} does not exist") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{file} is damaged ({error})") from error
    if any(name.endswith("data.pkl") for name in names):
        return read_torch(file)
    if start.startswith(b"PK"):
        return read_npz(file)
    if start[8:9] == b"{":
        return read_safetensors(file)
    if start.startswith(b"\x80"):
        raise InputError(
            f"{file} is a pickle, which could execute anything and is not loaded: save "
            "generator.state_dict() with torch.save"
        )
    raise InputError(
        f"{file} is no file of weights, expected one of PyTorch (.pt), of safetensors, or an .npz "
        "that minigan has written"
    )
