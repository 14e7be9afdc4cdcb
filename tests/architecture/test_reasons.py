"""A reason that nothing gives is no reason: each code is used by the engine."""

import ast

from engine.domain.reasons import Reason
from tests.architecture.source import files, name_of, tree


def test_every_reason_is_given_somewhere():
    given = {
        node.attr
        for path in files("engine")
        if name_of(path) not in ("engine/domain/reasons.py", "engine/domain/reasontable.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason"
    }
    assert not sorted(reason.name for reason in Reason if reason.name not in given)
