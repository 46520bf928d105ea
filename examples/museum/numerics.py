"""Third room: float32, shapes and ranges.  The lines are right on paper and for most numbers."""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan import activations, losses
from minigan.metrics import parzen_log_likelihood
from minigan.metrics.pixels import check_pixels

from .exhibit import Edit, Exhibit


def loss_when_right_and_sure() -> str:
    p = np.array([[1.0], [0.9]], dtype="float32")  # D(x) of two real images
    return f"{mg.bce(p, 1.0)[0]:.3f}"


clip = Exhibit(
    name="clip",
    bug="p is clipped to 1 - 1e-15, which is 1 in float32",
    edits=(
        Edit(
            losses._bce,
            "log_p = np.maximum(np.log(p), -100)",
            "p = np.clip(p, 1e-15, 1 - 1e-15)\nlog_p = np.log(p)",
        ),
        Edit(losses._bce, "log_q = np.maximum(np.log1p(-p), -100)", "log_q = np.log(1 - p)"),
    ),
    figure="loss of D(x) = 1 and 0.9 for two real images",
    symptom=loss_when_right_and_sure,
    check="mathematics/test_losses.py::test_bce_in_both_tails",
    arguments=(1.0,),
    mend="Clamp the logarithm, not p; or compute the loss from the logits.",
)


def gradient_of_a_hopeless_fake() -> str:
    p, cache = mg.Sigmoid().forward(np.array([[-20.0]], dtype="float32"))
    dx = mg.Sigmoid().backward(mg.bce(p, 1.0)[1], cache)
    return f"{dx[0, 0] + 0.0:.2f}"


lower_tail = Exhibit(
    name="lower-tail",
    bug="sigmoid by way of tanh",
    edits=(
        Edit(
            activations.sigmoid,
            "return np.exp(-np.logaddexp(0, -x))",
            "return 0.5 * (np.tanh(0.5 * x) + 1)",
        ),
    ),
    figure="G's gradient at the logit, where it is -20",
    symptom=gradient_of_a_hopeless_fake,
    check="mathematics/test_losses.py::test_gradient_through_the_sigmoid_lives_in_the_lower_tail",
    arguments=(),
    mend="Compute exp(-log(1 + exp(-x))), which keeps the lower tail.",
)


def dtype_of_dx() -> str:
    x = np.ones((64, 1024), dtype="float32")
    y, cache = mg.LeakyReLU(0.2).forward(x)
    dx = mg.LeakyReLU(0.2).backward(y, cache)
    return f"{dx.dtype}, {dx.nbytes // 1024} KB"


float64_creeps_in = Exhibit(
    name="float64",
    bug="a float64 mask meets a float32 gradient",
    edits=(
        Edit(
            mg.LeakyReLU.input_grad,
            "return dy * np.maximum(y > 0, s)",
            "return dy * np.where(y > 0, 1, self.negative_slope)",
        ),
    ),
    figure="dx of a float32 batch of 64 by 1024",
    symptom=dtype_of_dx,
    check="mathematics/test_layers.py::test_backends_agree_and_keep_dtype_and_arguments",
    arguments=("LeakyReLU", "float32", mg.get_backend()),
    mend="Give constants the dtype of the array, and test the dtype of every result.",
)


def loss_of_right_answers() -> str:
    p = np.array([[0.99], [0.01], [0.99], [0.01]])
    labels = np.array([1.0, 0.0, 1.0, 0.0])  # as a data set hands them out: (N,)
    return f"{mg.bce(p, labels)[0]:.2f}"


broadcast = Exhibit(
    name="broadcast",
    bug="targets (N,) meet answers (N, 1)",
    edits=(
        Edit(
            losses._check,
            'check_array("target", target, y.shape, like=y)',
            'check_array("target", target, like=y)',
        ),
    ),
    figure="loss of four right answers, targets (4,)",
    symptom=loss_of_right_answers,
    check="mathematics/test_losses.py::test_bad_targets",
    arguments=(
        mg.bce,
        np.ones(4, "float32"),
        ValueError,
        r"target has shape \(4,\), expected \(4, 1\)",
    ),
    mend="Compare the shapes in the loss, and let nothing broadcast there.",
)


def score_of_tanh_outputs() -> str:
    """Return the score of real digits, of which only the range is wrong."""
    images = mg.load_mnist("test")[0][:1600].reshape(-1, 784) / 255
    samples, test, validation = 2 * images[:1000] - 1, images[1000:1300], images[1300:]
    return f"{parzen_log_likelihood(samples, test, validation).log_likelihood:.0f} nats"


wrong_range = Exhibit(
    name="wrong-range",
    bug="tanh's images, in [-1, 1], are scored beside images in [0, 1]",
    edits=(
        Edit(
            check_pixels,
            "if not (low >= 0 and high <= 1):",
            "if False:",
        ),
    ),
    figure="Parzen log-likelihood of real digits, scaled to [-1, 1]",
    symptom=score_of_tanh_outputs,
    check="metrics/test_metrics.py::test_parzen_refuses_tanh_outputs",
    arguments=(),
    mend="Say the range in the docstring, check it, and map (y + 1) / 2 in one place.",
)

ROOM = (clip, lower_tail, float64_creeps_in, broadcast, wrong_range)
