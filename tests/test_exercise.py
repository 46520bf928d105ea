"""The exercises: blanks, right and wrong answers are told apart, and nothing is given away."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import minigan as mg
from minigan.cli import main
from minigan.diagnosis import AnswerError, check_values
from minigan.exercise import NOT_YET, RIGHT, WRONG, Verdict, check_exercises, check_file
from minigan.exercise_checks import EXERCISES

FOLDER = Path(__file__).parent.parent / "examples" / "exercises"
SOLUTIONS = FOLDER / "solutions"
BLANK = re.compile(r'^( *)raise NotImplementedError\("(\w+)"\).*\n', re.MULTILINE)
BLANKS = sum(len(blanks) for blanks in EXERCISES.values())


def fill(folder: Path, name: str, blank: str, code: str) -> Path:
    """The exercise with one blank filled in: ``code``, one or more lines."""

    def answer(match: re.Match[str]) -> str:
        indent, this = match.groups()
        lines = code.split("\n") if this == blank else [f'raise NotImplementedError("{this}")']
        return "".join(f"{indent}{line}\n" for line in lines)

    file = folder / name
    file.write_text(BLANK.sub(answer, (FOLDER / name).read_text()))
    return file


def solution(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SOLUTIONS / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(name: str) -> list[str]:
    """The code in the solution that is not in the exercise, line by line."""
    given = set((FOLDER / name).read_text().splitlines())
    return [
        line.strip() for line in (SOLUTIONS / name).read_text().splitlines() if line not in given
    ]


# ---------------------------------------------------------------- the files


def test_untouched_exercises_are_not_done_yet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER.parent.parent)
    assert main(["exercise"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == BLANKS + 2
    assert all(line.endswith(NOT_YET) for line in lines[1:-1])
    assert lines[-1] == f"0 of {BLANKS} right; next: ex01_linear.py"


def test_solutions_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", str(SOLUTIONS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith(RIGHT) for line in lines[1:-1])
    assert lines[-1] == f"{BLANKS} of {BLANKS} right"


@pytest.mark.parametrize("name", EXERCISES)
def test_exercise_is_the_solution_but_for_its_blanks(name: str) -> None:
    exercise, filled = (FOLDER / name).read_text(), (SOLUTIONS / name).read_text()
    assert [match[2] for match in BLANK.finditer(exercise)] == list(EXERCISES[name])
    # Of every blank's indent a line or more, and nothing else.
    between = [re.escape(part) for part in BLANK.split(exercise)[::3]]
    indents = [match[1] for match in BLANK.finditer(exercise)]
    pattern = between[0] + "".join(
        f"(?:{indent} *\\S.*\n)+{part}" for indent, part in zip(indents, between[1:], strict=True)
    )
    assert re.fullmatch(pattern, filled)
    assert "NotImplementedError" not in filled


def test_folder_holds_no_other_files() -> None:
    for folder in (FOLDER, SOLUTIONS):
        assert [file.name for file in sorted(folder.glob("ex*.py"))] == list(EXERCISES)


def test_exercises_do_not_inherit_their_answers() -> None:
    for name in EXERCISES:
        source = (FOLDER / name).read_text()
        assert set(re.findall(r"^class \w+\((.*)\)", source, re.MULTILINE)) <= {"mg.Layer"}
        for line in answers(name):
            assert line not in map(str.strip, source.splitlines())


def test_solutions_are_layers_like_any_other() -> None:
    linear, norm = solution("ex01_linear.py").Linear, solution("ex08_batch_norm.py").BatchNorm1d
    net = mg.Sequential(
        linear(2, 8), norm(8), solution("ex04_tanh.py").Tanh(),
        linear(8, 6), solution("ex03_leaky_relu.py").LeakyReLU(0.2),
        linear(6, 6), solution("ex02_relu.py").ReLU(),
        linear(6, 1), solution("ex05_sigmoid.py").Sigmoid(), seed=0,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    assert mg.check_gradients(net, rng.standard_normal((7, 2)))

    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    t = np.array([[0], [1], [1], [0]], dtype="float32")
    optimizer = solution("ex09_adam.py").Adam(net, lr=0.02)
    bce = solution("ex06_bce.py").bce
    for _ in range(200):
        p, cache = net.forward(x)
        _, dp = bce(np.clip(p, 1e-6, 1 - 1e-6), t)
        net.backward(dp, cache)
        optimizer.step()
    assert net.params.dtype == "float32"
    np.testing.assert_allclose(net.forward(x)[0], t, atol=0.05)  # XOR is learnt


def test_solution_of_the_gan_step_is_the_librarys() -> None:
    def networks() -> tuple[mg.Sequential, mg.Sequential]:
        rng = np.random.default_rng(0)
        G = mg.Sequential(mg.Linear(2, 6), mg.ReLU(), mg.Linear(6, 3), mg.Tanh(), seed=rng)
        D = mg.Sequential(
            mg.Linear(3, 6), mg.LeakyReLU(0.2), mg.Linear(6, 1), mg.Sigmoid(), seed=rng
        )
        return G, D

    (G, D), gan = networks(), mg.GAN(*networks(), lr=0.01, betas=(0.9, 0.999))
    adam_g, adam_d = mg.Adam(G, lr=0.01), mg.Adam(D, lr=0.01)
    rng = np.random.default_rng(1)
    for _ in range(3):
        real, z = (rng.standard_normal((5, n)).astype("float32") for n in (3, 2))
        losses = solution("ex10_gan_step.py").gan_step(G, D, adam_g, adam_d, real, z)
        result = gan.train_step(real, z)
        assert losses == (float(result.d_loss), float(result.g_loss))
    np.testing.assert_array_equal(G.params, gan.generator.params)
    np.testing.assert_array_equal(D.params, gan.discriminator.params)


# ---------------------------------------------------------------- wrong answers

LINEAR, RELU, LEAKY, TANH, SIGMOID = list(EXERCISES)[:5]
BCE, LOGITS, NORM, ADAM, GAN = list(EXERCISES)[5:]
M_HAT, V_HAT = "m / (1 - self.beta1**t)", "v / (1 - self.beta2**t)"

WRONG_ANSWERS = [
    # exercise, blank, answer, what the line says about it
    (LINEAR, "dW", "return dy.T @ x",
     r"dW has shape \(5, 3\), which is that of its transpose, expected \(3, 5\)"),
    (LINEAR, "dW", "return x.T @ dy / len(x)", r"every entry is 7 times too small \(N is 7\)"),
    (LINEAR, "dW", "return -(x.T @ dy)", "the sign is opposite everywhere"),
    (LINEAR, "dW", "return x.T @ np.ones_like(dy)", "15 of 15 entries are wrong"),
    (LINEAR, "dW", "return x @ dy", r"ex01_linear\.py, line 49: ValueError: matmul: .*"),
    (LINEAR, "dW", "self.dW[...] = x.T @ dy", r"dW is None, .*: is there a return\?"),
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
     r"ex03_leaky_relu\.py, line 30: NotImplementedError: LeakyReLU has no input_grad"),
    (LEAKY, "dx", "exec('raise NotImplementedError(\"dx\")')",
     r"ex03_leaky_relu\.py, line 30: NotImplementedError: dx"),
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
     r"ex08_batch_norm\.py, line 58: NotImplementedError: dbeta"),
    (ADAM, "m", "return self.beta1 * m + g",
     r"in step 1 m\[\d\] is .*; every entry is 5 times too large"),
    (ADAM, "m", "return (1 - self.beta1) * m + self.beta1 * g", "in step 1 .* 4 times too large"),
    (ADAM, "m", "return (1 - self.beta1) * g", r"right before, but in step 2 m\[\d\] is .*"),
    (ADAM, "m", "m += (1 - self.beta1) * (g - m)\nreturn m", "m was changed in place; .*"),
    (ADAM, "m", "self.t += 1\nreturn self.beta1 * m + (1 - self.beta1) * g",
     r"in step 1 the answer changes t: step\(\) counts already"),
    (ADAM, "move",
     f"s = self.lr * ({M_HAT}) / (np.sqrt({V_HAT}) + self.eps)\nself.net.params -= s\nreturn s",
     "net.params was changed in place; .*"),
    (ADAM, "v", "return self.beta2 * v + (1 - self.beta2) * g", r"in step 1 v\[\d\] is .*"),
    (ADAM, "v", "return self.beta1 * v + (1 - self.beta1) * g * g",
     "in step 1 .* 4 times too large"),
    (ADAM, "move", "return self.lr * m / (np.sqrt(v) + self.eps)", r"in step 1 move\[\d\] is .*"),
    (ADAM, "move",  # the power of t forgotten
     "return self.lr * m / (1 - self.beta1) / (np.sqrt(v / (1 - self.beta2)) + self.eps)",
     r"right before, but in step 2 move\[\d\] is .*, mg\.Adam has .*"),
    (ADAM, "move",  # eps outside the bias correction
     "scale = self.lr * (1 - self.beta2**t) ** 0.5 / (1 - self.beta1**t)\n"
     "return scale * m / (np.sqrt(v) + self.eps)",
     r"in step 1 move\[\d\] is .*"),
    (ADAM, "move", f"return self.lr * ({M_HAT}) / np.sqrt({V_HAT} + self.eps)", "in step 1 .*"),
    (ADAM, "move", f"return self.lr * ({M_HAT}) / np.sqrt({V_HAT})", "in step 1 .*"),
    (ADAM, "move", f"return -self.lr * ({M_HAT}) / (np.sqrt({V_HAT}) + self.eps)", ".*opposite.*"),
    (ADAM, "move", "return self.lr / (1 - self.beta1 ** (t - 1)) * m / (v + 1)",
     r"ex09_adam\.py, line 56: ZeroDivisionError: .*"),
    (ADAM, "move", "return self.lr * m / (1 - self.beta1 ** (t - 1)) / (v + 1)",
     r"in step 1 move\[0\] is -?inf, mg\.Adam has .*"),
    (GAN, "d_learns", "D.backward(np.concatenate([dp_real, dp_fake]), cache)",
     r"D\.grads is right, but the gradient at the images was worked out too: for whom\?"),
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
     r"d_fake is right, but D\.grads was worked out too: for whom\?"),
    (GAN, "through_d",
     "kept = D.grads.copy()\nd_fake = D.backward(dp, cache)\nD.grads[...] = kept\nreturn d_fake",
     r"d_fake is right, but D\.grads was worked out too: for whom\?"),
    (GAN, "through_d",
     "cache.layers[0][...] = 0\nreturn D.backward(dp, cache, param_grads=False)",
     "fake was changed in place; .*"),
    (GAN, "through_d", "return D.backward(dp, cache, input_grad=False)", "d_fake is None, .*"),
    (GAN, "through_d", "return -D.backward(dp, cache, param_grads=False)", ".*sign is opposite.*"),
    (GAN, "g_learns", "G.backward(d_fake, cache)", r"G\.grads is right, but the gradient at z .*"),
    (GAN, "g_learns", "pass", r"G\.grads was not filled"),
    (GAN, "g_learns", "G.backward(-d_fake, cache, input_grad=False)", "the sign is opposite.*"),
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
    with pytest.raises(AnswerError, match=r"; 1 of 50 entries are wrong$"):
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


# ---------------------------------------------------------------- files that do not run


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOLUTIONS, tmp_path / "mine"))


def by_file(verdicts: list[Verdict], name: str) -> list[Verdict]:
    return [one for one in verdicts if one.exercise == name]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("\ndef (:\n", "SyntaxError: invalid syntax"),
        ("\nraise OSError('no\\nfloppy')\n", "OSError: no floppy"),
        ("\nexit(3)\n", "SystemExit: 3"),
        ("\nimport there_is_no_such_module\n", "ModuleNotFoundError: No module named .*"),
        ("\n1 / 0\n", "ZeroDivisionError: division by zero"),
        ("\nraise NotImplementedError\n", "NotImplementedError"),
        ("\nraise NotImplementedError('dx')\n", "NotImplementedError: dx"),
        ("\nraise GeneratorExit\n", "GeneratorExit"),
        ("\nraise Exception('\\x1b[2J\\u202e')\n", r"Exception: \\x1b\[2J\\u202e"),
    ],
)
def test_a_file_that_does_not_run(
    code: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path)
    source = (folder / NORM).read_text()
    (folder / NORM).write_text(source + code)
    assert main(["exercise", str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    line = len(source.splitlines()) + 2
    assert re.search(rf"^    ex08_batch_norm\.py, line {line}: {says}$", printed.out, re.MULTILINE)
    assert printed.out.count(" line ") == 1  # said once, though it spoils three blanks
    assert printed.out.splitlines()[-1] == f"{BLANKS - 3} of {BLANKS} right; next: {NORM}"


def test_one_line_is_cut(tmp_path: Path) -> None:
    file = fill(tmp_path, RELU, "dx", 'raise ValueError("x" * 10_000)')
    (found,) = check_file(file)
    assert re.fullmatch(r"ex02_relu\.py, line \d+: ValueError: x+…", found.detail)
    assert len(found.detail) == 301


def test_an_error_without_a_text(tmp_path: Path) -> None:
    code = "class Mute(Exception):\n    __str__ = None\nraise Mute"
    (found,) = check_file(fill(tmp_path, RELU, "dx", code))
    assert re.fullmatch(r"ex02_relu\.py, line \d+: Mute", found.detail)


@pytest.mark.parametrize("error", ["SystemExit(0)", "GeneratorExit", "pytest.fail.Exception('no')"])
@pytest.mark.parametrize("traceback", ["", "1"])
def test_no_error_ends_the_check(
    error: str, traceback: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIGAN_TRACEBACK", traceback)
    file = fill(tmp_path, RELU, "dx", f"import pytest\nraise {error}")
    assert main(["exercise", str(file)]) == 1


def test_ctrl_c_names_the_blank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = fill(tmp_path, RELU, "dx", "raise KeyboardInterrupt")
    assert main(["exercise", str(file)]) == 130
    says = r"minigan: stopped in ex02_relu\.py, line \d+ \(dx\)\n"
    assert re.fullmatch(says, capsys.readouterr().err)
    file.write_text("\nraise KeyboardInterrupt\n")
    assert main(["exercise", str(file)]) == 130
    assert capsys.readouterr().err == "minigan: stopped in ex02_relu.py, line 2\n"


def test_a_method_that_is_gone(tmp_path: Path) -> None:
    source = (SOLUTIONS / LINEAR).read_text()
    file = tmp_path / LINEAR
    file.write_text(source.replace("def input_grad", "def gradient"))
    found = check_file(file)[2]
    assert found.verdict == WRONG
    assert found.detail == "ex01_linear.py: NotImplementedError: Linear has no input_grad"


def test_a_dataclass_in_a_file(tmp_path: Path) -> None:
    code = "from dataclasses import dataclass\n\n@dataclass\nclass Pair:\n    a: float\n"
    file = tmp_path / RELU
    source = (SOLUTIONS / RELU).read_text()
    file.write_text(source.replace("class ReLU", code + "\nclass ReLU"))
    (found,) = check_file(file)
    assert found.verdict == RIGHT, found
    assert not [name for name in sys.modules if "ex02_relu" in name]


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path)
    read = Path.read_bytes

    def broken(self: Path) -> bytes:
        if self.name == LEAKY:
            raise OSError(5, "Input/output error")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", broken)
    verdicts = check_exercises(folder)
    (found,) = by_file(verdicts, LEAKY)
    assert found.verdict == WRONG
    assert found.detail == "ex03_leaky_relu.py cannot be read: Input/output error"
    assert sum(one.verdict == RIGHT for one in verdicts) == BLANKS - 1


def test_each_file_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (RELU, LEAKY, TANH):
        fill(tmp_path, name, "dx", "pass")
    main(["exercise", str(tmp_path)])
    assert capsys.readouterr().out.count("    dx is None, ") == 3


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / TANH).write_bytes(b"x = '\xff'\n")
    (folder / RELU).write_bytes(b"x = 1\0\n")
    (folder / SIGMOID).write_text("")
    verdicts = check_exercises(folder)
    assert "SyntaxError" in by_file(verdicts, TANH)[0].detail
    assert "null bytes" in by_file(verdicts, RELU)[0].detail
    assert by_file(verdicts, SIGMOID)[0].detail.startswith(
        "ex05_sigmoid.py: AttributeError: module"
    )
    assert sum(one.verdict == RIGHT for one in verdicts) == BLANKS - 3


def test_an_edit_counts_at_once(tmp_path: Path) -> None:
    # Same length, same second: Python's cache of compiled files would not see the difference.
    for code, verdict in (("return dy * (x > 0)", RIGHT), ("return dy * (x < 0)", WRONG)) * 2:
        assert check_file(fill(tmp_path, RELU, "dx", code))[0].verdict == verdict
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path)
    (folder / TANH).unlink()
    assert main(["exercise", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert re.sub(" +", " ", lines[6]) == "ex04_tanh.py dx no file"
    assert lines[-1] == f"{BLANKS - 1} of {BLANKS} right; next: {TANH}"


def test_the_readmes_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = fill(tmp_path, LINEAR, "dW", "return x.T @ dy")
    file.write_text(
        file.read_text().replace('raise NotImplementedError("db")', "return dy.mean(0)")
    )
    main(["exercise", str(file)])
    assert f"```console\n{capsys.readouterr().out}```" in (FOLDER / "README.md").read_text()


def test_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", str(SOLUTIONS / LINEAR)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 of 3 right"


def test_traceback_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = fill(tmp_path, RELU, "dx", "return dy / nothing")
    assert main(["exercise", str(file)]) == 1
    monkeypatch.setenv("MINIGAN_TRACEBACK", "1")
    with pytest.raises(NameError, match="name 'nothing' is not defined"):
        main(["exercise", str(file)])
    assert main(["exercise", str(FOLDER)]) == 1  # a blank is no error


def test_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.py").write_text("")
    for args, says in (
        (
            [],
            "examples/exercises is not there; expected a folder with ex01_linear.py and so on, .*",
        ),
        (["nowhere"], "nowhere is not there; .*"),
        ([""], "'' is no path; .*"),
        ([os.devnull], f"{re.escape(os.devnull)} is neither a file nor a folder; .*"),
        (["."], r"\. has no exercises; expected .*"),
        (["notes.py"], "notes.py is no exercise; expected one of ex01_linear.py, ex02_relu.py, .*"),
    ):
        assert main(["exercise", *args]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert re.fullmatch(f"minigan: {says}\n", printed.err), printed.err
