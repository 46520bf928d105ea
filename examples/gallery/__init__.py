"""The gallery of failures: a small GAN that works, and the lines that break it."""

from .failure import FAILURES, Failure
from .small_gan import Record, train

__all__ = ["FAILURES", "Failure", "Record", "train"]
