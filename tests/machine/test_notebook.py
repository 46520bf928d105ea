"""A notebook is known by its kernel, and a picture in it is replaced by newer ones."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from minigan.machine.notebook import NotebookPicture, in_notebook


class Kernel:
    """What ipykernel's shell has, and the shell of a terminal has not."""

    kernel = "there"


@pytest.mark.parametrize(("shell", "is_one"), [(None, False), ("ipython", False), (Kernel(), True)])
def test_a_notebook_is_known_by_its_kernel(
    shell: object, is_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where IPython was not imported there is no notebook, and it is not imported to find out."""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert in_notebook() is is_one
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
    assert "IPython" not in sys.modules


def test_a_picture_takes_its_place_once_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    class Handle:
        def update(self, image: Any) -> None:
            shown.append(("update", image))

    def display(image: Any, display_id: bool) -> Handle:
        shown.append(("display", image))
        return Handle()

    picture = NotebookPicture()
    picture.show(b"before")  # not in a notebook
    assert shown == []
    inside, outside = ModuleType("IPython.display"), ModuleType("IPython")
    vars(inside).update(display=display, Image=lambda data: data)
    vars(outside).update(get_ipython=Kernel, display=inside)
    monkeypatch.setitem(sys.modules, "IPython", outside)
    monkeypatch.setitem(sys.modules, "IPython.display", inside)
    for png in (b"one", b"two", b"three"):
        picture.show(png)
    assert shown == [("display", b"one"), ("update", b"two"), ("update", b"three")]
