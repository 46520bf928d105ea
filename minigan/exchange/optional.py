"""Libraries that only some files need: what is missing is named, with the line that installs it."""

from __future__ import annotations

import importlib
from typing import Any

from minigan.errors import InputError


def needed(module: str, what: str) -> Any:
    """Import and return a module.  Raises InputError, which says ``what`` needs it, without it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise InputError(
            f"{what} needs the package {package} ({error}): python -m pip install {package}"
        ) from error
