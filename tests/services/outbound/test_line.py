"""Whose mail goes first to one destination."""

from mailstack.model.delivery import Priority
from mailstack.services.outbound.line import LONGEST_EACH, Line


async def test_the_higher_priority_goes_first_and_of_equals_who_came_first() -> None:
    line = Line()
    turns = [line.join(priority) for priority in (Priority.BOUNCE, Priority.BULK, Priority.SUBMISSION, Priority.BULK)]
    assert [turns.index(line.next()) for _ in range(4)] == [2, 1, 3, 0]
    assert not len(line)


async def test_nobody_waits_for_ever() -> None:
    line = Line()
    bounce = line.join(Priority.BOUNCE)
    for _ in range(LONGEST_EACH - 1):
        line.join(Priority.SUBMISSION)
        assert line.next() is not bounce
    line.join(Priority.SUBMISSION)
    assert line.next() is bounce
