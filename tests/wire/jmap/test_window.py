"""Which part of the results is answered with."""

from collections.abc import Sequence
from typing import Any

import pytest

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.window import MAX_LIMIT, read_window

IDS = list("abcdefghij")


def cut(asked: dict[str, Any], ids: Sequence[str]) -> tuple[int, Sequence[str], int | None]:
    return read_window(Arguments(asked)).cut(ids, of=lambda text: text)


@pytest.mark.parametrize(
    ("asked", "position", "ids"),
    [
        ({}, 0, "abcdefghij"),
        ({"limit": 3}, 0, "abc"),
        ({"limit": 0}, 0, ""),
        ({"position": 8, "limit": 3}, 8, "ij"),
        ({"position": 12}, 12, ""),
        ({"position": -3}, 7, "hij"),
        ({"position": -3, "limit": 1}, 7, "h"),
        ({"position": -30, "limit": 2}, 0, "ab"),
        ({"anchor": "d", "limit": 2}, 3, "de"),
        ({"anchor": "d", "anchorOffset": -2, "limit": 2}, 1, "bc"),
        ({"anchor": "d", "anchorOffset": -9, "limit": 2}, 0, "ab"),
        ({"anchor": "d", "anchorOffset": 3, "limit": 2}, 6, "gh"),
        ({"anchor": "d", "anchorOffset": 30}, 33, ""),
        ({"anchor": "d", "position": 7, "limit": 1}, 3, "d"),
        ({"anchorOffset": 5, "limit": 1}, 0, "a"),
    ],
)
def test_the_window(asked: dict[str, Any], position: int, ids: str) -> None:
    assert cut(asked, IDS) == (position, list(ids), None)


def test_an_anchor_that_is_not_found() -> None:
    with pytest.raises(MethodFault) as caught:
        cut({"anchor": "x"}, IDS)
    assert caught.value.type is MethodFaultType.ANCHOR_NOT_FOUND


@pytest.mark.parametrize("asked", [{"limit": -1}, {"limit": "1"}, {"position": 1.5}, {"anchor": "a b"}])
def test_what_is_no_window_is_an_invalid_argument(asked: dict[str, Any]) -> None:
    with pytest.raises(MethodFault) as caught:
        read_window(Arguments(asked))
    assert caught.value.type is MethodFaultType.INVALID_ARGUMENTS


@pytest.mark.parametrize("asked", [{}, {"limit": MAX_LIMIT + 1}])
def test_a_limit_of_ours_is_told(asked: dict[str, Any]) -> None:
    ids = [f"M{number}" for number in range(MAX_LIMIT + 5)]
    assert cut(asked, ids) == (0, ids[:MAX_LIMIT], MAX_LIMIT)
