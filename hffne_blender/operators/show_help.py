# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_help`: what an error means and what to do, from the page that comes with the extension."""

from pathlib import Path

import bpy

from ..engine import session
from . import text_viewer

TEXT_NAME = "HFFNE Help"
PAGE = "troubleshooting.md"


class HFFNE_OT_show_help(bpy.types.Operator):
    """Open what this message means and what to do about it; no network is needed"""

    bl_idname = "hffne.show_help"
    bl_label = "Help"
    bl_options = {"INTERNAL"}

    code: bpy.props.StringProperty(
        name="Code", description="The error's code; empty takes the last error's", options={"SKIP_SAVE"}
    )

    def execute(self, context):
        code = self.code or (session.state.last_error or {}).get("code", "")
        text_viewer.show(context, TEXT_NAME, explained(code, _page()))
        self.report({"INFO"}, f"See the text '{TEXT_NAME}'")
        return {"FINISHED"}


def explained(code, page):
    """The page, with what it says of a code in front, as plain lines."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and f"`{code}`" in cells[0]:
            return f"{code}\n\nWhat it means: {cells[1]}\n\nWhat to do: {cells[2]}\n\n\n{page}"
    return page


def _page():
    package = Path(__file__).resolve().parents[1]
    # Beside the code in an installed extension, among the documents in the sources.
    for place in (package / PAGE, package.parent / "docs" / PAGE):
        if place.is_file():
            return place.read_text("utf-8")
    return "The help page is missing. Install the extension again.\n"
