# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the engine's own Python environment, beside Blender and never in Blender's Python. No bpy here.

Everything is done by child processes: Python's own `venv`, then that environment's
installer. A thread reads what they say, so that Blender only looks at `progress` and
`message`. What was downloaded stays in a cache until all is installed: after a cancel
or a broken download the next try goes on from there. Downloads come over TLS and the
installer checks each against the hash that its index gives.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from . import launch
from .lock import lock_for

TORCH = "torch==2.13.0"
INDEX = "https://download.pytorch.org/whl/"
# Builds that only PyTorch's own index has, for this version of TORCH (its RELEASE.md);
# elsewhere the usual index has the right one: CUDA 13.0 on Linux, CPU on Windows, Metal on macOS.
OWN_BUILDS = {("linux", "cpu"): "cpu", ("linux", "rocm"): "rocm7.2", ("win32", "cuda"): "cu130"}
# Written last: an environment without it is not whole.
STAMP = "hffne-installed.json"
# Written first: what an interrupted installation was for.
BEGUN = "hffne-begun.json"
# Bytes that an installation may take, downloads included, by the build of torch. On the safe side.
ROOM = {"cpu": 3e9, "mps": 3e9, "cuda": 12e9, "rocm": 25e9}
BUILDS = {"cpu": "CPU", "mps": "Apple Metal", "cuda": "NVIDIA CUDA", "rocm": "AMD ROCm"}

# The folder of a version among Blender's user folders.
_BLENDER = re.compile(r"\d+\.\d+")

# What the tools say when something is wrong, and what that means.
_WORDS = (
    (r"ensurepip is not available|No module named (venv|ensurepip)", "This Blender's Python cannot make environments.",
     "Install Python's venv package (Debian, Ubuntu: python3-venv), or choose an existing Python that has the engine."),
    (r"No space left|not enough space|Errno 28", "The disk is full.", "Make room and press Install again: it goes on from here."),
    (r"DO NOT MATCH THE HASHES", "A download arrived broken.", "Press Install again."),
    (r"name resolution|getaddrinfo|NewConnectionError|ConnectTimeout|Read timed out|ConnectionReset|ProxyError"
     r"|IncompleteRead|Network is unreachable",
     "The package index cannot be reached.", "Check the connection and press Install again: it goes on from here."),
    (r"(?:No matching distribution found for|satisfies the requirement) (\S+)", "There is no {0} for this computer's Python.",
     "In a folder of wheels, add it; otherwise read the log."),
    (r"Permission denied|Access is denied|WinError 5", "The extension's folder cannot be written.",
     "Close other programs that use the engine and try again."),
)  # fmt: skip

_UNREACHED = {
    "code": "install_failed",
    "message": "PyTorch's own package index cannot be reached.",
    "hint": "Check the connection and press Install again: it goes on from here. Or choose a folder of wheels.",
}


def environment_folder(base):
    return Path(base) / "env"


def installed_python(base):
    """The Python of a whole environment under `base` as a path, or ""; it may have lost its own base."""
    if not base:
        return ""
    folder = environment_folder(base)
    return str(python_in(folder)) if (folder / STAMP).is_file() else ""


def of_other_blenders(base, version):
    """[(Blender's version, Python)] of whole engines of `version` that other Blenders made, the newest first.

    Blender's user folders have its version in their path, so that after an upgrade the
    extension, taken over or installed again, begins without an engine. An engine whose own
    Blender has gone has lost its Python and is not among them.
    """
    parts = Path(base).parts
    own = max((k for k, part in enumerate(parts) if _BLENDER.fullmatch(part)), default=None)
    if own is None:
        return []
    names = [folder.name for folder in Path(*parts[:own]).glob("*.*") if _BLENDER.fullmatch(folder.name)]
    found = []
    for name in sorted(set(names) - {parts[own]}, key=lambda name: [int(n) for n in name.split(".")], reverse=True):
        other = Path(*parts[:own], name, *parts[own + 1 :])
        if state(other).get("version") == version and _has_its_base(environment_folder(other)):
            found.append((name, installed_python(other)))
    return found


