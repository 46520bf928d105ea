"""The report of an evaluation as a table for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from minigan.evaluation.figures import Figures, Report
from minigan.metrics import Parzen


def report_table(report: Report) -> str:
    """Return the figures side by side, with notes on how to read them.

    What was not measured has no row.
    """
    generated, real = report.generator, report.real
    rows: list[tuple[str, str, str, str]] = [("", "generator", "real images", "")]

    def row(name: str, pick: Callable[[Figures], str | None], note: str) -> None:
        a, b = pick(generated), pick(real)
        if a is not None and b is not None:
            rows.append((name, a, b, note))

    of = f"of {generated.ndb.bins}: lower is better"
    row("NDB, bins that differ", lambda f: f"{f.ndb.different}", of)
    row("JS of the bins", lambda f: f"{f.ndb.js:.4f}", "lower is better")
    row(
        "classes present",
        lambda f: f.classes and f"{f.classes.present}",
        "of 10, each at least 1 %",
    )
    row("KL of the classes", lambda f: f.classes and f"{f.classes.kl:.3f}", "lower is better")
    row(
        "confident",
        lambda f: f.classes and f"{100 * f.classes.confident:.0f} %",
        "the classifier is sure",
    )
    note = "lower is better; not an FID"
    row("Fréchet distance", lambda f: None if f.frechet is None else f"{f.frechet:.1f}", note)
    row(
        "precision",
        lambda f: f.precision_recall and f"{f.precision_recall.precision:.2f}",
        "are they good?",
    )
    row(
        "recall",
        lambda f: f.precision_recall and f"{f.precision_recall.recall:.2f}",
        "are all kinds drawn?",
    )
    if report.centroids is not None:
        centroids = _plus_minus(report.centroids)
        note = f"higher is better, with care: centroids of k-means have {centroids}"
        row("Parzen log-likelihood", lambda f: f.parzen and _plus_minus(f.parzen), note)
    of_real = "-" if report.nearest_real is None else f"{report.nearest_real:.3f}"
    note = "real: of test images; copies are much nearer"
    rows.append(("to nearest training image", f"{report.nearest:.3f}", of_real, note))
    if report.asked and report.asked_real:
        asked, real_asked = report.asked, report.asked_real
        shares = f"{100 * asked.share:.1f} %", f"{100 * real_asked.share:.1f} %"
        rows.append(("asked digit drawn", *shares, "as far as the classifier can read it"))
        scores = f"{100 * asked.score:.1f} %", f"{100 * real_asked.score:.1f} %"
        rows.append(("accuracy score", *scores, "of a classifier trained on such images alone"))
    lines = [f"{name:26}{a:>12}{b:>14}   {note}".rstrip() for name, a, b, note in rows]
    if generated.classes and real.classes:
        digits = "".join(f"{k:6}" for k in range(len(generated.classes.shares)))
        lines += ["", "digits, in %" + digits]
        for name, classes in (("generator", generated.classes), ("real images", real.classes)):
            lines.append(f"{name:12}" + "".join(f"{100 * x:6.1f}" for x in classes.shares))
    if report.asked and report.asked_real:
        lines += ["", "Fréchet distance of each digit"]
        for name, one in (("generator", report.asked), ("real images", report.asked_real)):
            cells = (f"{'-' if x is None else format(x, '.1f'):>6}" for x in one.frechet)
            lines.append(f"{name:12}" + "".join(cells))
    return "\n".join(lines)


def _plus_minus(result: Parzen) -> str:
    return f"{result.log_likelihood:.0f} ± {result.standard_error:.0f}"
