"""How many requests, or uploads, of one account are under way at a time. RFC 8620 §2."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from mailstack.model.ids import AccountId
from mailstack.wire.jmap.request import passed_limit


class Turns:
    """Of one process, for one generation. name: of the limit, in the session object."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._taken: Counter[AccountId] = Counter()

    @contextmanager
    def turn(self, account_id: AccountId, *, limit: int) -> Iterator[None]:
        """Raises RequestProblem."""
        if self._taken[account_id] >= limit:
            raise passed_limit(self._name, limit)
        self._taken[account_id] += 1
        try:
            yield
        finally:
            self._taken[account_id] -= 1
            if not self._taken[account_id]:
                del self._taken[account_id]