def state(base):
    """What the last whole install wrote ("version", "build", "bytes"), or {}."""
    try:
        return json.loads((environment_folder(base) / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def is_half(base):
    """Has an interrupted installation (or removal) left something: an environment that is not whole, or downloads?"""
    if not base:
        return False
    folder = environment_folder(base)
    return (folder.exists() and not (folder / STAMP).is_file()) or (Path(base) / "cache").exists()


def last_log(base):
    """The log of the last installation, also of another Blender's run, or ""."""
    try:
        return (Path(base) / "install.log").read_text("utf-8", "replace") if base else ""
    except OSError:
        return ""


def version_of(wheel):
    return Path(wheel).name.split("-")[1]


def python_in(folder):
    return Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def choose_build():
    """The build of torch that fits this machine."""
    if sys.platform == "darwin":
        return "mps"
    if shutil.which("nvidia-smi"):
        return "cuda"
    if sys.platform.startswith("linux") and (shutil.which("rocminfo") or os.path.isdir("/opt/rocm")):
        return "rocm"
    return "cpu"


def exists(build):
    """Has PyTorch such a build for this system?"""
    if sys.platform == "darwin":
        return build in ("cpu", "mps")
    return build in ("cpu", "cuda") or (build == "rocm" and sys.platform.startswith("linux"))


def free_bytes(base):
    """Free bytes of the disk on which `base` is or will be."""
    place = Path(base)
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def size_of(folder):
    """Bytes of the files below `folder`."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total


def remove(base):
    """Delete the environment and the cache; raises OSError when something is still in use."""
    folder = environment_folder(base)
    # First the stamp: whatever else stays, it is no longer taken for whole.
    (folder / STAMP).unlink(missing_ok=True)
    for place in (folder, Path(base) / "cache"):
        if place.exists():
            shutil.rmtree(place)


class Work:
    """Child processes one after the other on a thread; `state` is running, done, failed or cancelled.

    error: {"code", "message", "hint"} once it has failed. progress: 0..1.
    """

    def __init__(self, log_path):
        self.state, self.progress, self.message = "running", 0.0, "Starting"
        self.error = None
        self.log_path = Path(log_path)
        self._process, self._cancelled = None, False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="hffne install", daemon=True)

    @property
    def over(self):
        return self.state != "running"

    def start(self):
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path.write_text("", "utf-8")
        self._thread.start()
        return self

    def wait(self, seconds=None):
        self._thread.join(seconds)

    def cancel(self):
        with self._lock:
            self._cancelled = True
            _end(self._process)

    def log(self):
        try:
            return self.log_path.read_text("utf-8", "replace")
        except OSError:
            return ""

    def steps(self):
        raise NotImplementedError

    def _run(self):
        try:
            self.steps()
            self.progress, self.state = 1.0, "done"
        except _Stop:
            self.state = "cancelled"
        except _Failed as failed:
            self.error, self.state = failed.error, "failed"
        except OSError as error:
            self._say(str(error))
            self.error, self.state = _failure(str(error)), "failed"

    def _say(self, line):
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def call(self, message, command, environ, start, end, quiet=False):
        """Run one command; `start` and `end` are its share of the progress. Returns (exit code, lines)."""
        self.message, self.progress = message, start
        self._say("> " + " ".join(map(str, command)))
        # Its own group, so that a cancel also ends its children.
        group = {"creationflags": 0x08000000} if os.name == "nt" else {"start_new_session": True}
        with self._lock:
            if self._cancelled:
                raise _Stop
            self._process = subprocess.Popen(
                [str(part) for part in command], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", **group,
            )  # fmt: skip
        lines = []
        for line in self._process.stdout:
            line = line.rstrip()
            share = re.match(r"Progress (\d+) of (\d+)", line)
            if share:
                done, whole = int(share[1]), max(1, int(share[2]))
                self.message = f"{message}: {done / 1e6:.0f} of {whole / 1e6:.0f} MB"
                # Never back: the parts of one step come one after the other.
                self.progress = max(self.progress, start + (end - start) * 0.9 * done / whole)
                continue
            lines.append(line)
            self._say(line)
        code = self._process.wait()
        with self._lock:
            self._process = None
            if self._cancelled:
                raise _Stop
        if code and not quiet:
            raise _Failed(_failure("\n".join(lines)))
        self.progress = end
        return code, lines


class Install(Work):
    """Make (or with `repair` make anew) the environment under `base`.

    wheel: the engine's own package. wheels: a folder of wheels to install from without a
    network, or "". maker: the Python that makes the environment, Blender's own.
    """

    def __init__(self, base, wheel, wheels="", repair=False, maker=sys.executable, build=None):
        super().__init__(Path(base) / "install.log")
        self.base, self.wheel, self.wheels, self.repair = Path(base), Path(wheel), wheels, repair
        self.maker, self.build = maker, build or choose_build()

    def steps(self):
        folder, cache = environment_folder(self.base), self.base / "cache"
        python = python_in(folder)
        environ = launch.environment(inside_application=True)
        for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"):
            environ.pop(name, None)
        environ.update(PIP_CACHE_DIR=str(cache), PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_RETRIES="10")
        pip = [python, "-m", "pip", "install"]
        if self.wheels and not os.path.isdir(self.wheels):
            raise _Failed({"code": "install_failed", "message": f"There is no folder {self.wheels}.", "hint": ""})
        # What an earlier try has left is used, or makes room for the new one.
        room, free = ROOM[self.build] - size_of(self.base), free_bytes(self.base)
        if free < room:
            message = (
                f"About {room / 1e9:.1f} GB more are needed for {BUILDS[self.build]}, {free / 1e9:.1f} GB are free."
            )
            hint = "Make room and press Install again, or choose another PyTorch Build in the preferences."
            raise _Failed({"code": "install_failed", "message": message, "hint": hint})
        # The installer takes one build of the same version for another.
        changed = _build_in(folder) not in ("", self.build)
        (folder / STAMP).unlink(missing_ok=True)
        if self.repair or changed or not _works(python, environ):
            self.call("Making the environment", [self.maker, "-m", "venv", "--clear", folder], environ, 0, 0.05)
        (folder / BEGUN).write_text(json.dumps({"build": self.build}), "utf-8")
        torch, reached = TORCH, True
        if self.wheels:
            source = ["--no-index", "--find-links", self.wheels]
            # That folder and no other: what this computer's settings name besides does not count.
            environ.pop("PIP_FIND_LINKS", None)
            environ["PIP_CONFIG_FILE"] = os.devnull
        else:
            # The newest shows how far a download is, and goes on with a broken one.
            code, _ = self.call("Updating the installer", [*pip, "pip>=25.2"], environ, 0.05, 0.1, quiet=True)
            if code == 0:
                environ.update(PIP_PROGRESS_BAR="raw", PIP_RESUME_RETRIES="20")
            torch, source, reached = self._torch(python, environ)
        message = f"Installing PyTorch for {BUILDS[self.build]}"
        code, lines = self.call(message, [*pip, torch, *source], environ, 0.1, 0.7, quiet=True)
        if code:
            said = "\n".join(lines)
            lacking = "No matching distribution" in said
            raise _Failed(_UNREACHED if lacking and not reached else _failure(said))
        lock = None if self.wheels else lock_for(self.wheel, folder)
        if not (lock and self._locked([*pip, "--require-hashes", "--no-deps", "-r", lock], environ)):
            usual = source[: 3 if self.wheels else 0]
            self.call("Installing the engine", [*pip, self.wheel, *usual], environ, 0.7, 0.93)
        # The same version again may have other contents: a development build.
        own = [*pip, "--force-reinstall", "--no-deps", "--no-index", self.wheel]
        self.call("Installing the engine", own, environ, 0.93, 0.95)
        works = "import torch, numpy, cv2, safetensors, hffne; print('engine', hffne.__version__)"
        self.call("Checking", [python, "-c", works], environ, 0.95, 0.98)
        self.message = "Tidying up"
        shutil.rmtree(cache, ignore_errors=True)
        facts = {"version": version_of(self.wheel), "build": self.build, "bytes": size_of(folder)}
        (folder / STAMP).write_text(json.dumps(facts), "utf-8")
        self.message = (
            f"Installed: {facts['bytes'] / 1e9:.1f} GB, {free_bytes(self.base) / 1e9:.0f} GB left on the disk"
        )

    def _locked(self, command, environ):
        """Install the locked versions; False where this system has not all of them, so that others must do."""
        code, lines = self.call("Installing the engine", command, environ, 0.7, 0.93, quiet=True)
        said = "\n".join(lines)
        if code and "No matching distribution" not in said:
            raise _Failed(_failure(said))
        return code == 0

    def _torch(self, python, environ):
        """(requirement, pip's options, whether PyTorch's index answers) for this machine's build.

        The build is named: else pip would take the usual index's, which computes on something
        else, without a word.
        """
        name = OWN_BUILDS.get((sys.platform, self.build))
        if not name:
            return TORCH, [], True
        # Asked first: the installer would wait long for an index that does not answer.
        probe = f"import urllib.request as u; u.urlopen({INDEX + name + '/'!r}, timeout=8)"
        code, _ = self.call("Looking for PyTorch", [python, "-c", probe], environ, 0.1, 0.1, quiet=True)
        # Also without it: a mirror of the user's own may have that build.
        return f"{TORCH}+{name}", ["--extra-index-url", INDEX + name] if code == 0 else [], code == 0


class Check(Work):
    """Run the engine's own examination in `python`; what is wrong is `error`, in words."""

    def __init__(self, base, python):
        super().__init__(Path(base) / "check.log")
        self.python = python

    def steps(self):
        if not os.path.isfile(self.python):
            message = f"There is no Python at {self.python}."
            raise _Failed({"code": "engine_not_set", "message": message, "hint": "Install or repair the engine."})
        environ = launch.environment(inside_application=True)
        try:
            code, lines = self.call("Checking", [self.python, "-m", "hffne", "doctor"], environ, 0, 1, quiet=True)
        except OSError as error:
            message = f"The engine's Python does not start ({error.strerror})."
            hint = "It belonged to a Blender that is gone, or is damaged: repair the engine."
            raise _Failed({"code": "engine_not_set", "message": message, "hint": hint}) from error
        if code:
            if any("No module named hffne" in line for line in lines):
                message, hint = "This Python does not have the engine.", "Install the engine, or choose another Python."
            else:
                bad = [line for line in lines if line.startswith("FAIL")] or [line for line in lines if line][-1:]
                message, hint = " ".join(bad) or "The engine ended without a word.", "Repair the engine."
            raise _Failed({"code": "engine_check", "message": message, "hint": hint})
        self.message = "The engine works"


class _Stop(Exception):
    pass


class _Failed(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error


def _has_its_base(folder):
    """Whether the Python that a virtual environment stands on is still there; on Windows its own one always is."""
    try:
        home = re.search(r"(?m)^home *= *(.+)$", (folder / "pyvenv.cfg").read_text("utf-8"))
    except OSError:
        return False
    return bool(home) and os.path.isdir(home.group(1).strip()) and python_in(folder).exists()


def _build_in(folder):
    """The build of torch that is in an environment or was on its way there, or ""."""
    for name in (STAMP, BEGUN):
        try:
            return str(json.loads((folder / name).read_text("utf-8"))["build"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""


def _works(python, environ):
    try:
        done = subprocess.run([str(python), "-m", "pip", "--version"], env=environ, capture_output=True, timeout=120)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _failure(text):
    message, hint = _in_words(text)
    return {"code": "install_failed", "message": message, "hint": hint}


def _in_words(text):
    for pattern, message, hint in _WORDS:
        found = re.search(pattern, text)
        if found:
            return message.format(*found.groups()), hint
    told = [line for line in text.splitlines() if "rror" in line] or text.splitlines()[-1:]
    return "The installation failed" + (f": {told[-1].strip()}" if told else "."), "Read the log; then try Repair."


def _end(process):
    if process is None or process.poll() is not None:
        return
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
