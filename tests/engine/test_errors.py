# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a user can see has one class, one code and one exit code."""

import ast
from pathlib import Path

import pytest

import error_catalog
from hffne import errors, exit_codes
from hffne.cli.main import main
from hffne_blender.system.errors import EXIT_CODES as EXTENSION_EXIT_CODES
from hffne_blender.system.errors import ExtensionError

SOURCES = Path(errors.__file__).parents[1]
CLASSES = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.HffneError)]
EXIT_CODES = {value for name, value in vars(exit_codes).items() if name.isupper()}


def test_each_code_has_one_class_and_each_class_one_code():
    assert len(CLASSES) > 40
    codes = [cls.__dict__.get("code") for cls in CLASSES]
    assert None not in codes and len(set(codes)) == len(codes)
    assert errors.classes_by_code() == {cls.code: cls for cls in CLASSES}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_an_error_crosses_the_pipe_as_its_own_class(cls):
    error = errors.HffneError.from_dict({**cls("what", hint="do this").as_dict(), "type": "error"})
    assert type(error) is cls and (error.message, error.hint) == ("what", "do this")
    assert cls.exit_code in EXIT_CODES - {exit_codes.DONE, exit_codes.INTERRUPTED}


def test_the_exit_codes_of_the_readme():
    table = {
        errors.PhotoError: 2, errors.NotAPhotoError: 2, errors.DeviceError: 2, errors.SizeError: 2,
        errors.RequestError: 2, errors.TrainingSetError: 2, errors.ShapeModelError: 2, errors.NoFaceError: 3,
        errors.OutputError: 4, errors.InternalError: 70, errors.WeightsError: 1, errors.HffneError: 1,
    }  # fmt: skip
    assert {cls: cls.exit_code for cls in table} == table


def test_the_extension_gives_a_code_the_same_exit_code_as_the_engine():
    sources = sorted((error_catalog.ROOT / "hffne_blender").rglob("*.py"))
    raised = {code for path in sources for code in error_catalog.codes_in(path)}
    shared = raised & set(errors.classes_by_code())
    assert len(shared) > 3 and set(EXTENSION_EXIT_CODES) <= raised | set(errors.classes_by_code())
    for code in shared:
        assert ExtensionError(code, "what").exit_code == errors.classes_by_code()[code].exit_code, code


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_the_extension_keeps_what_an_error_of_the_engine_says(cls):
    sent = {**cls("what", hint="do this").as_dict(), "fatal": True, "type": "error", "id": 3}
    kept = ExtensionError.from_dict(sent).as_dict()
    assert kept == {name: sent[name] for name in kept} and len(kept) == 5


def test_errors_are_defined_in_one_package_and_take_no_code():
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            where = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ClassDef) and path.parent.name != "errors":
                bases = {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
                assert not bases & {cls.__name__ for cls in CLASSES}, where
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error"):
                assert "code" not in {keyword.arg for keyword in node.keywords}, where


@pytest.mark.parametrize("step", ["prn", "coarse"])
def test_training_on_a_folder_that_is_no_training_set(tmp_path, capsys, step):
    assert main(["train", step, "--set", str(tmp_path)]) == exit_codes.BAD_INPUT
    assert f"'{tmp_path}' is not a training set" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"not an archive"])
def test_training_data_without_the_shape_model(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "ict_facekit.npz").write_bytes(content)
    code = main(["train", "data", "--set", str(tmp_path / "set"), "--shapes", str(tmp_path), "--photos", str(tmp_path)])
    text = capsys.readouterr().err
    assert code == exit_codes.BAD_INPUT and "ict_facekit.npz" in text and "internal" not in text


def test_a_device_or_a_size_that_is_not_possible(astronaut_file, tmp_path, capsys):
    command = ["normals", str(astronaut_file), "-o", str(tmp_path / "out")]
    for options in (["--device", "abacus"], ["--device", "cuda:99"], ["--size", "300"]):
        assert main([*command, *options]) == exit_codes.BAD_INPUT, options
        assert "internal" not in capsys.readouterr().err
