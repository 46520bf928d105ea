"""Draw the picture of docs/checking-gradients.md: the error of a difference against the nudge h.

python docs/images/central_difference.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minigan.activations import sigmoid

X = 0.7
H = np.logspace(-14, 0, 400)


def errors(dtype: Any, central: bool) -> Any:
    """Return |difference - σ'(x)| for each h, computed in ``dtype``."""
    x, h = dtype(X), H.astype(dtype)
    slope = sigmoid(np.float64(X)) * (1 - sigmoid(np.float64(X)))
    if central:
        numeric = (sigmoid(x + h) - sigmoid(x - h)) / (2 * h)
    else:
        numeric = (sigmoid(x + h) - sigmoid(x)) / h
    return np.abs(numeric.astype(np.float64) - slope)


def main() -> None:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    for label, dtype, central, color in (
        ("central, float64", np.float64, True, "#0072b2"),
        ("one-sided, float64", np.float64, False, "#e69f00"),
        ("central, float32", np.float32, True, "#999999"),
    ):
        error = np.maximum(errors(dtype, central), 1e-13)  # an error of 0 has no place on the axis
        axes.loglog(H, error, ".", markersize=3, color=color, label=label)
    axes.axvline(1e-5, color="black", linewidth=0.8)
    axes.annotate("h = 1e-5", (1.2e-5, 4e-13))
    axes.annotate("rounding: ~ 1 / h", (2e-13, 6e-10), rotation=-29, color="#0072b2")
    axes.annotate("truncation: ~ h²", (9e-4, 2e-10), rotation=48, color="#0072b2")
    axes.annotate("truncation: ~ h", (6e-8, 4e-8), rotation=29, color="#b87e00")
    axes.set(xlabel="h", ylabel="error of the slope", ylim=(5e-14, 1), xlim=(5e-15, 20))
    axes.set_title("The slope of the sigmoid at 0.7 from two values, against the exact one")
    axes.legend(loc="lower right", markerscale=4, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
