"""The measures of a finished run, or of the shipped generator, and their report.

``minigan evaluate`` prints it.  This room exports the names listed below.  It imports ``metrics``
for the figures and ``training`` for the generator of a run.
"""

from minigan.evaluation.figures import Evaluation, Figures, Report
from minigan.evaluation.report import PARTS, write_report
from minigan.evaluation.table import report_table

__all__ = ["PARTS", "Evaluation", "Figures", "Report", "report_table", "write_report"]
