"""The time of a training step on this machine, and the floor under it: ``minigan bench``.

This room exports the names listed below.  It imports the mathematics and ``training``, whose steps
it times.
"""

from minigan.bench.cpu import BatchReport, TimedStep, measure
from minigan.bench.gpu import GpuBench, GpuReport
from minigan.bench.table import cpu_table, gpu_table

__all__ = [
    "BatchReport",
    "GpuBench",
    "GpuReport",
    "TimedStep",
    "cpu_table",
    "gpu_table",
    "measure",
]
