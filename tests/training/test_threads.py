"""The number of BLAS threads is the fastest one, and the run keeps it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import Configure, saved_run

import minigan as mg
from minigan.training import threads
from minigan.training.recipes import RECIPES
from minigan.training.threads import ThreadChoice, scratch_step, time_threads


class Machine:
    """A machine with four threads on which a step takes as long as ``seconds`` says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: Callable[[int], float] = lambda threads: 1.0 / threads
        self.threads, self.now, self.measured = 4, 0.0, 0
        monkeypatch.setattr(threads, "blas_threads", lambda: 4)
        monkeypatch.setattr(threads, "set_blas_threads", self.set)
        monkeypatch.setattr(threads, "scratch_step", lambda run: self.step)
        monkeypatch.setattr("minigan.training.threads.time.perf_counter", lambda: self.now)

    def set(self, threads: int) -> None:
        self.threads = threads

    def step(self) -> None:
        self.now += self.seconds(self.threads)
        self.measured += 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def train(choice: ThreadChoice, machine: Machine, steps: int) -> list[str]:
    """The lines that so many steps give."""
    lines = []
    for _ in range(steps):
        choice.run.step += 1
        line = choice.after_step(machine.seconds(machine.threads))
        lines += [line] if line is not None else []
    return lines


def test_an_idle_machine_keeps_all_threads(machine: Machine, config: Configure) -> None:
    choice = ThreadChoice(mg.Trainer(config()).state)
    assert choice.choose() == (
        "Matrix products use 4 threads from step 1 on (a step takes 1000 ms with 1, 500 ms with 2, "
        "250 ms with 4)."
    )
    assert machine.threads == choice.choice == 4
    assert train(choice, machine, 10_000) == []
    assert machine.measured == 8 + 5 * 3  # once, at the start
    assert choice.run.threads == [(1, 4)]


def test_a_busy_machine_gets_the_fastest_number(machine: Machine, config: Configure) -> None:
    machine.seconds = lambda threads: {1: 1.0, 2: 0.8, 4: 5.0}[threads]
    choice = ThreadChoice(mg.Trainer(config()).state)
    line = choice.choose()
    assert line is not None
    assert line.startswith(
        "Matrix products use 2 threads from step 1 on (a step takes 1000 ms with"
    )
    assert machine.threads == 2


def test_a_small_difference_is_no_reason_to_change(machine: Machine, config: Configure) -> None:
    machine.seconds = lambda threads: {1: 0.95, 2: 0.92, 4: 1.0}[threads]
    line = ThreadChoice(mg.Trainer(config()).state).choose()
    assert machine.threads == 4
    assert line is not None
    assert line.endswith("950 ms with 1, 920 ms with 2, 1000 ms with 4: no real difference).")


def test_a_burst_of_another_program_does_not_decide(machine: Machine, config: Configure) -> None:
    """The numbers take turns, and the median of their times counts."""
    calls: Iterator[int] = itertools.count()
    machine.seconds = lambda threads: 9.0 if next(calls) in range(9, 15) else 1.0 / threads
    ThreadChoice(mg.Trainer(config()).state).choose()
    assert machine.threads == 4


def test_steps_that_slow_down_are_measured_again(machine: Machine, config: Configure) -> None:
    choice = ThreadChoice(mg.Trainer(config()).state)
    choice.choose()
    assert train(choice, machine, 500) == []
    machine.seconds = lambda threads: float(threads)  # somebody has opened a browser
    lines = train(choice, machine, 60)
    assert len(lines) == 1
    assert lines[0].startswith("Matrix products use 1 thread from step ")
    assert " on (a step takes 1000 ms with 1, 2000 ms with 2, 4000 ms with 4)." in lines[0]
    assert machine.threads == 1
    machine.seconds = lambda threads: 1.0 / threads  # and has closed it
    lines = train(choice, machine, 2 * threads.AGAIN)
    assert len(lines) == 1
    assert "use 4 threads" in lines[0]
    (first, second, third) = choice.run.threads
    assert (first, second[1], third[1]) == ((1, 4), 1, 4)
    assert 500 < second[0] <= 560 < third[0]


