# SPDX-License-Identifier: GPL-3.0-or-later
"""Cutting a release, and the engine's bill of materials."""

import re
import shutil
import sys

import pytest

from paths import ROOT

sys.path.insert(0, str(ROOT / "server"))

import bootstrap
import release

pytestmark = pytest.mark.once
NAMES = ("addon_manifest.toml", "CITATION.cff", "CHANGELOG.md")


@pytest.fixture
def project(tmp_path):
    for name in NAMES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def texts(folder):
    return {name: (folder / name).read_text(encoding="utf-8") for name in NAMES}


def test_a_cut_changes_the_version_the_date_and_the_changelogs_heading_alone(project):
    before = texts(project)
    release.cut("7.8.9", "2031-02-03", project)
    after = texts(project)
    assert release.version_of(project) == "7.8.9"
    assert "\nversion: 7.8.9\n" in after["CITATION.cff"] and "date-released: 2031-02-03\n" in after["CITATION.cff"]
    assert "\n## 7.8.9 (2031-02-03)\n" in after["CHANGELOG.md"] and "(unreleased)" not in after["CHANGELOG.md"]
    for name in ("addon_manifest.toml", "CHANGELOG.md"):
        lines = [set(text.splitlines()) for text in (before[name], after[name])]
        assert len(lines[0] - lines[1]) == len(lines[1] - lines[0]) == 1, name
    # A second cut of the same changes nothing.
    with pytest.raises(release.ReleaseError, match="released before"):
        release.cut("7.8.9", "2031-02-03", project)
    assert texts(project) == after


@pytest.mark.parametrize(
    ("version", "changelog", "why"),
    [
        ("1.0", None, "not a version"),
        ("0.0.1", None, "lower than"),
        ("9.0.0", "# Changelog\n\n## 9.0.0 (unreleased)\n\n## 0.0.1 (2020-01-01)\n\nold\n", "empty"),
        ("9.0.0", "# Changelog\n", "needs one section"),
    ],
)
def test_what_cannot_be_cut_changes_nothing(project, version, changelog, why):
    if changelog is not None:
        (project / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    before = texts(project)
    with pytest.raises(release.ReleaseError, match=why):
        release.cut(version, "2031-02-03", project)
    assert texts(project) == before


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes():
    lock = bootstrap.lock_of("").read_text(encoding="utf-8")
    bill = release.bill_of_materials(lock, "1.2.3", bootstrap.TORCH)
    names = {part["name"]: part for part in bill["components"]}
    assert len(names) == len(bill["components"]) == len(re.findall(r"^\S+==", lock, re.M)) + 1
    assert sum(len(part.get("properties", ())) for part in bill["components"]) == lock.count("sha256:")
    assert names["torch"]["version"] == bootstrap.TORCH.split("==")[1]
    assert names["pi-heif"]["purl"] == f"pkg:pypi/pi-heif@{names['pi-heif']['version']}"
    assert bill["serialNumber"] == release.bill_of_materials(lock, "1.2.3", bootstrap.TORCH)["serialNumber"]
