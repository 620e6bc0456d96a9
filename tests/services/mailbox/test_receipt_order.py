"""However a mailbox grows and shrinks, its order is the one that sorting all of it gives."""

from array import array
from collections.abc import Callable
from itertools import compress
from random import Random

import pytest

from mailstack.services.mailbox.receipt_order import ReceiptOrder

Instants = Callable[[int, Random], int]
"""When the message of this place was received."""


def in_turn(at: int, _: Random) -> int:
    return at


def at_once(_at: int, _: Random) -> int:
    return 7


def nearly(at: int, chance: Random) -> int:
    return at + (0 if chance.random() < 0.95 else chance.randrange(-200, 10))


def anyhow(_at: int, chance: Random) -> int:
    return chance.randrange(50)


def sorted_whole(instants: "array[int]", ids: "array[int]") -> list[int]:
    return sorted(range(len(ids)), key=lambda at: (instants[at], ids[at]))


@pytest.mark.parametrize("received", [in_turn, at_once, nearly, anyhow])
@pytest.mark.parametrize("is_moved", [False, True], ids=["as stored", "moved here"])
def test_order(received: Instants, is_moved: bool) -> None:
    chance = Random(3)
    for _ in range(20):
        instants, ids, order = array("q"), array("q"), ReceiptOrder()
        unused = chance.sample(range(5_000), 5_000) if is_moved else list(range(5_000))
        for _ in range(8):
            for _ in range(chance.choice((0, 1, 2, 40, 200))):
                instants.append(received(len(instants), chance))
                ids.append(unused.pop(0))
            order.extend(instants, ids)
            assert list(order.places) == sorted_whole(instants, ids)
            stays = [chance.random() < 0.9 for _ in ids]
            order = order.kept(stays)
            instants, ids = array("q", compress(instants, stays)), array("q", compress(ids, stays))
            assert list(order.places) == sorted_whole(instants, ids)


def test_what_goes_before_it_was_put_in_order() -> None:
    order = ReceiptOrder()
    order.extend(array("q", [5, 4]), array("q", [1, 2]))
    order = order.kept([False, True, True])
    order.extend(array("q", [4, 3]), array("q", [2, 3]))
    assert list(order.places) == [1, 0]


def test_mail_in_the_order_of_its_receipt_takes_no_room() -> None:
    order = ReceiptOrder()
    order.extend(array("q", range(9)), array("q", range(9)))
    assert (order.places, order.octets) == (range(9), 0)
    order.extend(array("q", [*range(9), 3]), array("q", range(10)))
    assert order.octets > 0
