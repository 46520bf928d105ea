"""Files of safetensors: named tensors behind a header in JSON, which cannot hold code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from minigan.errors import InputError
from minigan.exchange.bundle import Bundle, flat, unflattened
from minigan.exchange.names import key_shown
from minigan.exchange.optional import needed
from minigan.machine.files import open_regular

NOTES = "minigan"  # the key of the notes in the metadata
DTYPES = ("F32", "F64", "I64")  # I64 counts the batches of a BatchNorm1d


def safetensors_bytes(bundle: Bundle) -> bytes:
    """Return the file.  Raises InputError if safetensors is not installed."""
    library = needed("safetensors.numpy", "a file of safetensors")
    arrays, rest = flat(bundle)
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    metadata = {"format": "pt", NOTES: json.dumps(rest)}
    content: bytes = library.save(arrays, metadata=metadata)
    return content


def read_safetensors(file: Path) -> Bundle:
    """Return what a file of safetensors holds; without notes, it is a generator alone.

    Raises InputError if the file is damaged, or if safetensors is not installed.
    """
    library = needed("safetensors.numpy", f"{file}, a file of safetensors,")
    try:
        with open_regular(file) as stream:
            content = stream.read()
        header: Any = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] not in DTYPES:
                raise InputError(f"{key_shown(name)} is {entry['dtype']}, expected F32 or F64")
        arrays = library.load(content)
        rest = header.get("__metadata__", {}).get(NOTES, "{}")
        return unflattened(arrays, json.loads(rest))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    except Exception as error:  # safetensors has errors of its own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{file} is damaged or no file of safetensors ({reason})") from error
