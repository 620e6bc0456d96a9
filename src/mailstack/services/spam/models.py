"""What was learned, as scoring asks for it: the shared model where it is mapped, and those of accounts, of which the
last that were asked for stay unpacked.

An account that taught nothing costs a look into a dictionary. Whoever keeps this calls catch_up when it is told of a
change, and now and then.
"""

from collections import OrderedDict
from collections.abc import Callable

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId
from mailstack.ports.spam_tables import SpamTables
from mailstack.spam.model import Model

MOST_KEPT = 32
"""192 KiB each."""

log = structlog.get_logger()


class LearnedModels:
    """Works as services.spam.scoring.SpamModels. shared: as it is now."""

    def __init__(self, tables: SpamTables, shared: Callable[[], Model]) -> None:
        self._tables = tables
        self._shared = shared
        self._numbers: dict[AccountId, int] = {}
        self._known_up_to = 0
        self._kept: OrderedDict[AccountId, Model | None] = OrderedDict()

    @property
    def shared(self) -> Model:
        return self._shared()

    async def of_account(self, account_id: AccountId) -> Model | None:
        """None, too, for one that cannot be read: that is told in the log, and stops no mail."""
        number = self._numbers.get(account_id)
        if number is None:
            return None
        if account_id in self._kept:
            self._kept.move_to_end(account_id)
            return self._kept[account_id]
        try:
            table = await self._tables.of_account(account_id)
            model = None if table is None else Model(table)
        except DomainError as fault:
            log.warning("what an account taught of spam cannot be read", account=account_id, fault=repr(fault))
            return None
        if self._numbers.get(account_id) == number:
            self._kept[account_id] = model
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return model

    async def catch_up(self) -> None:
        """Raises DomainError."""
        for account_id, number in (await self._tables.changed_after(self._known_up_to)).items():
            self._numbers[account_id] = number
            self._kept.pop(account_id, None)
            self._known_up_to = max(self._known_up_to, number)
