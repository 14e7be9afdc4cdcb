"""Every public class and function says in a sentence what it is for."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import Function, files, name_of, tree

# Textual calls these by name; what they do is in the class's own docstring.
TEXTUAL_HOOKS = ("on_", "action_", "watch_", "validate_", "compute_", "check_", "get_", "render", "compose")


def test_public_names_are_documented():
    missing = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in files("engine", "tui", "benchmarks", "docs")
        for node in _public(path)
        if not ast.get_docstring(node)
    ]
    assert not missing


def test_modules_are_documented():
    assert not [
        name_of(path)
        for path in files("engine", "tui", "benchmarks", "docs")
        if path.read_text("utf-8").strip() and not ast.get_docstring(tree(path))
    ]


def _public(path: Path) -> Iterator[Function | ast.ClassDef]:
    for node in tree(path).body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from (
                method for method in node.body if isinstance(method, Function) and _is_ours(method, path)
            )


def _is_ours(method: Function, path: Path) -> bool:
    hook = "tui" in path.parts and method.name.startswith(TEXTUAL_HOOKS)
    setter = any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in method.decorator_list)
    return not (method.name.startswith("_") or hook or setter)
