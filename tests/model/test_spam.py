"""What a score leads to."""

import pytest

from mailstack.model.spam import Finding, Judged, Score, SpamPolicy


def judged(points: float, *, virus: str = "", junk_at: float | None = 5, reject_at: float | None = 15) -> Judged:
    score = Score(findings=(Finding(rule="r", points=points),), virus=virus)
    return Judged(score=score, policy=SpamPolicy(junk_at=junk_at, reject_at=reject_at))


@pytest.mark.parametrize(
    ("points", "is_junk", "is_refused"),
    [(-3, False, False), (4.9, False, False), (4.96, True, False), (5, True, False), (15, True, True)],
)
def test_junk_and_refused(points: float, is_junk: bool, is_refused: bool) -> None:
    found = judged(points)
    assert (found.is_junk, found.is_refused) == (is_junk, is_refused)


def test_null_is_never() -> None:
    assert not judged(900, junk_at=None, reject_at=None).is_junk
    assert judged(900, junk_at=None).is_refused
    assert not judged(900, reject_at=None).is_refused
    assert judged(900, reject_at=None).is_junk


def test_what_is_refused_and_may_not_be_is_junk() -> None:
    assert judged(900, junk_at=None).is_junk


def test_a_virus_is_refused_whatever_else_speaks_for_the_mail() -> None:
    found = judged(-50, virus="Eicar")
    assert (found.is_refused, found.is_junk, found.percent) == (True, True, 100.0)


@pytest.mark.parametrize(
    ("points", "junk_at", "reject_at", "percent"),
    [
        (-3, 5, 15, 0),
        (0, 5, 15, 0),
        (2.5, 5, 15, 25),
        (5, 5, 15, 50),
        (10, 5, 15, 75),
        (15, 5, 15, 100),
        (99, 5, 15, 100),
        (5, 10, 20, 25),
        (5, None, 15, 50),
        (10, 10, None, 50),
        (30, 10, None, 100),
        (20, None, 4, 100),
    ],
)
def test_percent(points: float, junk_at: float | None, reject_at: float | None, percent: float) -> None:
    assert judged(points, junk_at=junk_at, reject_at=reject_at).percent == percent
