"""Right and wrong answers are told apart, and nothing is given away."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from helpers.exercise_files import (
    ADAM,
    BCE,
    CLASSES,
    CONV,
    GAN,
    LEAKY,
    LINEAR,
    LOGITS,
    MODULATED,
    NORM,
    R1,
    RELU,
    SIGMOID,
    SOFTMAX,
    TANH,
    answers,
    fill,
    line_of,
)

from minigan.exercises.checks import EXERCISES
from minigan.exercises.diagnosis import AnswerError, check_values
from minigan.exercises.verdicts import NOT_YET, RIGHT, WRONG, check_file

DV_DQ = "dv, dq = dy * d, -dy * v * d**3 / 2\n"
M_HAT, V_HAT = "m / (1 - self.beta1**t)", "v / (1 - self.beta2**t)"
KERNEL = "for r, s in places(W):\n    "
LOOP_Y = (
    "y = np.zeros((len(x), len(b), x.shape[2] - 1, x.shape[3] - 2))\n" + KERNEL +
    "y += np.einsum('nchw,fc->nfhw', seen(x, r, s, y.shape), W[:, :, r, s])\n"
)  # fmt: skip
LOOP_W = (
    "dW = np.empty_like(W)\n" + KERNEL +
    "dW[:, :, r, s] = np.einsum('nfhw,nchw->fc', dy, seen(x, r, s, dy.shape))\n"
)  # fmt: skip
LOOP_X = (
    "dx = np.zeros_like(x)\n" + KERNEL + "part = seen(dx, r, s, dy.shape)\n    "
    "part[...] += np.einsum('nfhw,fc->nchw', dy, W[:, :, r, s])\n"
)  # fmt: skip

WRONG_ANSWERS = [
    # exercise, blank, answer, what the line says about it
    (LINEAR, "dW", "return dy.T @ x",
     r"dW has shape \(5, 3\), which is that of its transpose, expected \(3, 5\)"),
    (LINEAR, "dW", "return x.T @ dy / len(x)", r"every entry is 7 times too small \(N is 7\)"),
    (LINEAR, "dW", "return -(x.T @ dy)", "the sign is opposite everywhere"),
    (LINEAR, "dW", "return x.T @ np.ones_like(dy)", "15 of 15 entries are wrong"),
    (LINEAR, "dW", "return x @ dy",
     rf"ex01_linear\.py, line {line_of(LINEAR, 'dW')}: ValueError: matmul: .*"),
    (LINEAR, "dW", "self.dW[...] = x.T @ dy", r"dW is None, .*: is a return missing\?"),
    (LINEAR, "dW", "return (x.T @ dy).tolist()",
     r"dW is a list, expected an array of shape \(3, 5\)"),
    (LINEAR, "dW", "dW = x.T @ dy\ndW[2, 1] += 0.1\nreturn dW",
     r"dW\[2, 1\] is .*; 1 of 15 entries .*"),
    (LINEAR, "dW", "return np.zeros_like(self.W)", r"dW.* is 0, .*; every entry is 0"),
    (LINEAR, "dW", "return np.full_like(self.W, np.nan)", r"dW\[0, 0\] is nan, .*; 15 of 15 .*"),
    (LINEAR, "db", "return dy.sum(axis=1)", r"db has shape \(7,\), expected \(5,\)"),
    (LINEAR, "db", "return dy.mean(axis=0)", r"every entry is 7 times too small \(N is 7\)"),
    (LINEAR, "db", "return dy.sum(axis=0, keepdims=True)",
     r"db has shape \(1, 5\), expected \(5,\)"),
    (LINEAR, "db", "return dy.sum()", r"db is a float64, expected an array of shape \(5,\)"),
    (LINEAR, "db", "return dy.sum(axis=0).astype(int)",
     "db has dtype int64 for arguments of float64.*"),
    (LINEAR, "dx", "return self.W @ dy.T",
     r"dx has shape \(3, 7\), which is that of its transpose, .*"),
    (LINEAR, "dx", "return dy @ self.W.T / self.n_out", r"5 times too small \(n_out is 5\)"),
    (LINEAR, "dx", "self.W *= 2\nreturn dy @ self.W.T / 2", r"W was changed in place; .*"),
    (RELU, "dx", "return dy * (x < 0)", r"dx\[.* entries are wrong"),
    (RELU, "dx", "return dy", "all is right where x > 0"),
    (RELU, "dx", "return x > 0", "dx has dtype bool for arguments of float64, expected float64"),
    (RELU, "dx", "dy[x < 0] = 0\nreturn dy", "dy was changed in place; .*"),
    (RELU, "dx", "x[x < 0] = 0\nreturn dy * (x > 0)", "x was changed in place; .*"),
    (LEAKY, "dx", "return dy * (x > 0)", "all is right where x > 0"),
    (LEAKY, "dx", "return np.where(x > 0, 1, self.negative_slope)", "21 of 21 entries are wrong"),
    (LEAKY, "dx", "return dy * np.where(x > 0, 1, self.negative_slope)",
     "dx has dtype float64 for arguments of float32, expected float32"),
    (LEAKY, "dx", "return np.where(x > 0, dy, dy / self.negative_slope)",
     "all is right where x > 0"),
    (LEAKY, "dx", "return np.where(x > 0, dy, 0.2 * dy)", "all is right where x > 0"),
    (LEAKY, "dx", "return np.where(x > 0, dy, self.negative_slope * dy) * 1.0001",
     r"every entry is 1\.0001 times too large"),
    (LEAKY, "dx", "return super().input_grad(dy, x)",
     rf"ex03_leaky_relu\.py, line {line_of(LEAKY, 'dx')}: "
     "NotImplementedError: LeakyReLU has no input_grad"),
    (LEAKY, "dx", "exec('raise NotImplementedError(\"dx\")')",
     rf"ex03_leaky_relu\.py, line {line_of(LEAKY, 'dx')}: NotImplementedError: dx"),
    (TANH, "dx", "return dy * (1 - y)", "entries are wrong"),
    (TANH, "dx", "y *= y\nreturn dy * (1 - y)", "^y was changed in place; .*"),
    (TANH, "dx", "return (dy * (1 - y * y)).view(np.matrix)",
     r"dx is a matrix, expected a plain array of shape \(7, 3\)"),
    (TANH, "dx", "return np.ma.array(dy * (1 - y * y))", "dx is a MaskedArray, .*"),
    (TANH, "dx", "return 1 - y * y", "21 of 21 entries are wrong"),
    (TANH, "dx", "return dy * (y * y - 1)", "the sign is opposite everywhere"),
    (TANH, "dx", "return dy * (1 - np.tanh(y) ** 2)", "entries are wrong"),
    (SIGMOID, "dx", "return dy * (1 - y * y)", "entries are wrong"),
    (SIGMOID, "dx", "return dy * y * (y - 1)", "the sign is opposite everywhere"),
    (SIGMOID, "dx", "return dy * y / (1 - y)", "entries are wrong"),
    (BCE, "dp", "return (p - target) / (p * (1 - p))",
     r"every entry is 21 times too large \(n is 21\)"),
    (BCE, "dp", "return (p - target) / (p * (1 - p)) / len(p)",
     r"3 times too large \(n / N is 3\)"),
    (BCE, "dp", "return (target - p) / (p * (1 - p)) / p.size", "the sign is opposite everywhere"),
    (BCE, "dp", "return -target / p / p.size", "entries are wrong"),
    (BCE, "dp", "return (p - target) / p.size", "entries are wrong"),
    (BCE, "dp", "return (target - p) / (p * (1 - p))",
     "21 times too large and has the opposite sign.*"),
    (LOGITS, "dlogits", "return sigmoid(logits) - target", r"21 times too large \(n is 21\)"),
    (LOGITS, "dlogits", "return (logits - target) / logits.size", "entries are wrong"),
    (LOGITS, "dlogits", "return (target - sigmoid(logits)) / logits.size",
     "the sign is opposite.*"),
    (NORM, "dgamma", "return dy * x_hat", r"dgamma has shape \(7, 3\), expected \(3,\)"),
    (NORM, "dgamma", "return (dy * x_hat).mean(axis=0)", r"7 times too small \(N is 7\)"),
    (NORM, "dgamma", "return dy.sum(axis=0)", "3 of 3 entries are wrong"),
    (NORM, "dbeta", "return dy.mean(axis=0)", r"7 times too small \(N is 7\)"),
    (NORM, "dbeta", "return (dy * x_hat).sum(axis=0)", "3 of 3 entries are wrong"),
    (NORM, "dx", "return self.gamma * factor * dy", "21 of 21 entries are wrong"),
    (NORM, "dx",
     "return self.gamma * factor * (dy - x_hat * (dy * x_hat).mean(axis=0))",
     "each column is off by one number, the same in all of its rows"),
    (NORM, "dx", "return self.gamma * factor * (dy - dy.mean(axis=0))", "entries are wrong"),
    (NORM, "dx",
     "return factor * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))",
     "each column is off by one factor, the same in all of its rows"),
    (NORM, "dx",
     "dy -= dy.mean(axis=0)\nreturn self.gamma * factor * (dy - x_hat * (dy * x_hat).mean(axis=0))",
     "dy was changed in place; .*"),
    (NORM, "dx", "x_hat *= 2\nreturn dy", "^x_hat was changed in place; .*"),
    (NORM, "dx", "factor *= 2\nreturn dy", "^factor was changed in place; .*"),
    (NORM, "dx", "return self.grad_beta(dy, x_hat)",
     rf"ex08_batch_norm\.py, line {line_of(NORM, 'dbeta')}: NotImplementedError: dbeta"),
    (ADAM, "m", "return self.beta1 * m + g",
     r"in step 1 m\[\d\] is .*; every entry is 5 times too large"),
    (ADAM, "m", "return (1 - self.beta1) * m + self.beta1 * g", "in step 1 .* 4 times too large"),
    (ADAM, "m", "return (1 - self.beta1) * g", r"right so far, but in step 2 m\[\d\] is .*"),
    (ADAM, "m", "m += (1 - self.beta1) * (g - m)\nreturn m", "m was changed in place; .*"),
    (ADAM, "m", "self.t += 1\nreturn self.beta1 * m + (1 - self.beta1) * g",
     r"in step 1 the answer changes t, which step\(\) has counted already"),
    (ADAM, "move",
     f"s = self.lr * ({M_HAT}) / (np.sqrt({V_HAT}) + self.eps)\nself.net.params -= s\nreturn s",
     "net.params was changed in place; .*"),
    (ADAM, "v", "return self.beta2 * v + (1 - self.beta2) * g", r"in step 1 v\[\d\] is .*"),
    (ADAM, "v", "return self.beta1 * v + (1 - self.beta1) * g * g",
     "in step 1 .* 4 times too large"),
    (ADAM, "move", "return self.lr * m / (np.sqrt(v) + self.eps)", r"in step 1 move\[\d\] is .*"),
    (ADAM, "move",  # the power of t forgotten
     "return self.lr * m / (1 - self.beta1) / (np.sqrt(v / (1 - self.beta2)) + self.eps)",
     r"right so far, but in step 2 move\[\d\] is .*, mg\.Adam has .*"),
    (ADAM, "move",  # eps outside the bias correction
     "scale = self.lr * (1 - self.beta2**t) ** 0.5 / (1 - self.beta1**t)\n"
     "return scale * m / (np.sqrt(v) + self.eps)",
     r"in step 1 move\[\d\] is .*"),
    (ADAM, "move", f"return self.lr * ({M_HAT}) / np.sqrt({V_HAT} + self.eps)", "in step 1 .*"),
    (ADAM, "move", f"return self.lr * ({M_HAT}) / np.sqrt({V_HAT})", "in step 1 .*"),
    (ADAM, "move", f"return -self.lr * ({M_HAT}) / (np.sqrt({V_HAT}) + self.eps)", ".*opposite.*"),
    (ADAM, "move", "return self.lr / (1 - self.beta1 ** (t - 1)) * m / (v + 1)",
     rf"ex09_adam\.py, line {line_of(ADAM, 'move')}: ZeroDivisionError: .*"),
    (ADAM, "move", "return self.lr * m / (1 - self.beta1 ** (t - 1)) / (v + 1)",
     r"in step 1 move\[0\] is -?inf, mg\.Adam has .*"),
    (GAN, "d_learns", "D.backward(np.concatenate([dp_real, dp_fake]), cache)",
     r"D\.grads is right, but the gradient at the images, which nothing uses, was computed too"),
    (GAN, "d_learns",
     "D.backward(np.concatenate([dp_real, dp_fake]), cache, param_grads=False)",
     r"D\.grads was not filled"),
    (GAN, "d_learns",
     "D.backward(np.concatenate([dp_fake, dp_real]), cache, input_grad=False)",
     r"D\.grads\[\d+\] is .*"),
    (GAN, "d_learns",
     "D.backward(np.concatenate([dp_real, dp_fake]) / 2, cache, input_grad=False)",
     r"every entry is 2 times too small"),
    (GAN, "through_d", "return D.backward(dp, cache)",
     r"d_fake is right, but D\.grads, which nothing uses, was computed too"),
    (GAN, "through_d",
     "kept = D.grads.copy()\nd_fake = D.backward(dp, cache)\nD.grads[...] = kept\nreturn d_fake",
     r"d_fake is right, but D\.grads, which nothing uses, was computed too"),
    (GAN, "through_d",
     "cache.layers[0][...] = 0\nreturn D.backward(dp, cache, param_grads=False)",
     "fake was changed in place; .*"),
    (GAN, "through_d", "return D.backward(dp, cache, input_grad=False)", "d_fake is None, .*"),
    (GAN, "through_d", "return -D.backward(dp, cache, param_grads=False)", ".*sign is opposite.*"),
    (GAN, "g_learns", "G.backward(d_fake, cache)",
     r"G\.grads is right, but the gradient at z, which nothing uses, was computed too"),
    (GAN, "g_learns", "pass", r"G\.grads was not filled"),
    (GAN, "g_learns", "G.backward(-d_fake, cache, input_grad=False)", "the sign is opposite.*"),
    (R1, "first_t", "return gamma * g", r"every entry is 7 times too large \(N is 7\)"),
    (R1, "first_t", "return g / len(g)", r"every entry is 3 times too small \(.*\)"),
    (R1, "first_t", "return 2 * gamma / len(g) * g", "every entry is 2 times too large"),
    (R1, "grad_W", "return dy.T @ t",
     r"dR/dW has shape \(5, 3\), which is that of its transpose, expected \(3, 5\)"),
    (R1, "grad_W", "return np.ones_like(t).T @ dy", "15 of 15 entries are wrong"),
    (R1, "upward", "return t @ W", "dR/du.* entries are wrong"),
    (R1, "upward", "return (t @ W) / m", "dR/du.* entries are wrong"),
    (CLASSES, "dT", "dT = np.zeros((K, dy.shape[1]), dy.dtype)\ndT[labels] += dy\nreturn dT",
     r"dT\[[49], \d\] is .*; all is right where the class occurs at most once"),
    (CLASSES, "dT", "return dy[labels % len(dy)]", r"dT has shape \(7, 5\), expected \(11, 5\)"),
    (CLASSES, "dT",
     "dT = np.zeros((labels.max() + 1, dy.shape[1]))\nnp.add.at(dT, labels, dy)\nreturn dT",
     r"dT has shape \(10, 5\), expected \(11, 5\)"),
    (CLASSES, "dT",
     "c = np.eye(K, dtype=dy.dtype)[labels]\nreturn c.T @ dy / len(dy)",
     r"every entry is 7 times too small \(N is 7\)"),
    (CLASSES, "dT", "return np.eye(K)[labels].T @ dy",
     "dT has dtype float64 for arguments of float32, expected float32"),
    (CLASSES, "dT", "c = np.eye(K)[labels]\nreturn c.T @ dy / np.maximum(c.sum(0), 1)[:, None]",
     "all is right where the class occurs at most once"),
    (CLASSES, "dT", "c = np.eye(K)[labels]\nreturn (c.T @ dy) * (c.sum(0) > 1)[:, None]",
     "all is right where the class occurs more than once"),
    (CLASSES, "dT", "labels.sort()\nreturn dy", "labels was changed in place; .*"),
    (CLASSES, "dy", "return dp", r"dy has shape \(7, 1\), expected \(7, 11\)"),
    (CLASSES, "dy", "return dp.repeat(K, axis=1)",
     r"dy\[.* 0; all is right where the label picks the output"),
    (CLASSES, "dy", "return np.eye(K, dtype=dp.dtype)[labels]",
     "all is right where the label does not pick the output"),
    (CLASSES, "dy", "return dp / K * np.eye(K, dtype=dp.dtype)[labels]",
     r"every entry is 11 times too small \(K is 11\)"),
    (CLASSES, "dy", "dy = np.zeros((len(dp), K))\ndy[:, labels] = dp\nreturn dy",
     "all is right where the label picks the output"),
    (CLASSES, "dy", "dp *= 1.5\nreturn dp * np.eye(K)[labels]", "dp was changed in place; .*"),
    (SOFTMAX, "dx", "return dp * p",
     r"dx\[\d, \d\] is .*; what comes back by way of the denominator is missing"),
    (SOFTMAX, "dx", "return -p * (dp * p).sum(axis=1, keepdims=True)",
     "; what comes back by way of the numerator is missing"),
    (SOFTMAX, "dx", "return p * (dp + (dp * p).sum(axis=1, keepdims=True))",
     "; what comes back by way of the denominator has the opposite sign"),
    (SOFTMAX, "dx", "return p * (dp - (dp * p).sum(axis=0))",
     "a sum runs over the rows, but each row has a denominator of its own"),
    (SOFTMAX, "dx", "return dp * p * (1 - p)", "35 of 35 entries are wrong"),
    (SOFTMAX, "dx", "return p * (dp - (dp * p).sum(axis=1, keepdims=True)) / len(p)",
     r"every entry is 7 times too small \(N is 7\)"),
    (SOFTMAX, "dlogits", "return softmax(logits) - target",
     r"every entry is 7 times too large \(N is 7\)"),
    (SOFTMAX, "dlogits", "return (softmax(logits) - target) / logits.size",
     r"every entry is 5 times too small \(K is 5\)"),
    (SOFTMAX, "dlogits", "return (target - softmax(logits)) / len(target)",
     "the sign is opposite everywhere"),
    (SOFTMAX, "dlogits", "return (softmax(logits) - 1) * target / len(target)",
     "all is right where the target is 1"),
    (SOFTMAX, "dlogits", "logits -= logits.max()\nreturn logits",
     "logits was changed in place; .*"),
    (CONV, "y", "return 0 * x[:, :1]", r"y has shape \(3, 1, 5, 4\), expected \(3, 5, 4, 2\)"),
    (CONV, "y", LOOP_Y + "return y", r"y\[.*, the sum over the window is .*; b is missing"),
    (CONV, "y", LOOP_Y.replace("r, s])", "-1 - r, -1 - s])") + "return y + b[:, None, None]",
     "the kernels are turned by half a turn"),
    (CONV, "dW", LOOP_W + "return dW / len(x)", r"3 times too small \(N is 3\)"),
    (CONV, "dW", LOOP_W + "return dW / dy[0, 0].size",
     r"8 times too small \(the number of places is 8\)"),
    (CONV, "dW", LOOP_W + "return dW[:, :, ::-1, ::-1]", "the kernels are turned by half a turn"),
    (CONV, "dW", LOOP_W.replace("dy, seen(x,", "dy[-1:], seen(x[-1:],") + "return dW",
     "that is the gradient of the last image alone"),
    (CONV, "db", "return dy.sum(axis=0)", r"db has shape \(5, 4, 2\), expected \(5,\)"),
    (CONV, "db", "return dy.sum(axis=(1, 2, 3))", r"db has shape \(3,\), expected \(5,\)"),
    (CONV, "db", "return dy.mean(axis=(0, 2, 3))",
     r"24 times too small \(N times the places is 24\)"),
    (CONV, "db", "return dy.sum(axis=0).mean(axis=(1, 2))",
     r"8 times too small \(the number of places is 8\)"),
    (CONV, "dx", LOOP_X.replace("r, s])", "-1 - r, -1 - s])") + "return dx",
     "that would be right if the kernels were turned by half a turn"),
    (CONV, "dx", LOOP_X.replace("+=", "=") + "return dx", r"\d+ of 120 entries are wrong"),
    (CONV, "dx", LOOP_X + "return dx.astype('f8')",
     "dx has dtype float64 for arguments of float32, expected float32"),
    (MODULATED, "q", "return (1 + s) ** 2 @ W",
     r"q\[\d, \d\] is .*, the matrices of the rows have .*; 35 of 35 entries are wrong"),
    (MODULATED, "q", "return (1 + s) ** 2 @ W**2 / 3", r"3 times too small \(n_in is 3\)"),
    (MODULATED, "q", "return (1 + s) ** 2 @ W.T**2",
     rf"ex13_modulated\.py, line {line_of(MODULATED, 'q')}: ValueError: matmul: .*"),
    (MODULATED, "q", "W *= W\nreturn (1 + s) ** 2 @ W", "W was changed in place; .*"),
    (MODULATED, "q", "return (1.0 + s.astype('f8')) ** 2 @ W**2",
     "q has dtype float64 for arguments of float32, expected float32"),
    (MODULATED, "dW", "return ((1 + s) * x).T @ (dy * d)",
     r"dW\[\d, \d\] is .*; what comes back by way of d is missing"),
    (MODULATED, "dW", DV_DQ + "return 2 * W * ((1 + s).T ** 2 @ dq)",
     "; what comes back by way of v is missing"),
    (MODULATED, "dW", DV_DQ + "return ((1 + s) * x).T @ dv + W * ((1 + s).T ** 2 @ dq)",
     "; what comes back by way of d is 2 times too small"),
    (MODULATED, "dW", DV_DQ + "return ((1 + s) * x).T @ dv - 2 * W * ((1 + s).T ** 2 @ dq)",
     "; what comes back by way of d has the opposite sign"),
    (MODULATED, "dW", DV_DQ + "return ((1 + s) * x).T @ dv + 4 * W * ((1 + s).T ** 2 @ dq)",
     "; what comes back by way of d is 2 times too large"),
    (MODULATED, "dW", DV_DQ + "return ((1 + s) * x).T @ dy + 2 * W * ((1 + s).T ** 2 @ dq)",
     "15 of 15 entries are wrong"),
    (MODULATED, "dW", DV_DQ + "return dv.T @ ((1 + s) * x) + 2 * W.T * (dq.T @ (1 + s) ** 2)",
     r"dW has shape \(5, 3\), which is that of its transpose, expected \(3, 5\)"),
    (MODULATED, "dx", "return (dy * d) @ W.T", r"dx\[\d, \d\] is .*; that is du"),
    (MODULATED, "dx", "return (1 + s) * (dy @ W.T)", "21 of 21 entries are wrong"),
    (MODULATED, "dx", "return s * ((dy * d) @ W.T)", "21 of 21 entries are wrong"),
    (MODULATED, "dx", "d *= dy\nreturn (1 + s) * (d @ W.T)", "^d was changed in place; .*"),
    (MODULATED, "ds", "return x * ((dy * d) @ W.T)", "; what comes back by way of d is missing"),
    (MODULATED, "ds", DV_DQ + "return x * (dv @ W.T) + (1 + s) * (dq @ W.T**2)",
     "; what comes back by way of d is 2 times too small"),
    (MODULATED, "ds", DV_DQ + "return x * (dv @ W.T) + 2 * s * (dq @ W.T**2)",
     "21 of 21 entries are wrong"),
    (MODULATED, "ds", "return (x * ((dy * d) @ W.T)).sum(axis=0)",
     r"ds has shape \(3,\), expected \(7, 3\)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "blank", "code", "says"),
    WRONG_ANSWERS,
    ids=[f"{name[:4]}-{blank}-{i}" for i, (name, blank, _, _) in enumerate(WRONG_ANSWERS)],
)
def test_wrong_answers(name: str, blank: str, code: str, says: str, tmp_path: Path) -> None:
    verdicts = {one.blank: one for one in check_file(fill(tmp_path, name, blank, code))}
    assert list(verdicts) == list(EXERCISES[name])
    found = verdicts.pop(blank)
    assert found.verdict == WRONG
    assert re.search(says + "$", found.detail), found.detail
    assert "\n" not in found.detail
    assert all(other.verdict == NOT_YET for other in verdicts.values())
    assert not any(line in found.detail for line in answers(name))


def test_a_wrong_entry_is_named_with_both_values(tmp_path: Path) -> None:
    code = "dW = x.T @ dy\ndW[2, 1] += 0.25\nreturn dW"
    detail = check_file(fill(tmp_path, LINEAR, "dW", code))[0].detail
    match = re.match(r"dW\[2, 1\] is (\S+), finite differences say (\S+); ", detail)
    assert match
    assert float(match[1]) - float(match[2]) == pytest.approx(0.25, abs=1e-5)  # 7 digits


@pytest.mark.parametrize(
    ("name", "blank", "code"),
    [
        (LINEAR, "dW", 'return np.einsum("ni,nj->ij", x, dy)'),
        (LINEAR, "db", "return np.ones(len(dy), dtype=dy.dtype) @ dy"),
        (RELU, "dx", "return np.where(x > 0, dy, 0)"),
        (RELU, "dx", "dx = dy.copy()\ndx[x <= 0] = 0\nreturn dx"),
        (TANH, "dx", "return dy / np.cosh(np.arctanh(y)) ** 2"),
        (BCE, "dp", "return (-target / p + (1 - target) / (1 - p)) / p.size"),
        (LOGITS, "dlogits",
         "p = sigmoid(logits)\nreturn (p - target) / (p * (1 - p)) / p.size * p * (1 - p)"),
        (NORM, "dx",
         "from minigan.batch_norm import backward_in_steps\n"
         "return backward_in_steps(dy, x_hat / factor, self.gamma, self.eps)[0]"),
        (ADAM, "move",  # another order of the same numbers
         "scale = self.lr / (1 - self.beta1**t)\n"
         "return scale * m / (np.sqrt(v) / (1 - self.beta2**t) ** 0.5 + self.eps)"),
        (ADAM, "m",  # what step() has set by the time of each
         "return self.beta1 * self.m + (1 - self.beta1) * self.net.grads"),
        (ADAM, "v", "g = self.net.grads\nreturn self.beta2 * self.v + (1 - self.beta2) * g * g"),
        (ADAM, "move",
         "m_hat = self.m / (1 - self.beta1**self.t)\n"
         "return self.lr * m_hat / (np.sqrt(self.v / (1 - self.beta2**self.t)) + self.eps)"),
        (CLASSES, "dT", "return np.eye(K, dtype=dy.dtype)[labels].T @ dy"),
        (CLASSES, "dT",
         "return np.stack([dy[labels == k].sum(axis=0) for k in range(K)])"),
        (CLASSES, "dy",
         "dy = np.zeros((len(dp), K), dp.dtype)\n"
         "dy[np.arange(len(dp)), labels] = dp[:, 0]\nreturn dy"),
        (CLASSES, "dy", "return np.where(np.arange(K) == labels[:, None], dp, 0)"),
        (MODULATED, "q", 'return np.einsum("ni,ij->nj", (1 + s) ** 2, W**2)'),
        (MODULATED, "dW",  # by the matrix of each row
         "own = (1 + s)[:, :, None] * W\n"
         "dM = d[:, None] * (x[:, :, None] * dy[:, None] - own * (dy * v * d * d)[:, None])\n"
         "return (dM * (1 + s)[:, :, None]).sum(axis=0)"),
        (MODULATED, "ds", "du = (dy * d) @ W.T\n"
         "return x * du - (1 + s) * ((dy * v * d * d * d) @ (W * W).T)"),
    ],
)  # fmt: skip
def test_other_ways_to_be_right(name: str, blank: str, code: str, tmp_path: Path) -> None:
    verdicts = {one.blank: one for one in check_file(fill(tmp_path, name, blank, code))}
    assert verdicts[blank].verdict == RIGHT, verdicts[blank]


def test_a_cache_may_hold_more_than_arrays(tmp_path: Path) -> None:
    file = fill(tmp_path, TANH, "dx", "y, *_ = y\nreturn dy * (1 - y * y)")
    file.write_text(
        file.read_text().replace("return y, y", 'return y, (y, None, 0.5, np.array(["tanh"]))')
    )
    (found,) = check_file(file)
    assert found.verdict == RIGHT, found


def test_an_entry_barely_off_has_no_factor() -> None:
    expected = np.ones(50)
    came = expected.copy()
    came[3] += 1.01e-6
    with pytest.raises(AnswerError, match=r"; 1 of 50 entries is wrong$"):
        check_values("db", came, expected)


def test_a_forward_that_was_changed_proves_nothing(tmp_path: Path) -> None:
    file = fill(tmp_path, RELU, "dx", "return dy")
    file.write_text(file.read_text().replace("return np.maximum(x, 0), x", "return x, x"))
    (found,) = check_file(file)
    assert found.verdict == WRONG
    assert found.detail.startswith("the forward pass was changed: its y[")

    file = fill(tmp_path, BCE, "dp", "return 0 * p")
    file.write_text(
        file.read_text().replace("return -float(np.mean(", "return -float(0 * np.mean(")
    )
    (found,) = check_file(file)
    assert found.detail.startswith("the forward pass was changed: ")

    file = fill(tmp_path, CLASSES, "dT", "return dy")
    file.write_text(file.read_text().replace("y: Array = T[labels]", "y: Array = T[labels[::-1]]"))
    assert check_file(file)[0].detail.startswith("the forward pass was changed: its y[")
