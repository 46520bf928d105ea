"""The time of a training step on this machine, and the floor under it: ``minigan bench``.

This room exports the names listed below.  It imports the mathematics and ``training``, whose steps
it times.
"""

from minigan.bench.by_recipe import RecipeTime, time_recipes
from minigan.bench.cpu import BatchReport, TimedStep, measure
from minigan.bench.gpu import GpuBench, GpuReport
from minigan.bench.table import cpu_table, gpu_table, recipe_table

__all__ = [
    "BatchReport",
    "GpuBench",
    "GpuReport",
    "RecipeTime",
    "TimedStep",
    "cpu_table",
    "gpu_table",
    "measure",
    "recipe_table",
    "time_recipes",
]
