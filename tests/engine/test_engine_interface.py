# SPDX-License-Identifier: GPL-3.0-or-later
"""The real engine and every engine that stands in for it in a test have what the code uses of an engine."""

import importlib
import inspect

import pytest

import standin_engine
from gated_engine import GatedEngine
from hffne.engine_interface import CropEngine, FaceEngine, NormalsEngine
from hffne.pipeline import Engine
from tilting_engine import TiltingEngine


def of_test(module, name):
    """A stand-in that only one module of tests uses."""
    return getattr(importlib.import_module(module), name)


ENGINES = [
    (Engine, NormalsEngine),
    (Engine, CropEngine),
    (Engine, FaceEngine),
    (GatedEngine, FaceEngine),
    (standin_engine.Engine, FaceEngine),
    (TiltingEngine, NormalsEngine),
    (of_test("test_stability", "LevelEngine"), CropEngine),
    (of_test("test_evaluation_response", "PartEngine"), NormalsEngine),
    (of_test("test_evaluation_robustness", "KnownEngine"), NormalsEngine),
    (of_test("test_evaluation_wild", "BowlEngine"), NormalsEngine),
]


def mismatch(cls, interface):
    """The first method of an interface that a class does not have, or not with the same arguments; or ""."""
    for name, method in inspect.getmembers(interface, inspect.isfunction):
        if name.startswith("_"):
            continue
        if not callable(getattr(cls, name, None)):
            return name
        wanted = list(inspect.signature(method).parameters.values())[1:]
        arguments = [parameter.name for parameter in wanted]
        optional = {parameter.name: None for parameter in wanted if parameter.default is not parameter.empty}
        signature = inspect.signature(getattr(cls, name))
        try:
            # By position, and what is optional by name as well.
            signature.bind(None, *arguments)
            signature.bind(None, *arguments[: len(arguments) - len(optional)], **optional)
        except TypeError as error:
            return f"{name}: {error}"
    return ""


@pytest.mark.parametrize(("cls", "interface"), ENGINES, ids=lambda item: item.__name__)
def test_an_engine_has_what_is_used_of_it(cls, interface):
    assert mismatch(cls, interface) == ""


def test_a_class_that_is_not_an_engine_is_noticed():
    class WithoutFace:
        def normals(self, photo):
            raise NotImplementedError

    class WithoutReport:
        def normals(self, photo, face):
            raise NotImplementedError

    assert mismatch(WithoutFace, NormalsEngine).startswith("normals: ")
    assert mismatch(WithoutReport, NormalsEngine) == "" and mismatch(WithoutReport, CropEngine) == "crop"
    assert mismatch(type("E", (WithoutReport,), dict(vars(FaceEngine), normals=WithoutReport.normals)), FaceEngine)
    assert not isinstance(GatedEngine(), CropEngine) and isinstance(GatedEngine(), FaceEngine)
