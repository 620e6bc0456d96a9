"""Outcomes in short, for tests to compare."""

from collections.abc import Sequence

from mailstack.model.delivery import Outcome


def brief(outcomes: Sequence[Outcome]) -> list[str]:
    """`Deferred 451 4.4.2`, one for each."""
    return [f"{type(found).__name__} {found.reply.code} {found.reply.status}".rstrip() for found in outcomes]
