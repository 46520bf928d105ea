"""A training run: its options and recipes, its state, its loop, its folder and its pictures.

This room exports the names listed below.  It imports the mathematics, ``data``, ``metrics`` (for
``--evaluate-every``), ``report`` (for the page), and the rooms that those import.
"""

from minigan.training.asking import asked_classes, latent_picture
from minigan.training.checkpoint import save_run, stored_run
from minigan.training.config import TrainConfig
from minigan.training.draws import draw_epoch, draw_start, draw_z
from minigan.training.model_file import layers_of, read_model
from minigan.training.pictures import image_grid, save_grid
from minigan.training.quality import QualityCheck
from minigan.training.recipes import RECIPES, Recipe
from minigan.training.run import Run
from minigan.training.sampling import (
    SAMPLE_COUNT,
    draw_samples,
    draw_truncated,
    find_generator,
    load_generator,
    unit_samples,
)
from minigan.training.stored_page import write_page
from minigan.training.trained import Trained, save_trained, stored_generator
from minigan.training.trainer import Trainer
from minigan.training.walking import great_circles

__all__ = [
    "RECIPES",
    "SAMPLE_COUNT",
    "QualityCheck",
    "Recipe",
    "Run",
    "TrainConfig",
    "Trained",
    "Trainer",
    "asked_classes",
    "draw_epoch",
    "draw_samples",
    "draw_start",
    "draw_truncated",
    "draw_z",
    "find_generator",
    "great_circles",
    "image_grid",
    "latent_picture",
    "layers_of",
    "load_generator",
    "read_model",
    "save_grid",
    "save_run",
    "save_trained",
    "stored_generator",
    "stored_run",
    "unit_samples",
    "write_page",
]
