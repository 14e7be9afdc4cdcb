"""The shape of the source: small files and functions, telling names, nothing that hides an effect."""

import ast

from tests.architecture.source import (
    CODE,
    PRODUCT,
    PURE,
    calls,
    files,
    functions,
    imported,
    name_of,
    places,
    tree,
)

FILE_LINES_MAX = 350
TEST_FILE_LINES_MAX = 600  # tables of cases are long and plain
FUNCTION_LINES_MAX = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

EFFECTS = frozenset({"time", "random", "uuid", "secrets", "asyncio", "threading", "os", "socket"})
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.datetime.now", "date.today"})
MODE_DECIDES_IN = "engine/runtime/factory.py"


def test_files_stay_small():
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in files(*CODE)}
    assert not {
        name: count
        for name, count in lines.items()
        if count > (TEST_FILE_LINES_MAX if name.startswith("tests/") else FILE_LINES_MAX)
    }


def test_functions_stay_small():
    long = {
        f"{name_of(path)}:{function.lineno} {function.name}": lines
        for path in files(*CODE)
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long


def test_modules_are_named_for_what_they_hold():
    assert not [name_of(path) for path in files(*CODE) if path.stem in VAGUE_NAMES]


def test_the_engine_never_prints():
    assert not [
        place for path in files("engine") for place in places(path, calls(path), frozenset({"print"}))
    ]


def test_the_pure_half_knows_no_clock_no_chance_and_no_outside():
    found = [
        place
        for path in files(*PURE)
        for place in (*places(path, imported(path), EFFECTS), *places(path, calls(path), CLOCKS | {"open"}))
    ]
    assert not found


def test_tests_use_real_fakes_and_sleep_only_between_two_polls():
    polls = "tests/process/harness.py"  # `eventually`: the one place that waits for another process
    mocks = frozenset({"unittest.mock", "mock", "pytest_mock"})
    found = [
        place
        for path in files("tests")
        for place in (
            *places(path, imported(path), mocks),
            *(() if str(path).endswith(polls) else places(path, calls(path), frozenset({"time.sleep"}))),
        )
    ]
    assert not found


def test_the_mode_is_decided_in_one_file():
    found = [
        f"{name_of(path)}:{_line(node)}"
        for path in files(*PRODUCT)
        if name_of(path) != MODE_DECIDES_IN
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Compare | ast.match_case) and _names_a_mode(node)
    ]
    assert not found


def _line(node: ast.Compare | ast.match_case) -> int:
    return node.lineno if isinstance(node, ast.Compare) else node.pattern.lineno


def _names_a_mode(node: ast.Compare | ast.match_case) -> bool:
    tested = [*node.comparators, node.left] if isinstance(node, ast.Compare) else [node.pattern]
    return any(
        isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "Mode"
        for branch in tested
        for part in ast.walk(branch)
    )
