"""How good are a generator's images?  One file for each measure, which also tells what it misses.

A measure takes images or features and returns figures; it does not know where the images are from.
This room exports the names listed below.  It imports the mathematics, because the digit classifier
is a network.
"""

from minigan.metrics.cas import accuracy_score
from minigan.metrics.classes import Classes, count_classes
from minigan.metrics.classifier import (
    digit_classifier,
    features_and_probabilities,
    load_classifier,
)
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.ndb import NDB, Bins
from minigan.metrics.neighbours import beside_nearest
from minigan.metrics.parzen import Parzen, parzen_log_likelihood
from minigan.metrics.precision_recall import PrecisionRecall, precision_and_recall

__all__ = [
    "NDB",
    "Bins",
    "Classes",
    "Parzen",
    "PrecisionRecall",
    "accuracy_score",
    "beside_nearest",
    "count_classes",
    "digit_classifier",
    "features_and_probabilities",
    "frechet_distance",
    "load_classifier",
    "parzen_log_likelihood",
    "precision_and_recall",
]
