"""Write files that are never left half written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for writing, so that it always holds all of its old content or all of the new.

    The new content is written to ``<name>.tmp`` in the same folder, synced to the disk, and then
    renamed.  A process that is killed leaves at worst this temporary file, which the next write
    replaces.
    Raises OSError if the file cannot be written.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # the user knows this name, not the temporary one
        raise
    if os.name == "posix":  # the rename itself must reach the disk too
        with contextlib.suppress(OSError):  # not every system can sync a folder
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
