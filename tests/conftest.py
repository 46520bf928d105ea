"""Fixtures that several test files share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from helpers import strict_cupy
from helpers.idx_files import write_idx
from hypothesis import Phase, settings

from minigan import load_mnist
from minigan.backend import Backend, dispatch, get_backend
from minigan.backend.cupy_backend import why_unavailable

settings.register_profile("seeded", derandomize=True, deadline=None)  # the same cases every time
settings.register_profile(  # for tests/mutation: the first failing case will do
    "unshrunk", parent=settings.get_profile("seeded"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("seeded")


@pytest.fixture(scope="session")
def mnist() -> npt.NDArray[np.uint8]:
    """The 60,000 training images, uint8 (60000, 28, 28)."""
    return load_mnist("train")[0]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """The CuPy backend, on the strict stand-in for CuPy."""
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy.make_module())
    monkeypatch.setattr("minigan.backend.cublas.load_library", strict_cupy.FakeCublas)
    dispatch._cupy.cache_clear()
    strict_cupy.Counts.reset()
    yield get_backend("cupy")
    strict_cupy.Graph.captured = None
    dispatch._cupy.cache_clear()


@pytest.fixture(params=["numpy", "stand-in", pytest.param("cupy", marks=pytest.mark.cuda)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Every backend in turn: NumPy, CuPy's code on the stand-in, and CuPy where there is a GPU."""
    if request.param == "stand-in":
        there: Backend = request.getfixturevalue("stand_in")
        return there
    if request.param == "cupy" and (reason := why_unavailable()):
        pytest.skip(reason)
    return get_backend(request.param)


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory, mnist: npt.NDArray[np.uint8]) -> Path:
    """A folder with the first 200 training images, for runs that take no time."""
    folder = tmp_path_factory.mktemp("tiny")
    labels = load_mnist("train")[1]
    write_idx(folder / "train-images-idx3-ubyte", mnist[:200])
    write_idx(folder / "train-labels-idx1-ubyte.gz", labels[:200])
    return folder
