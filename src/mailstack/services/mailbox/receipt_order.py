"""The messages of a view in the order of their receipt, which lists ask for: kept, for sorting 100,000 takes longer
than all else that is done for a list. Mail comes nearly in that order, so it is seldom more than a range.
"""

from array import array
from bisect import insort
from collections.abc import Callable, Sequence
from itertools import accumulate, compress, islice
from operator import le, lt

_FEW = 64
"""To find the places of so many costs less than to sort all."""


class ReceiptOrder:
    """places: in the view's table, by when the messages were received, then by message id."""

    def __init__(self) -> None:
        self.places: range | array[int] = range(0)

    @property
    def octets(self) -> int:
        return 0 if isinstance(self.places, range) else self.places.itemsize * len(self.places)

    def extend(self, instants: "array[int]", message_ids: "array[int]") -> None:
        """By those that the table has more than before. instants: beside message_ids."""
        known, count = len(self.places), len(message_ids)
        if known == count:
            return
        last = self.places[-1] if known else None
        news = range(known, count)
        if _ascends(instants, known, last, le) and _ascends(message_ids, known, last, lt):
            self.places = range(count) if isinstance(self.places, range) else self.places + array("I", news)
            return
        places = array("I", self.places)
        if len(news) <= _FEW:
            for at in news:
                insort(places, at, key=lambda at: (instants[at], message_ids[at]))
        else:
            in_order = [*places, *news]
            in_order.sort(key=message_ids.__getitem__)
            in_order.sort(key=instants.__getitem__)
            places = array("I", in_order)
        self.places = places

    def kept(self, stays: Sequence[bool]) -> "ReceiptOrder":
        """stays: beside the whole table."""
        order, known = ReceiptOrder(), len(self.places)
        if isinstance(self.places, range):
            order.places = range(sum(islice(stays, known)))
        else:
            moved = list(accumulate(islice(stays, known), initial=0))
            order.places = array(
                "I", map(moved.__getitem__, compress(self.places, map(stays.__getitem__, self.places)))
            )
        return order


def _ascends(column: "array[int]", start: int, last: int | None, is_before: Callable[[int, int], bool]) -> bool:
    """From start on, and after what stands at last."""
    tail = column[start:]
    if last is not None and not is_before(column[last], tail[0]):
        return False
    return all(map(is_before, tail, islice(tail, 1, None)))