def test_a_machine_that_is_slow_with_any_number_is_left_alone(
    machine: Machine, config: Configure
) -> None:
    choice = ThreadChoice(mg.Trainer(config()).state)
    choice.choose()
    train(choice, machine, 500)
    before = machine.measured
    machine.seconds = lambda threads: 9.0 / threads
    assert train(choice, machine, 5000) == []
    assert machine.measured == before + 8 + 5 * 3  # once more
    assert choice.run.threads == [(1, 4)]


def test_a_number_that_was_given_is_taken(machine: Machine, config: Configure) -> None:
    machine.seconds = float
    choice = ThreadChoice(mg.Trainer(config(threads=3)).state)
    assert choice.choose() is None
    assert machine.threads == 3
    assert train(choice, machine, 5000) == []
    assert machine.measured == 0
    assert choice.run.threads == [(1, 3)]


def test_the_number_of_another_machine_takes_part(machine: Machine, config: Configure) -> None:
    machine.seconds = lambda threads: {1: 1.0, 2: 0.6, 3: 0.35, 4: 0.33}[threads]
    run = mg.Trainer(config()).state
    run.note_threads(3)  # where there were three
    choice = ThreadChoice(run)
    assert choice.choose() is None  # four take more than nine tenths of the time
    assert machine.threads == choice.choice == 3


def test_one_thread_needs_no_measurement(
    machine: Machine, config: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "blas_threads", lambda: 1)
    choice = ThreadChoice(mg.Trainer(config()).state)
    assert choice.choose() is None
    assert train(choice, machine, 5000) == []
    assert (machine.measured, choice.run.threads) == (0, [(1, 1)])


def test_the_run_keeps_its_numbers(
    machine: Machine, config: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.seconds = float
    folder = mg.Trainer(config(epochs=1)).run()
    assert "Matrix products use 1 thread from step 1 on (a step takes " in capsys.readouterr().out
    assert saved_run(folder)[1]["threads"] == [[1, 1]]
    resumed = mg.Trainer(config(epochs=2, resume=str(folder)))
    assert ThreadChoice(resumed.state).choice == 1  # it goes on as it was
    resumed.run()
    assert saved_run(folder)[1]["threads"] == [[1, 1]]
    mg.Trainer(config(epochs=3, resume=str(folder), threads=2)).run()  # another machine, perhaps
    assert saved_run(folder)[1]["threads"] == [[1, 1], [15, 2]]


@pytest.mark.parametrize("recipe", RECIPES)
def test_measuring_leaves_the_run_as_it_is(recipe: str, config: Configure) -> None:
    run = mg.Trainer(config(recipe=recipe)).state
    before = [net.params.copy() for net in (run.gan.generator, run.gan.discriminator)]
    state = run.rng.bit_generator.state
    seconds = time_threads(scratch_step(run), [1])
    assert seconds[1] > 0
    for net, params in zip((run.gan.generator, run.gan.discriminator), before, strict=True):
        np.testing.assert_array_equal(net.params, params)
        assert net.updates == 0
    assert run.rng.bit_generator.state == state
    assert (run.step, run.gan.adam_g.t, run.gan.adam_d.t) == (0, 0, 0)


def test_runs_from_before_threads_were_noted(config: Configure, tmp_path: Path) -> None:
    from minigan.data import load_archive, save_archive

    folder = mg.Trainer(config(epochs=1)).run()
    arrays, meta = load_archive(folder / "checkpoint.npz")
    del meta["threads"]
    save_archive(folder / "checkpoint.npz", arrays, meta)
    assert mg.Trainer(config(epochs=2, resume=str(folder))).state.threads == []
