"""Ranks that begin a run together: what one of them lacks, all learn, before their GPUs connect."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from helpers import strict_cupy
from helpers.runs import Configure
from helpers.threads_as_ranks import on_ranks

import minigan as mg
from minigan.backend import Backend, Ranks
from minigan.backend.ranks import MPIRanks


@pytest.fixture
def own(stand_in: Backend, monkeypatch: pytest.MonkeyPatch, config: Configure) -> threading.local:
    """Two GPUs with NCCL, and the ranks that each thread is started as."""
    monkeypatch.setitem(sys.modules, "cupy.cuda.nccl", strict_cupy.make_nccl())
    strict_cupy.Counts.gpus = 2
    own = threading.local()
    monkeypatch.setattr("minigan.training.trainer.started_ranks", lambda: own.ranks)
    return own


def begun(ranks: MPIRanks, own: threading.local, config: Configure, **options: Any) -> Ranks:
    own.ranks = ranks
    return mg.Trainer(config(backend="cupy", **options)).ranks


def test_their_gpus_are_connected(own: threading.local, config: Configure) -> None:
    for ranks in on_ranks(2, lambda ranks: begun(ranks, own, config)):
        assert isinstance(ranks, MPIRanks)
        assert ranks.between_gpus is not None


@pytest.mark.parametrize("lacking", [{"resume": "nowhere"}, {"data": "nowhere"}, {"batch_size": 1}])
def test_a_mistake_of_one_ends_all(
    lacking: dict[str, Any], own: threading.local, config: Configure
) -> None:
    def work(ranks: MPIRanks) -> str:
        try:
            begun(ranks, own, config, **(lacking if ranks.rank == 1 else {}))
        except mg.InputError as error:
            return str(error)
        return "it has begun"

    one, other = on_ranks(2, work)
    assert one == other
    assert one.startswith("process 1: ")


def test_an_nccl_that_fails_on_one_ends_all(
    own: threading.local, config: Configure, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole = strict_cupy.NcclCommunicator.__init__

    def init(self: Any, size: int, number: object, rank: int) -> None:
        if rank == 1:
            raise RuntimeError("NCCL_ERROR_SYSTEM_ERROR")
        whole(self, size, number, rank)

    monkeypatch.setattr(strict_cupy.NcclCommunicator, "__init__", init)
    with pytest.raises(RuntimeError, match="NCCL_ERROR"):
        on_ranks(2, lambda ranks: begun(ranks, own, config).most(1))
    assert "minigan: process 1: " in capsys.readouterr().err
