"""App passwords of accounts: made, listed, ended. Only digests are stored, never the secrets.

Finding one at a login is the directory's (ports.accounts). Of an account in the trash, they stay as long as it.
"""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.app_password import AppPassword
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import Instant


class AppPasswords(Protocol):
    """Durable when it returns. Where one has gone, those who watch APP_PASSWORD_TOPIC and the account's are woken."""

    async def add(self, app_password: AppPassword, *, most: int) -> None:
        """most: of one account. Raises TooMany, AlreadyExists for an id or a digest that is there, NotFound where there
        is no such account."""
        ...

    async def of_account(self, account_id: AccountId) -> Sequence[AppPassword]:
        """The oldest first."""
        ...

    async def revoke(self, account_id: AccountId, app_password_id: AppPasswordId) -> AppPassword:
        """Returns what it was. Raises NotFound."""
        ...

    async def note_use(self, app_password_id: AppPasswordId, *, at: Instant) -> None: ...

    async def note_first_use(self, app_password_id: AppPasswordId, *, at: Instant) -> bool:
        """False where it has been used before, or is not there. Of many at once, one alone is the first."""
        ...

    async def end(self, *, now: Instant) -> Sequence[AppPassword]:
        """Removes those that have expired, and returns them."""
        ...
