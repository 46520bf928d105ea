"""Read and write files in folders whose content somebody else may have prepared.

A file that is written is never half written, and never follows a link.  A file that is read is a
regular file: a pipe would never end, and a device may do anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from minigan.machine.terminal import say_once

TEMPORARY = ".minigan-{}.tmp"
SETTLED = 60  # seconds, after which a temporary folder is locked if its process still runs
BINARY = getattr(os, "O_BINARY", 0)  # Windows needs it
# What a file system answers if it cannot do what was asked, rather than that it failed to do it.
UNABLE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for writing, so that it always holds all of its old content or all of the new.

    The new content is written to a new file in the same folder, whose name nobody can know before,
    then synced to the disk, and then renamed.  A link at ``path`` is replaced, and the file that it
    points to is left alone.  A process that is killed leaves at worst the temporary file, which
    ``remove_leftovers`` removes.
    Raises OSError if the file cannot be written.
    """
    temporary = path.with_name(TEMPORARY.format(secrets.token_hex(8)))
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY  # O_EXCL: not through a link
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            yield file
            sync(file)
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # the user knows this name, not the temporary one
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make a folder that is at ``path`` when everything is in it, and not before.

    The block writes into a temporary folder beside it, which is then renamed.  After an error in
    the block nothing is left; a process that is killed leaves the temporary folder, which the next
    new folder beside it removes.  Raises FileExistsError if there is something at ``path`` already,
    and OSError if the folder cannot be made.
    """
    temporary = path.with_name(TEMPORARY.format(secrets.token_hex(8)))
    lock = None
    try:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead_folders(path.parent)
        temporary.mkdir()
        lock = _lock(temporary)
        yield temporary
        temporary.rename(path)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # the user knows this name, not the temporary one
        raise
    finally:
        if lock is not None:
            os.close(lock)
    _sync_folder(path.parent)


def sync(file: IO[bytes]) -> None:
    """Wait until the content of the file is on the disk.

    Raises OSError if the disk fails.  A file system that cannot sync only costs the safety against
    a power cut: then a line says so, once.
    """
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        say_once(
            f"Warning: this file system cannot sync files ({error.strerror}): what was written "
            "last may be lost if the power fails."
        )


def _sync_folder(folder: Path) -> None:
    """Let a rename in the folder reach the disk, where the system can sync folders."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes have left in a folder, into which no other process writes now.

    These are temporary files, and temporary folders that nobody holds.
    """
    for file in folder.glob(TEMPORARY.format("*")):
        with contextlib.suppress(OSError):  # as for a folder
            file.unlink()
    _remove_dead_folders(folder)


def _remove_dead_folders(parent: Path) -> None:
    """Remove the temporary folders whose processes were killed.

    A process holds its temporary folder by a lock, which ends with it.  A folder of the last minute
    is left, because its process may be about to lock it; so are all where there are no locks.
    """
    for folder in parent.glob(TEMPORARY.format("*")):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or time.time() - found.st_mtime < SETTLED:
                continue
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return a descriptor that holds a folder for this process; None if that cannot be done.

    Another process may hold it, or the system or its file system may have no locks.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading.  Raises OSError if it is not a regular file: a pipe, a device."""
    # Opening a pipe would wait for a writer, but for O_NONBLOCK, which regular files ignore.
    descriptor = os.open(path, os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0))
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        code = errno.EISDIR if stat.S_ISDIR(kind) else errno.EINVAL
        what = "Is a directory" if stat.S_ISDIR(kind) else "Not a regular file"
        raise OSError(code, what, str(path))
    return os.fdopen(descriptor, "rb")
