"""The page of a run, ``report.html``: what a reader can look at, touch, and read off.

This room exports the names listed below.  Each module prepares one part of the page as plain data:
networks as numbers that the page can compute with, pictures, figures and tables.  ``page`` puts the
data and the files of the folder ``page/``, which are HTML, CSS and JavaScript, into one file.  The
room imports the mathematics and ``machine``; it does not know how a run is stored, because
``training`` hands it what it needs.
"""

from minigan.report.curves import curves_of
from minigan.report.directions import principal_directions
from minigan.report.film import film_of, picture_of
from minigan.report.measures import measures_of
from minigan.report.networks import network_of, packed
from minigan.report.page import page_html

__all__ = [
    "curves_of",
    "film_of",
    "measures_of",
    "network_of",
    "packed",
    "page_html",
    "picture_of",
    "principal_directions",
]
