"""Fixtures that several test files share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy is imported; other processes inherit it

for name in (
    "SIGINT",
    "SIGHUP",
):  # a script's & and nohup start programs that ignore these, and the
    number = getattr(signal, name, None)  # tests' runs and children would ignore them, too
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda number, frame: None)

import numpy as np
import numpy.typing as npt
import pytest
from helpers import strict_cupy
from helpers.browser import Browser
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

MOST_PROCESSES = 8  # each of them needs up to half a gigabyte, and imports everything anew


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the same options
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the tests in one process per core, unless the command names tests or says otherwise."""
    if not config.pluginmanager.hasplugin("xdist") or "PYTEST_XDIST_WORKER" in os.environ:
        return  # a process that pytest-xdist has started calls this, too
    options = config.option
    named = config.args_source == pytest.Config.ArgsSource.ARGS or options.keyword
    watched = options.usepdb or options.capture == "no" or options.collectonly
    if options.numprocesses is None and options.dist == "no" and not (named or watched):
        affinity = getattr(os, "sched_getaffinity", None)  # which macOS does not have
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        if cores > 1:
            options.numprocesses, options.dist = min(cores, MOST_PROCESSES), "worksteal"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the slow tests, unless the command names them or their marker."""
    if "slow" in config.option.markexpr or any("::" in arg for arg in config.args):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: `pytest -m slow` runs it"))


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
    """A folder with the first 200 images of each kind, for runs that take no time."""
    folder = tmp_path_factory.mktemp("tiny")
    images, labels = load_mnist("test")
    write_idx(folder / "t10k-images-idx3-ubyte", images[:200])
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", labels[:200])
    labels = load_mnist("train")[1]
    write_idx(folder / "train-images-idx3-ubyte", mnist[:200])
    write_idx(folder / "train-labels-idx1-ubyte.gz", labels[:200])
    return folder


@pytest.fixture(scope="session")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser that all tests of a process share."""
    browser = Browser(tmp_path_factory.mktemp("downloads"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser; after each test its console must be empty, and nothing may have been loaded."""
    yield one_browser
    assert one_browser.complaints() == []
    assert [url for url in one_browser.requests() if not url.startswith(("file:", "data:"))] == []
