"""Hypothesis strategies for the engine's Structs, derived from their types."""

import types
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

NS_MAX = 2**62


@lru_cache
def examples_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type: a Struct, an enum, a container, a union or a scalar."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: examples_of(hints[name]) for name in kind.__struct_fields__})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return st.lists(examples_of(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(examples_of(inner[0]), examples_of(inner[1]), max_size=3)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(examples_of, inner))
    return SCALARS[kind]


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-NS_MAX, NS_MAX),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8),
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    Decimal: st.decimals(-(10**12), 10**12, places=8),
    type(None): st.none(),
}
