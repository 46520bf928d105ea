"""Ranks: they take all rows, and sums, means, errors and decisions are those of all."""

from __future__ import annotations

import copy
import importlib.abc
import sys
from typing import Any

import numpy as np
import pytest
from helpers import strict_cupy
from helpers.threads_as_ranks import on_ranks

from minigan.backend import ALONE, Backend, started_as, started_ranks
from minigan.backend.ranks import MPIRanks
from minigan.backend.started import STARTERS
from minigan.errors import InputError


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [4, 7, 64, 65])
def test_every_row_belongs_to_one_rank(size: int, rows: int) -> None:
    slices = on_ranks(size, lambda ranks: ranks.slice_of(rows))
    taken = np.concatenate([np.arange(rows)[s] for s in slices])
    np.testing.assert_array_equal(taken, np.arange(rows))
    lengths = [s.stop - s.start for s in slices]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_sums_and_means_are_those_of_all_rows(size: int, backend: Backend) -> None:
    x = np.random.default_rng(0).standard_normal((7, 5))

    def work(ranks: MPIRanks) -> tuple[int, Any, Any]:
        mine = backend.asarray(x[ranks.slice_of(7)])
        total = mine.sum(axis=0)
        ranks.add(total)
        mean = ranks.mean(mine)
        return ranks.rows(len(mine)), backend.to_numpy(mean), backend.to_numpy(total)

    for rows, mean, total in on_ranks(size, work):
        assert rows == 7
        np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(total, x.sum(axis=0), rtol=1e-13, atol=1e-15)


def test_rank_0_leads_and_the_others_learn_of_it() -> None:
    calls: list[int] = []

    def work(ranks: MPIRanks) -> int:
        result: int = ranks.lead(lambda: calls.append(ranks.rank) or 5)  # type: ignore[func-returns-value]
        return result + ranks.most(ranks.rank)

    assert on_ranks(3, work) == [7, 7, 7]
    assert calls == [0]


def test_an_error_of_one_is_known_to_all() -> None:
    def failing(rank: int, size: int) -> list[str]:
        def work(ranks: MPIRanks) -> str:
            try:
                with ranks.agreeing():
                    if ranks.rank in (rank, rank + 1):
                        raise InputError("`data` is missing")
            except InputError as error:
                return error.spelled(lambda name: f"--{name}")
            return "fine"

        return on_ranks(size, work)

    assert failing(1, 3) == ["process 1: --data is missing"] * 3
    assert failing(0, 2) == ["--data is missing"] * 2  # the same error on all: no number
    assert failing(5, 2) == ["fine"] * 2


def test_an_error_of_rank_0_ends_the_others_in_silence() -> None:
    def work(ranks: MPIRanks) -> Any:
        def full() -> None:
            raise OSError(28, "No space left on device")

        try:
            ranks.lead(full)
        except OSError:
            return "told"
        except SystemExit as end:
            return end.code
        return "fine"

    assert on_ranks(3, work) == ["told", 2, 2]


def test_an_error_that_only_one_knows_of_ends_all(capsys: pytest.CaptureFixture[str]) -> None:
    def work(ranks: MPIRanks) -> None:
        with ranks.together(ZeroDivisionError):
            if ranks.rank == 1:
                raise InputError("the GPU has failed")
            ranks.rows(1)  # would wait for ever

    with pytest.raises(InputError):
        on_ranks(2, work)
    assert "minigan: process 1: the GPU has failed\n" in capsys.readouterr().err


def test_an_error_that_all_have_passes(capsys: pytest.CaptureFixture[str]) -> None:
    def work(ranks: MPIRanks) -> str:
        try:
            with ranks.together(ZeroDivisionError):
                return str(1 / 0)
        except ZeroDivisionError:
            return "passed"

    assert on_ranks(2, work) == ["passed"] * 2
    assert capsys.readouterr().err == ""


