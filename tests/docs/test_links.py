# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation is whole: links lead somewhere, the index lists every page, named tests and modules exist."""

import re

import pytest

from paths import ROOT

PAGES = [path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/*.md")) if path.is_file()]
PAGES += [ROOT / "server" / "hffne" / "weights" / "MODEL_CARD.md"]
PAGES = sorted({path for path in PAGES if not path.relative_to(ROOT).parts[0].startswith((".", "out"))})
# Told in the words of its time.
HISTORY = ROOT / "docs" / "model-history.md"


def text_of(page):
    return page.read_text(encoding="utf-8")


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_the_index_lists_every_page():
    index = text_of(ROOT / "docs" / "README.md")
    pages = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"]
    assert len(pages) > 10
    assert not [name for name in pages if f"({name})" not in index]


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY], ids=lambda page: page.name)
def test_every_named_file_exists(page):
    for name in re.findall(r"`((?:tests|server|hffne_blender|docs|requirements)/[\w/.-]+)`", text_of(page)):
        assert (ROOT / name).exists(), name
