"""How good are a generator's images?  A file for each measure, which says what it misses."""

from minigan.metrics.classes import Classes, count_classes
from minigan.metrics.classifier import digit_classifier, load_classifier, look
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.ndb import NDB, Bins
from minigan.metrics.neighbours import beside_nearest
from minigan.metrics.parzen import Parzen, parzen
from minigan.metrics.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "NDB",
    "Bins",
    "Classes",
    "Parzen",
    "PrecisionRecall",
    "beside_nearest",
    "count_classes",
    "digit_classifier",
    "frechet_distance",
    "load_classifier",
    "look",
    "parzen",
    "precision_recall",
]
