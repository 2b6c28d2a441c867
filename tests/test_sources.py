# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source obeys: the packages it may import, its license, its length."""

import ast
import subprocess
import sys

import pytest

from paths import ROOT

ENGINE = ROOT / "server" / "hffne"
EXTENSION = ROOT / "hffne_blender"

BLENDER = {"bpy", "bmesh", "mathutils", "bpy_extras", "gpu", "gpu_extras", "blf", "aud", "imbuf", "freestyle", "idprop"}
NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "socketserver", "xmlrpc"}


def sources(folder):
    found = sorted(folder.rglob("*.py"))
    assert found, folder
    return found


def imported(path):
    """(top-level name, whole name, line) of every absolute import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            names = [node.args[0].value]
        else:
            continue
        for name in names:
            yield name.split(".")[0], name, f"{path.relative_to(ROOT)}:{node.lineno}: {name}"


def test_the_engine_imports_no_blender():
    for path in sources(ENGINE):
        for top, _, where in imported(path):
            assert top not in BLENDER and top != "hffne_blender" and not top.startswith("bl_"), where


def test_the_extension_imports_blender_numpy_and_the_standard_library_only():
    allowed = (sys.stdlib_module_names | BLENDER | {"numpy", "hffne_blender"}) - NETWORK
    for path in sources(EXTENSION):
        for top, _, where in imported(path):
            assert top in allowed or top.startswith("bl_"), where


@pytest.mark.parametrize("folder", ["system", "engine", "numeric"])
def test_these_folders_of_the_extension_run_without_blender(folder):
    for path in sources(EXTENSION / folder):
        for top, _, where in imported(path):
            assert top not in BLENDER and not top.startswith("bl_"), where


BARE = [
    "server/bootstrap.py",
    "server/quickstart.py",
    "server/release.py",
    "tests/run.py",
    "tests/lint.py",
    "tests/matrix.py",
    "requirements/lock.py",
]


@pytest.mark.parametrize("script", BARE)
def test_what_runs_before_anything_is_installed_needs_the_standard_library_only(script):
    for top, _, where in imported(ROOT / script):
        assert top in sys.stdlib_module_names or top in ("bootstrap", "run"), where


def test_the_extension_changes_no_module_path_and_installs_nothing():
    for path in sources(EXTENSION):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("sys", "path"), where
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # The installer runs it in the engine's own environment, see test_install.py.
                allowed = path.parent.name == "engine" and path.name.startswith("install") and node.value == "pip"
                assert allowed or node.value not in ("pip", "ensurepip"), where


@pytest.mark.parametrize(
    ("engine", "extension"),
    [
        ("service/frames.py", "engine/frames.py"),
        ("exit_codes.py", "system/exit_codes.py"),
        ("service/protocol.py", "engine/protocol.py"),
        ("service/message_fields.py", "engine/message_fields.py"),
        ("geometry/smooth_field.py", "numeric/smooth_field.py"),
        ("redact.py", "engine/redact.py"),
        ("scratch.py", "system/scratch.py"),
        ("file_set.py", "system/file_set.py"),
        ("parent_watch.py", "system/parent_watch.py"),
        ("process_tree.py", "system/process_tree.py"),
        ("photo/formats.py", "system/photo_formats.py"),
    ],
)
def test_both_sides_have_the_same_file(engine, extension):
    assert (ENGINE / engine).read_bytes() == (EXTENSION / extension).read_bytes()


@pytest.mark.parametrize("folder", ["server", "hffne_blender", "tests"])
def test_no_source_is_longer_than_400_lines(folder):
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(ROOT / folder)}
    assert not {str(path.relative_to(ROOT)): count for path, count in lengths.items() if count > 400}


@pytest.mark.parametrize("folder", ["server", "hffne_blender", "tests", "requirements"])
def test_every_source_names_the_license(folder):
    for path in sources(ROOT / folder):
        if path.stat().st_size:
            first = path.read_text(encoding="utf-8").splitlines()[0]
            assert first == "# SPDX-License-Identifier: GPL-3.0-or-later", path


def test_help_needs_neither_torch_nor_opencv():
    code = (
        "import sys\n"
        "from hffne.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(' '.join({'torch', 'cv2', 'numpy', 'bpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, f"imported for --help: {done.stderr}"
    for verb in ("normals", "build", "serve", "evaluate", "bench", "train"):
        assert verb in done.stdout


def test_serving_does_not_import_blender():
    code = "import sys, hffne.pipeline, hffne.service.engine_loop; sys.exit('bpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