def test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STARTERS:
        monkeypatch.delenv(name, raising=False)
    assert started_ranks() is ALONE
    assert started_as() == 0
    assert (ALONE.rank, ALONE.size, ALONE.rows(3), ALONE.most(2)) == (0, 1, 3, 2)
    assert ALONE.slice_of(5) == slice(0, 5)
    assert ALONE.lead(lambda: 4) == 4
    x = np.random.default_rng(0).standard_normal((7, 5))
    np.testing.assert_array_equal(ALONE.mean(x), x.mean(axis=0))
    with pytest.raises(InputError, match="broken"), ALONE.agreeing():
        raise InputError("broken")


@pytest.mark.parametrize(
    ("rank", "size"),
    [("1", None), (None, "4"), ("²", "4"), ("-1", "4"), ("4", "4"), ("x", "4"), ("1", "x")],
)
def test_variables_that_make_no_sense_come_from_elsewhere(
    rank: str | None, size: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pair in STARTERS.items():
        for name, value in zip(pair, (rank, size), strict=True):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
    assert (started_ranks(), started_as()) == (ALONE, 0)


def test_mpi4py_without_its_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, *more: Any) -> Any:
            if name == "mpi4py":
                raise RuntimeError("cannot load MPI library\nlibmpi.so: cannot open")
            return None

    monkeypatch.delitem(sys.modules, "mpi4py", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(InputError, match="but mpi4py says: cannot load MPI library$"):
        started_ranks()


def test_a_start_by_mpiexec_without_mpi4py_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "1")
    assert started_ranks() is ALONE  # a single process has nobody to talk to
    monkeypatch.setenv("PMI_RANK", "2")
    monkeypatch.setenv("PMI_SIZE", "3")
    assert started_as() == 2
    with pytest.raises(InputError, match=r"needs mpi4py .* pip install 'minigan\[mpi\]'"):
        started_ranks()


def test_a_copy_has_the_same_ranks() -> None:
    assert all(on_ranks(2, lambda ranks: copy.deepcopy({"a": ranks})["a"] is ranks))


def test_each_rank_takes_a_gpu_of_its_own(stand_in: Backend) -> None:
    strict_cupy.Counts.gpus = 2
    for number in range(3):
        stand_in.take_device(number)
    assert strict_cupy.Counts.devices == [0, 1, 0]


@pytest.fixture
def nccl(stand_in: Backend, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Return a backend of three GPUs that talk to each other."""
    monkeypatch.setitem(sys.modules, "cupy.cuda.nccl", strict_cupy.make_nccl())
    monkeypatch.setattr(strict_cupy.NcclCommunicator, "sums", 0)
    strict_cupy.Counts.gpus = 3
    return stand_in


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gpus_add_up_without_main_memory(dtype: str, nccl: Backend) -> None:
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(dtype)

    def work(ranks: MPIRanks) -> tuple[Any, int]:
        ranks.take_device(nccl)
        ranks.connect(nccl)
        a = nccl.asarray(x[ranks.rank])
        before = strict_cupy.Counts.to_host
        ranks.add(a)
        return a, strict_cupy.Counts.to_host - before

    for a, transfers in on_ranks(3, work):
        assert (a.dtype, transfers) == (dtype, 0)
        np.testing.assert_array_equal(nccl.to_numpy(a), x[0] + x[1] + x[2])
    assert strict_cupy.NcclCommunicator.sums == 3
    assert sorted(strict_cupy.Counts.devices) == [0, 1, 2]


@pytest.mark.parametrize("lacking", ["GPUs", "NCCL"])
def test_ranks_without_a_gpu_of_their_own_add_up_in_main_memory(
    lacking: str, nccl: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacking == "GPUs":
        strict_cupy.Counts.gpus = 2
    else:
        monkeypatch.setattr(sys.modules["cupy.cuda.nccl"], "available", False)

    def work(ranks: MPIRanks) -> Any:
        ranks.take_device(nccl)
        ranks.connect(nccl)
        a = nccl.asarray(np.ones(4) + ranks.rank)
        ranks.add(a)
        return nccl.to_numpy(a)

    np.testing.assert_array_equal(on_ranks(3, work), np.full((3, 4), 6.0))
    assert strict_cupy.NcclCommunicator.sums == 0
