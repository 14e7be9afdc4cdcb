"""YAML comes with the place of every value, within limits, and is refused with the place of the trouble."""

import math

import pytest

from engine.config.yamlfile import (
    ALIASES_MAX,
    DEPTH_MAX,
    NODES_MAX,
    SIZE_MAX_KB,
    field_name,
    load_yaml,
    read_yaml,
)
from engine.domain.errors import ConfigError


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_yaml(text, "f.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: -1_000", -1000),
        ("a: 0x1F", 31),
        ("a: 0o17", 15),
        ("a: 2.5", 2.5),
        ("a: 1e3", 1000.0),
        ("a: .inf", math.inf),
        ("a: -.inf", -math.inf),
        ("a: true", True),
        ("a: yes", "yes"),
        ("a: ~", None),
        ("a:", None),
        ('a: "012"', "012"),
        ("a: 2024-08-08", "2024-08-08"),
        ("a: [1, [x]]", [1, ["x"]]),
        ("a: {b: {c: 1}}", {"b": {"c": 1}}),
        ("a: !!str 5", "5"),
    ],
)
def test_values_are_plain(text, value):
    data, _ = load_yaml(text, "f.yaml")
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_not_a_number_is_read_as_such():
    assert math.isnan(load_yaml("a: .nan", "f.yaml")[0]["a"])


def test_an_empty_file_is_nothing():
    assert load_yaml("# only a comment\n", "f.yaml") == (None, {})


def test_every_value_has_its_place():
    text = "name: x\nrules:\n  - when: a > b\n    size: 2\nlimits:\n  max: 5\n"
    _, places = load_yaml(text, "f.yaml")
    assert places[("name",)] == (1, 7)
    assert places[("rules",)] == (2, 1)
    assert places[("rules", 0)] == (3, 5)
    assert places[("rules", 0, "when")] == (3, 11)
    assert places[("limits", "max")] == (6, 8)


def test_a_value_left_out_has_the_place_of_its_key():
    assert load_yaml("a: 1\nb:\nc: 2\n", "f.yaml")[1][("b",)] == (2, 1)


def test_aliases_are_followed():
    assert load_yaml("a: &x [1]\nb: *x\n", "f.yaml")[0] == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: a:", "already in line 1"),
        ("a: [1\n", "f.yaml:2:1:", "not YAML"),
        ("a:\n\tb: 1\n", "f.yaml:2:1:", "not YAML"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1:", "another document"),
        ("a: *nowhere\n", "f.yaml:1:4:", "undefined alias"),
        ("a: \x01\n", "f.yaml:", "not YAML"),
        ("a: !!python/object/apply:os.system [x]\n", "f.yaml:1:4: a:", "tag"),
        ("a: !mine {b: 1}\n", "f.yaml:1:4: a:", "tag"),
        ("a: !mine x\n", "f.yaml:1:4: a:", "tag"),
        ("a: !!int x\n", "f.yaml:1:4: a:", "'x' is not a int"),
        ("<<: {a: 1}\n", "f.yaml:1:1:", "merge keys"),
        ("? [a]\n: 1\n", "f.yaml:1:3:", "a key must be a word"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, place, words):
    error = refusal(text)
    assert str(error).startswith(place)
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "x" * SIZE_MAX_KB * 1024, "larger than"),
        ("[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2), "nested"),
        ("[" * 200_000, "nested"),
        ("]" * 1_000 + "{" * 200_000, "nested"),
        ("- " * 1_500, "nested"),
        ("a: &a [*a]", "nested"),
        ("a: &a 1\nb: [" + "*a, " * (ALIASES_MAX + 1) + "]", "aliases"),
        ("[" + "1," * NODES_MAX + "]", "more than"),
    ],
    ids=[
        "size",
        "depth",
        "endless depth",
        "endless depth after closing",
        "depth in a line",
        "recursion",
        "aliases",
        "values",
    ],
)
def test_limits_hold(text, words):
    assert words in str(refusal(text))


def test_a_few_aliases_cannot_grow_into_millions_of_values():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 8)}]" for at in range(1, 12)]
    assert "aliases" in str(refusal("\n".join(lines)))


def test_files_are_read_with_or_without_a_byte_order_mark(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(file) == ({"a": 1}, {(): (1, 1), ("a",): (1, 4)})


def test_a_missing_file_and_a_broken_one_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: the file cannot be read: No such file"):
        read_yaml(tmp_path / "none.yaml")
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: \xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_yaml(file)


def test_a_path_is_written_as_users_do():
    assert field_name(("rules", 0, "when")) == "rules[0].when"
    assert field_name(()) == ""
