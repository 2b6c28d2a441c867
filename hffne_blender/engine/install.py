# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the engine's own Python environment, beside Blender and never in Blender's Python. No bpy here.

Everything is done by child processes: Python's own `venv`, then that environment's installer. A thread reads their
output, so that Blender only reads `progress` and `message`. Downloads stay in a cache until all is installed: after a
cancel or a broken download the next try goes on from there. Downloads come over TLS and the installer checks each
against the hash that its index gives.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import install_pip, installed, launch, torch_builds
from .install_errors import InstallError, failure, lacks_ensurepip, unreachable
from .install_work import Work
from .lock import lock_for

# Settings of the user's pip that would install elsewhere.
_PIP_VARIABLES = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")


class Install(Work):
    """Make the environment under `base`, or with `repair` make it again from the beginning.

    wheel   the engine's own package
    wheels  a folder of wheels to install from without a network, or ""
    maker   the Python that makes the environment, Blender's own
    build   the build of torch, one of torch_builds.BUILDS; None chooses the one that fits this machine
    """

    def __init__(
        self,
        base: str | Path,
        wheel: str | Path,
        wheels: str = "",
        repair: bool = False,
        maker: str = sys.executable,
        build: str | None = None,
    ) -> None:
        super().__init__(Path(base) / "install.log")
        self.base, self.wheel, self.wheels, self.repair = Path(base), Path(wheel), wheels, repair
        self.maker, self.build = maker, build or torch_builds.choose_build()

    def steps(self) -> None:
        """All the work, on the thread. Raises InstallError."""
        folder, cache = installed.environment_folder(self.base), self.base / "cache"
        python = installed.python_in(folder)
        environ = launch.environment(inside_application=True)
        for name in _PIP_VARIABLES:
            environ.pop(name, None)
        environ.update(PIP_CACHE_DIR=str(cache), PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_RETRIES="10")
        pip = [str(python), "-m", "pip", "install"]
        self._check_room()
        self._make_environment(folder, python, environ)
        source = self._install_torch(pip, python, environ)
        lock = None if self.wheels else lock_for(self.wheel, folder)
        if not (lock and self._install_locked([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], environ)):
            usual = source[: 3 if self.wheels else 0]
            self.call("Installing the engine", [*pip, str(self.wheel), *usual], environ, 0.7, 0.93)
        # The same version again may have other contents: a development build.
        own = [*pip, "--force-reinstall", "--no-deps", "--no-index", str(self.wheel)]
        self.call("Installing the engine", own, environ, 0.93, 0.95)
        program = "import torch, numpy, cv2, safetensors, hffne; print('engine', hffne.__version__)"
        self.call("Checking", [python, "-c", program], environ, 0.95, 0.98)
        self.message = "Removing temporary files"
        shutil.rmtree(cache, ignore_errors=True)
        size = installed.size_of(folder)
        facts = {"version": installed.version_of(self.wheel), "build": self.build, "bytes": size}
        (folder / installed.STAMP).write_text(json.dumps(facts), "utf-8")
        free = installed.free_bytes(self.base)
        self.message = f"Installed: {size / 1e9:.1f} GB, {free / 1e9:.0f} GB left on the disk"

    def _check_room(self) -> None:
        if self.wheels and not os.path.isdir(self.wheels):
            raise InstallError("install_failed", f"There is no folder {self.wheels}.")
        # The files of an earlier try are used, or make room for the new ones.
        room = torch_builds.ROOM[self.build] - installed.size_of(self.base)
        free = installed.free_bytes(self.base)
        if free < room:
            name = torch_builds.BUILDS[self.build]
            raise InstallError(
                "install_failed",
                f"About {room / 1e9:.1f} GB more are needed for {name}, {free / 1e9:.1f} GB are free.",
                "Make room and press Install again, or choose another PyTorch Build in the preferences.",
            )

    def _make_environment(self, folder: Path, python: Path, environ: dict[str, str]) -> None:
        """Make the environment, unless an earlier try has made one for the same build."""
        # pip does not distinguish two builds of the same version.
        changed = installed.build_in(folder) not in ("", self.build)
        (folder / installed.STAMP).unlink(missing_ok=True)
        if self.repair or changed or not _has_pip(python, environ):
            self._make_anew(folder, python, environ)
        (folder / installed.BEGUN).write_text(json.dumps({"build": self.build}), "utf-8")

    def _make_anew(self, folder: Path, python: Path, environ: Mapping[str, str]) -> None:
        """An empty environment with pip."""
        make = [self.maker, "-m", "venv", "--clear", str(folder)]
        code, lines = self.call("Making the environment", make, environ, 0, 0.03, check=False)
        if not code:
            return
        reason = failure("\n".join(lines))
        if not lacks_ensurepip("\n".join(lines)):
            raise reason
        self.call("Making the environment", [*make, "--without-pip"], environ, 0.03, 0.04)
        wheel = install_pip.of_folder(self.wheels) if self.wheels else None
        if not self.wheels:
            command, wheel = install_pip.download(python, folder)
            if self.call("Downloading the installer", command, environ, 0.04, 0.05, check=False)[0]:
                wheel = None
        if wheel is None:
            raise reason
        self.call("Installing the installer", install_pip.install(python, wheel), environ, 0.05, 0.05)

    def _install_torch(self, pip: Sequence[str], python: Path, environ: dict[str, str]) -> list[str]:
        """Install PyTorch; returns pip's options for where the packages come from."""
        torch, reached = torch_builds.TORCH, True
        if self.wheels:
            source = ["--no-index", "--find-links", self.wheels]
            # Only that folder, whatever else this computer's settings of pip name.
            environ.pop("PIP_FIND_LINKS", None)
            environ["PIP_CONFIG_FILE"] = os.devnull
        else:
            # The newest pip reports the progress of a download, and continues a broken one.
            code, _ = self.call("Updating the installer", [*pip, "pip>=25.2"], environ, 0.05, 0.1, check=False)
            if code == 0:
                environ.update(PIP_PROGRESS_BAR="raw", PIP_RESUME_RETRIES="20")
            torch, source, reached = self._torch_source(python, environ)
        message = f"Installing PyTorch for {torch_builds.BUILDS[self.build]}"
        code, lines = self.call(message, [*pip, torch, *source], environ, 0.1, 0.7, check=False)
        if code:
            output = "\n".join(lines)
            # In the midst of a sentence where the user's own constraints are told as well.
            missing = "no matching distribution" in output.lower()
            raise unreachable() if missing and not reached else failure(output)
        return source

    def _install_locked(self, command: Sequence[str], environ: Mapping[str, str]) -> bool:
        """Install the locked versions; False when this system does not have all of them, so that others must do."""
        code, lines = self.call("Installing the engine", command, environ, 0.7, 0.93, check=False)
        output = "\n".join(lines)
        if code and "No matching distribution" not in output:
            raise failure(output)
        return code == 0

    def _torch_source(self, python: Path, environ: Mapping[str, str]) -> tuple[str, list[str], bool]:
        """(requirement, pip's options, whether PyTorch's index answers) for this machine's build.

        The build is named; otherwise pip would silently take the usual index's, which computes on another device.
        """
        name = torch_builds.OWN_BUILDS.get((sys.platform, self.build))
        if not name:
            return torch_builds.TORCH, [], True
        # Tested first: pip would wait long for an index that does not answer.
        index = torch_builds.INDEX + name
        program = f"import urllib.request as u; u.urlopen({index + '/'!r}, timeout=8)"
        code, _ = self.call("Looking for PyTorch", [python, "-c", program], environ, 0.1, 0.1, check=False)
        # Also without it: a mirror in the user's own settings may have that build.
        return f"{torch_builds.TORCH}+{name}", ["--extra-index-url", index] if code == 0 else [], code == 0


