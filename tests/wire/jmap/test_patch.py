"""Changes by path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.wire.jmap.faults import NotSet, SetFaultType
from mailstack.wire.jmap.patch import MAX_CHANGES, apply_patch, read_patch

BEFORE: dict[str, Any] = {
    "name": "x",
    "keywords": {"$seen": True, "a/b": True},
    "deep": {"er": {"est": 1, "other": 2}},
    "list": [{"a": 1}],
    "nothing": None,
}


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"name": "y"}, {"name": "y"}),
        ({"new": 1}, {"new": 1}),
        ({"keywords/$flagged": True}, {"keywords": {"$seen": True, "a/b": True, "$flagged": True}}),
        ({"keywords/$seen": None}, {"keywords": {"a/b": True}}),
        ({"keywords/a~1b": None, "keywords/~0": True}, {"keywords": {"$seen": True, "~": True}}),
        ({"keywords/gone": None}, {}),
        ({"keywords": {"$draft": True}}, {"keywords": {"$draft": True}}),
        ({"deep/er/est": None, "deep/er/x": {"y": None}}, {"deep": {"er": {"other": 2, "x": {"y": None}}}}),
        ({"list": []}, {"list": []}),
        ({"": 1}, {"": 1}),
    ],
)
def test_patches(patch: dict[str, Any], changed: dict[str, Any]) -> None:
    written = repr(BEFORE)
    assert apply_patch(BEFORE, patch) == {**BEFORE, **changed}
    assert repr(BEFORE) == written


def test_null_is_the_default() -> None:
    assert apply_patch({"name": "x", "role": "inbox"}, {"role": None}) == {"name": "x"}


@pytest.mark.parametrize(
    "patch",
    [
        {"keywords": {}, "keywords/$seen": True},
        {"deep/er/est": 1, "deep": None},
        {"deep/er": {}, "deep/er/est": 1, "deep/era": 1},
        {"list/0/a": 2},
        {"list/0": None},
        {"name/x": 1},
        {"nothing/x": 1},
        {"gone/x": 1},
        {"deep/gone/x": None},
        {"a~": 1, "a~0": 2},
        {f"x{number}": 1 for number in range(MAX_CHANGES + 1)},
    ],
)
def test_what_is_no_patch(patch: dict[str, Any]) -> None:
    with pytest.raises(NotSet) as caught:
        apply_patch(BEFORE, patch)
    assert caught.value.fault.type is SetFaultType.INVALID_PATCH


@given(st.dictionaries(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join), st.integers()))
def test_a_prefix_is_found_wherever_it_is(patch: dict[str, int]) -> None:
    ways = [tuple(pointer.split("/")) for pointer in patch]
    has_prefix = any(one != other and other[: len(one)] == one for one in ways for other in ways)
    try:
        found = read_patch(patch)
    except NotSet:
        assert has_prefix
    else:
        assert not has_prefix
        assert dict(found) == dict(zip(ways, patch.values(), strict=True))
