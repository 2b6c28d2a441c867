# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_help`: what an error means and what to do, from the page that comes with the extension."""

from pathlib import Path

import bpy

from ..engine import session
from .bases import text_viewer
from .bases.types import OperatorResult

TEXT_NAME = "HFFNE Help"
PAGE = "troubleshooting.md"


class HFFNE_OT_show_help(bpy.types.Operator):
    """Open what this message means and what to do about it; works without network access"""

    bl_idname = "hffne.show_help"
    bl_label = "Help"
    bl_options = {"INTERNAL"}

    code: bpy.props.StringProperty(
        name="Code", description="Code of the error; empty uses the last error", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        code = self.code or (session.state.last_error or {}).get("code", "")
        text_viewer.show(context, TEXT_NAME, help_for(code, _page()))
        self.report({"INFO"}, f"See the text '{TEXT_NAME}'")
        return {"FINISHED"}


def help_for(code: str, page: str) -> str:
    """The page, preceded by its row on the error `code` as plain lines."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and f"`{code}`" in cells[0]:
            return f"{code}\n\nWhat it means: {cells[1]}\n\nWhat to do: {cells[2]}\n\n\n{page}"
    return page


def _page() -> str:
    package = Path(__file__).resolve().parents[1]
    # Beside the code in an installed extension, in the folder of documents in the sources.
    for path in (package / PAGE, package.parent / "docs" / PAGE):
        if path.is_file():
            return path.read_text("utf-8")
    return "The help page is missing. Install the extension again.\n"
