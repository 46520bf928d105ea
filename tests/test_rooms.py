"""Imports go one way, and a name means one thing."""

from __future__ import annotations

import graphlib
import importlib
import inspect
import pkgutil
from types import ModuleType

from helpers.imports import ROOMS, module_imports, room_of

import minigan


def test_each_room_imports_only_from_the_rooms_before_it() -> None:
    for module, imports in module_imports().items():
        here = ROOMS.index(room_of(module))
        for imported in imports:
            assert ROOMS.index(room_of(imported)) <= here, f"{module} imports {imported}"


def test_no_module_imports_itself_by_a_detour() -> None:
    graphlib.TopologicalSorter(module_imports()).prepare()  # raises CycleError


def test_no_name_is_both_a_module_and_something_else() -> None:
    """``import minigan.tape.text`` gives what it says, for every module of the package."""
    for info in pkgutil.walk_packages(minigan.__path__, "minigan."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        package, _, name = info.name.rpartition(".")
        assert getattr(importlib.import_module(package), name) is module, info.name
        inside = getattr(module, name, None)
        assert inside is None or isinstance(inside, ModuleType), f"{info.name} holds {name}"


def test_each_room_says_what_it_is_for_and_hands_out_what_it_names() -> None:
    for info in pkgutil.iter_modules(minigan.__path__):
        if info.ispkg:
            room = importlib.import_module(f"minigan.{info.name}")
            said = inspect.getdoc(room) or ""
            assert said.count(".") >= 2, f"{info.name}: {said}"
            assert "import" in said, f"{info.name}: {said}"
            for name in getattr(room, "__all__", []):
                assert inspect.getdoc(getattr(room, name)) or not callable(getattr(room, name))
