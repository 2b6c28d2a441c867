# SPDX-License-Identifier: GPL-3.0-or-later
"""The imports inside one package, at the top of a module or anywhere in it, as a graph."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edge:
    """One import: a module of the package needs another one."""

    source: str
    target: str
    where: str
    # Inside a function: carried out only when that runs.
    lazy: bool


def modules(folder: Path) -> dict[str, Path]:
    """Every module of the package in `folder` by its dotted name without the package's own; "" is the package."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert len(found) > 1, folder
    return found


def edges(folder: Path) -> list[Edge]:
    """All imports between modules of the package in `folder`.

    `from package import name` counts for the module `name` where that is one, else for the package.
    """
    known = modules(folder)
    result = []
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        lazy = {id(inner) for function in functions for inner in ast.walk(function)}
        home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        home = [folder.name, *filter(None, home)]
        for node in ast.walk(tree):
            for target in _targets(node, home, known, folder.name):
                if target != name:
                    where = f"{path.relative_to(folder.parent)}:{node.lineno} imports {target or folder.name}"
                    result.append(Edge(name, target, where, id(node) in lazy))
    return result


def _targets(node: ast.AST, home: list[str], known: dict[str, Path], package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = home[: len(home) - node.level + 1] if node.level else []
        start = ".".join([*base, *([node.module] if node.module else [])])
        names = [f"{start}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module" and node.args:
        # importlib.import_module(".name", __package__), where the name is written out.
        text = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
        dots = len(text) - len(text.lstrip("."))
        names = [".".join([*home[: len(home) - dots + 1], text.lstrip(".")])] if dots else [text]
    else:
        return
    for name in names:
        parts = name.split(".")
        if parts[0] != package:
            continue
        inner = ".".join(parts[1:])
        # The last part may be a function or a class.
        yield inner if inner in known else ".".join(parts[1:-1])


def circles(graph: list[Edge]) -> list[list[str]]:
    """Groups of modules that import one another in a circle (Tarjan's strongly connected components)."""
    following: dict[str, list[str]] = {}
    for edge in graph:
        following.setdefault(edge.source, []).append(edge.target)
        following.setdefault(edge.target, [])
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in following[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in following:
        if name not in index:
            visit(name)
    return found