class Check(Work):
    """Run the engine's own self-check in `python`; `error` says what is wrong."""

    def __init__(self, base: str | Path, python: str) -> None:
        super().__init__(Path(base) / "check.log")
        self.python = python

    def steps(self) -> None:
        """The check, on the thread. Raises InstallError."""
        if not os.path.isfile(self.python):
            raise InstallError(
                "engine_not_set", f"There is no Python at {self.python}.", "Install or repair the engine."
            )
        environ = launch.environment(inside_application=True)
        try:
            code, lines = self.call("Checking", [self.python, "-m", "hffne", "doctor"], environ, 0, 1, check=False)
        except OSError as error:
            raise InstallError(
                "engine_not_set",
                f"The engine's Python does not start ({error.strerror}).",
                "It belonged to a Blender that was removed, or is damaged: repair the engine.",
            ) from error
        if code and any("No module named hffne" in line for line in lines):
            raise InstallError(
                "engine_check",
                "This Python does not have the engine.",
                "Install the engine, or choose another Python.",
            )
        if code:
            failed = [line for line in lines if line.startswith("FAIL")] or [line for line in lines if line][-1:]
            if not failed:
                raise InstallError("engine_check", "The engine's check ended without a message.", "Repair the engine.")
            raise InstallError("engine_check", " ".join(failed), "Repair the engine.")
        self.message = "The engine works"


def _has_pip(python: Path, environ: Mapping[str, str]) -> bool:
    """Whether an environment's Python starts and has pip."""
    try:
        done = subprocess.run([str(python), "-m", "pip", "--version"], env=environ, capture_output=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
