# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that somebody in Blender can see, read from the sources, and their table in docs/troubleshooting.md.

    python tests/support/error_catalog.py        bring the table up to date; fill in by hand what has no code

What changes within a message is written as "…".
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
HEADING = "## Every message"
# Their first text argument is a code.
RAISERS = {"EngineError", "TransferError", "ExtensionError", "Failure", "InstallError"}
# Not seen in Blender: the command line's own, measuring and training.
ELSEWHERE = ("cli", "datasets", "evaluation", "figures", "synthesis", "training", "benchmark",
             "batch", "wheels.py", "paper.py", "variants.py", "photometric_stereo.py")  # fmt: skip
TOOLS = {"build.py", "profile_main_thread.py", "contact_sheet.py", "roundtrip.py", "headless.py"}
# What is wrong with a frame or an array is a part of another message.
WITHIN = {"FrameError", "ValueError", "ArrayError"}
# Their ValueErrors say that our own code calls them wrongly.
INTERNAL = ("frames.py", "images.py", "png.py", "camera.py", "access.py", "nodes.py", "transfer.py")


def sources():
    for path in sorted((ROOT / "server" / "hffne").rglob("*.py")):
        if not set(path.relative_to(ROOT / "server" / "hffne").parts) & set(ELSEWHERE):
            yield path
    yield from (
        path
        for path in sorted((ROOT / "hffne_blender").rglob("*.py"))
        if path.name not in TOOLS or path.parent.name == "engine"
    )


def codes_in(path):
    """The error codes that a module may raise: `code = "..."`, `code="..."`, {"code": "..."} and what RAISERS take."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        values = []
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                target, value = target.elts[0], value.elts[0]
            values = [value] if getattr(target, "id", "") == "code" else []
        elif isinstance(node, ast.Dict):
            values = [
                value for key, value in zip(node.keys, node.values, strict=True) if getattr(key, "value", "") == "code"
            ]
        elif isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if called(node) in RAISERS:
                values += [value for value in node.args[:2] if is_code(getattr(value, "value", ""))]
        yield from (v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str))


def found():
    """{message: its code, or "" where it has none}."""
    classes = _classes()
    told = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for text, code in _messages(node, path, classes):
                text = re.sub(r"(…\s*)+", lambda run: "… " if run[0][-1].isspace() else "…", text or "").strip()
                # What begins with another sentence is only the hint behind it.
                if re.search("[A-Za-z]{3}", text) and not re.match("… [A-Z]", text):
                    told.setdefault(text, code)
    return told


def listed():
    """{message: what the page says of it}."""
    rows = re.findall(r"^\| (.+?) \| (.*?) \|$", _section(PAGE.read_text("utf-8")), re.M)
    return {text: meaning for text, meaning in rows if text not in ("message", "---")}


def update():
    """Write the table anew; what stands in it of messages without a code stays."""
    known = listed()
    rows = [
        f"| {text} | {f'`{code}`' if code else known.get(text, '?')} |"
        for text, code in sorted(found().items(), key=_order)
    ]
    page = PAGE.read_text("utf-8")
    table = "\n".join(["| message | code, or what to do |", "|---|---|", *rows])
    old = re.search(r"^\| message .*?(?=\n\n|\Z)", _section(page), re.M | re.S)[0].rstrip("\n")
    PAGE.write_text(page.replace(old, table), "utf-8")


def called(node):
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def is_code(text):
    return isinstance(text, str) and bool(re.fullmatch("[a-z]+(_[a-z]+)*", text))


def _order(item):
    return re.sub("[^a-z ]", "", item[0].lower()).strip()


def _section(page):
    return page.partition(HEADING)[2].partition("\n## ")[0]


def _classes():
    """{exception class: its code}."""
    bases, codes = {}, {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                bases[node.name] = [getattr(base, "id", "") for base in node.bases]
                for line in node.body:
                    if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code":
                        codes[node.name] = line.value.value

    def code_of(name):
        return codes.get(name) or next((code for base in bases.get(name, ()) if (code := code_of(base))), "")

    return {**{name: code_of(name) for name in bases}, "ReceivedFaceError": "bad_asset", "ProtocolError": "bad_request"}


def _messages(node, path, classes):
    """(text or None, code or "") of one node."""
    if isinstance(node, ast.Call):
        name = called(node)
        texts = [_text(value) for value in node.args]
        if name in RAISERS:
            code = next((text for text in texts if is_code(text)), None)
            if code is not None and len(texts) > texts.index(code) + 1:
                yield texts[texts.index(code) + 1], code
        elif name in classes and name not in WITHIN and texts:
            code = next((_text(keyword.value) for keyword in node.keywords if keyword.arg == "code"), None)
            yield texts[0], code or classes[name]
        elif name == "ValueError" and "hffne_blender" in path.parts and path.name not in INTERNAL:
            yield texts[0] if texts else None, ""
        elif name == "report" and len(node.args) == 2 and isinstance(node.args[0], ast.Set):
            if node.args[0].elts[0].value == "ERROR":
                yield texts[1], ""
        elif name == "append" and getattr(getattr(node.func, "value", None), "id", "") == "notices":
            yield texts[0], ""
    elif isinstance(node, ast.Dict):
        pairs = {getattr(key, "value", None): _text(value) for key, value in zip(node.keys, node.values, strict=True)}
        if "code" in pairs and "message" in pairs:
            yield pairs["message"], pairs["code"]
    elif isinstance(node, ast.Assign):
        target, value = node.targets[0], node.value
        if getattr(target, "attr", "") == "_stop":
            yield _text(value), ""
        elif path.name == "client.py" and getattr(target, "id", "") == "text":
            yield _text(value), "engine_died"
        elif path.name == "install_errors.py" and getattr(target, "id", "") == "message":
            yield _text(value), "install_failed"
        elif path.name == "install_errors.py" and getattr(target, "id", "") == "_WORDS":
            for row in value.elts:
                yield row.elts[1].value.replace("{0}", "…"), "install_failed"


def _text(node):
    """A text as it is written, with … for what it does not know; None when it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = _text(node.left), _text(node.right)
        return "".join(part or "…" for part in parts) if any(parts) else None
    return None


if __name__ == "__main__":
    update()
    for text, meaning in listed().items():
        if meaning == "?":
            print(f"Write what it means: {text}")
