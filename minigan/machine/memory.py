"""Memory that is freed and asked for again in every training step.

A step makes arrays of up to several megabytes and frees them again.  The C library gives such
memory back to the system at once, and gets it again as new pages, each of which the system fills
with zeros at the first touch.  For a step of 256 or 1,024 images that is a tenth of its time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

# Names and numbers of glibc's mallopt
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST = 256 << 20  # bytes: larger arrays go back to the system as before
CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed arrays for its next ones; return whether it will.

    It holds no more than it has needed at once since ``give_back_freed_memory``.  Nothing is
    changed if an environment variable for glibc's ``malloc`` is set, or where there is another C
    library.
    """
    if any(name in os.environ for name in CHOICES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # not glibc
        return False
    most = 2**31 - 1  # of freed memory at the end of the heap: all that an int can say
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, most))


def give_back_freed_memory() -> None:
    """Give all memory of freed arrays back to the system, as after work that is seldom done."""
    with contextlib.suppress(OSError, TypeError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)
