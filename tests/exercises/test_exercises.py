"""The exercises: their files, the solutions, and what the command says of them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.exercise_files import (
    BLANK,
    BLANKS,
    FOLDER,
    LINEAR,
    RELU,
    SOLUTIONS,
    answers,
    fill,
    solution,
)

import minigan as mg
from minigan.cli import main
from minigan.conditional import beside, into_picked, one_hot, picked
from minigan.errors import InputError
from minigan.exercises import check_exercises, copy_blanks
from minigan.exercises.checks import EXERCISES
from minigan.exercises.verdicts import NOT_YET, RIGHT
from minigan.style import ModulatedLinear


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
        real, z = (np.tanh(rng.standard_normal((5, n))).astype("float32") for n in (3, 2))
        losses = solution("ex10_gan_step.py").gan_step(G, D, adam_g, adam_d, real, z)
        result = gan.train_step(real, z)
        assert losses == (float(result.d_loss), float(result.g_loss))
    np.testing.assert_array_equal(G.params, gan.generator.params)
    np.testing.assert_array_equal(D.params, gan.discriminator.params)


def test_solution_of_r1_is_the_librarys() -> None:
    net = mg.Sequential(
        mg.Linear(3, 6), mg.LeakyReLU(0.2), mg.Linear(6, 4), mg.LeakyReLU(0.2), mg.Linear(4, 1),
        seed=0, dtype="float64",
    )  # fmt: skip
    x = np.random.default_rng(1).standard_normal((5, 3))
    linear = [layer for layer in net.layers if isinstance(layer, mg.Linear)]
    weights, biases = [layer.W for layer in linear], [layer.b for layer in linear]
    R, grads = solution("ex11_r1.py").r1(weights, biases, x, 0.7)
    assert pytest.approx(mg.r1(net, x, 0.7), rel=1e-12) == R
    for layer, grad in zip(linear, grads, strict=True):
        np.testing.assert_allclose(grad, layer.dW, rtol=1e-12)


def test_solution_of_the_classes_is_the_librarys() -> None:
    answer, rng, table = solution("ex12_conditional.py"), np.random.default_rng(0), np.eye(10)
    labels = np.array([3, 7, 3, 0, 3])
    c = one_hot(labels, 5, table)

    z, dy = rng.standard_normal((5, 4)), rng.standard_normal((5, 6))
    layer = mg.Linear(4 + 10, 6, seed=0, dtype="float64")
    y, cache = layer.forward(beside(z, c))
    told = answer.look_up(layer.W[4:], labels)
    np.testing.assert_allclose(z @ layer.W[:4] + told + layer.b, y, rtol=1e-12)
    layer.backward(dy, cache)
    np.testing.assert_allclose(answer.look_up_grad(dy, labels, 10), layer.dW[4:], rtol=1e-12)

    y, dp = rng.standard_normal((5, 10)), rng.standard_normal((5, 1))
    np.testing.assert_array_equal(answer.picked(y, labels), picked(y, c))
    np.testing.assert_array_equal(answer.picked_grad(dp, labels, 10), into_picked(dp, c))


def test_solution_of_the_modulated_layer_is_the_librarys() -> None:
    answer, rng = solution("ex13_modulated.py"), np.random.default_rng(0)
    x, s, dy = (rng.standard_normal((7, n)) for n in (4, 4, 5))
    layer = ModulatedLinear(4, 5, seed=0, dtype="float64")
    want, cache = layer.forward(np.concatenate([x, s], axis=1))
    y, v, d = answer.forward(x, s, layer.W)
    np.testing.assert_allclose(y, want, rtol=1e-12)
    dxs = layer.backward(dy, cache)
    given = dy, x, s, layer.W, v, d
    np.testing.assert_allclose(answer.grad_W(*given), layer.dW, rtol=1e-11)
    np.testing.assert_allclose(answer.grad_x(*given), dxs[:, :4], rtol=1e-11)
    np.testing.assert_allclose(answer.grad_s(*given), dxs[:, 4:], rtol=1e-11)


@pytest.mark.torch
def test_solutions_of_softmax_and_convolution_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    functional, rng = torch.nn.functional, np.random.default_rng(0)
    answer = solution("ex14_softmax.py")
    x, dp, labels = *(rng.standard_normal((7, 5)) for _ in range(2)), rng.integers(0, 5, 7)
    tx = torch.tensor(x, requires_grad=True)
    p = functional.softmax(tx, dim=1)
    (dx,) = torch.autograd.grad(p, tx, torch.tensor(dp))
    np.testing.assert_allclose(answer.softmax_grad(dp, answer.softmax(x)), dx, atol=1e-14)
    want = functional.cross_entropy(tx, torch.tensor(labels))
    (dx,) = torch.autograd.grad(want, tx)
    loss, dlogits = answer.cross_entropy(x, np.eye(5)[labels])
    assert loss == pytest.approx(want.item(), rel=1e-14)
    np.testing.assert_allclose(dlogits, dx, atol=1e-14)
    assert np.isfinite(answer.cross_entropy(1000 * x, np.eye(5)[labels])[0])

    answer, shapes = solution("ex15_conv.py"), ((3, 2, 6, 5), (4, 2, 3, 2), (4,), (3, 4, 4, 4))
    x, W, b, dy = (rng.standard_normal(shape) for shape in shapes)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, W, b)]
    y = functional.conv2d(*tensors)
    np.testing.assert_allclose(answer.conv(x, W, b), y.detach(), atol=1e-13)
    wanted = torch.autograd.grad(y, tensors, torch.tensor(dy))
    came = answer.grad_x(dy, x, W), answer.grad_W(dy, x, W), answer.grad_b(dy)
    for gradient, want in zip(came, wanted, strict=True):
        np.testing.assert_allclose(gradient, want, atol=1e-13)


# ---------------------------------------------------------------- copies of them


def test_copied_blanks_are_the_files(tmp_path: Path) -> None:
    """Into a folder that is made, with those above it; and they are checked there."""
    folder = tmp_path / "of" / "mine"
    assert copy_blanks(str(folder)) == folder
    assert [file.name for file in sorted(folder.iterdir())] == list(EXERCISES)
    for name in EXERCISES:
        assert (folder / name).read_bytes() == (FOLDER / name).read_bytes()
    verdicts = check_exercises(folder)
    assert [one.verdict for one in verdicts] == [NOT_YET] * BLANKS


def test_blanks_are_copied_from_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel carries them beside the code, and no examples."""
    shipped = tmp_path / "blanks"
    shutil.copytree(FOLDER, shipped)
    (shipped / RELU).write_text("of the wheel")
    monkeypatch.setattr("minigan.exercises.verdicts.SHIPPED", shipped)
    folder = copy_blanks(tmp_path / "mine")
    assert (folder / RELU).read_text() == "of the wheel"


def test_a_copy_does_not_overwrite_answers(tmp_path: Path) -> None:
    file = fill(tmp_path, RELU, "dx", "return dy * (x > 0)")
    mine = file.read_bytes()
    with pytest.raises(InputError, match=f"copy_to .* holds {RELU} already, expected a new fold"):
        copy_blanks(tmp_path)
    assert file.read_bytes() == mine
    assert [other.name for other in tmp_path.iterdir()] == [RELU]  # nothing was copied beside it


def test_a_copy_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="copy_to .*/file/mine cannot be written: Not a dir"):
        copy_blanks(tmp_path / "file" / "mine")


# ---------------------------------------------------------------- the command


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
            "examples/exercises does not exist, expected .*; --copy-to puts them into a new folder",
        ),
        (["nowhere"], "nowhere does not exist, .*"),
        ([""], "PATH is '', expected the name of a file or a folder"),
        ([os.devnull], f"{re.escape(os.devnull)} is neither a file nor a folder, .*"),
        (["."], r"\. has no exercises, expected .*"),
        (["notes.py"], "notes.py is not an exercise, expected one of ex01_linear.py, .*"),
    ):
        assert main(["exercise", *args]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert re.fullmatch(f"minigan: {says}\n", printed.err), printed.err
