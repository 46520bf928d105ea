"""The report of an evaluation as a table for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from minigan.evaluation.report import Figures, Report
from minigan.metrics import Parzen


def report_table(report: Report) -> str:
    """Return the figures side by side, with notes on how to read them."""
    generated, real = report.generator, report.real
    rows: list[tuple[str, str, str, str]] = [("", "generator", "real images", "")]

    def row(name: str, pick: Callable[[Figures], str], note: str) -> None:
        rows.append((name, pick(generated), pick(real), note))

    row("NDB, bins that differ", lambda f: f"{f.ndb.different}", "of 100: lower is better")
    row("JS of the bins", lambda f: f"{f.ndb.js:.4f}", "lower is better")
    row("classes present", lambda f: f"{f.classes.present}", "of 10, each at least 1 %")
    row("KL of the classes", lambda f: f"{f.classes.kl:.3f}", "lower is better")
    row("confident", lambda f: f"{100 * f.classes.confident:.0f} %", "the classifier is sure")
    row("Fréchet distance", lambda f: f"{f.frechet:.1f}", "lower is better; not an FID")
    row("precision", lambda f: f"{f.precision_recall.precision:.2f}", "are they good?")
    row("recall", lambda f: f"{f.precision_recall.recall:.2f}", "are all kinds drawn?")
    centroids = _plus_minus(report.centroids)
    note = f"higher is better, with care: centroids of k-means have {centroids}"
    row("Parzen log-likelihood", lambda f: _plus_minus(f.parzen), note)
    nearest = f"{report.nearest:.3f}", f"{report.nearest_real:.3f}"
    note = "real: of test images; copies are much nearer"
    rows.append(("to nearest training image", *nearest, note))
    if report.asked and report.asked_real:
        asked, real_asked = report.asked, report.asked_real
        shares = f"{100 * asked.share:.1f} %", f"{100 * real_asked.share:.1f} %"
        rows.append(("asked digit drawn", *shares, "as far as the classifier can read it"))
        scores = f"{100 * asked.score:.1f} %", f"{100 * real_asked.score:.1f} %"
        rows.append(("accuracy score", *scores, "of a classifier trained on such images alone"))
    lines = [f"{name:26}{a:>12}{b:>14}   {note}".rstrip() for name, a, b, note in rows]
    lines += ["", "digits, in %" + "".join(f"{k:6}" for k in range(len(generated.classes.shares)))]
    for name, figures in (("generator", generated), ("real images", real)):
        lines.append(f"{name:12}" + "".join(f"{100 * x:6.1f}" for x in figures.classes.shares))
    if report.asked and report.asked_real:
        lines += ["", "Fréchet distance of each digit"]
        for name, one in (("generator", report.asked), ("real images", report.asked_real)):
            cells = (f"{'-' if x is None else format(x, '.1f'):>6}" for x in one.frechet)
            lines.append(f"{name:12}" + "".join(cells))
    return "\n".join(lines)


def _plus_minus(result: Parzen) -> str:
    return f"{result.log_likelihood:.0f} ± {result.standard_error:.0f}"
