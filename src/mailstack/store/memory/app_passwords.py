"""App passwords of the accounts in memory."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.app_password import AppPassword
from mailstack.model.errors import AlreadyExists, NotFound, TooMany
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import Instant
from mailstack.ports.bus import APP_PASSWORD_TOPIC, Bus, account_topic
from mailstack.store.memory.accounts import MemoryAccounts


class MemoryAppPasswords:
    """Works as ports.app_passwords.AppPasswords."""

    def __init__(self, accounts: MemoryAccounts, bus: Bus) -> None:
        self._accounts = accounts
        self._kept = accounts.app_passwords
        self._bus = bus

    async def add(self, app_password: AppPassword, *, most: int) -> None:
        if await self._accounts.account(app_password.account_id) is None:
            raise NotFound(f"there is no account {app_password.account_id}")
        if len(await self.of_account(app_password.account_id)) >= most:
            raise TooMany(f"an account has at most {most} app passwords")
        is_known = any(one.app_password_id == app_password.app_password_id for one in self._kept.values())
        if is_known or app_password.digest in self._kept:
            raise AlreadyExists(f"an app password {app_password.app_password_id} is there already")
        self._kept[app_password.digest] = app_password

    async def of_account(self, account_id: AccountId) -> Sequence[AppPassword]:
        found = [one for one in self._kept.values() if one.account_id == account_id]
        return sorted(found, key=lambda one: (one.created_at, one.app_password_id))

    async def revoke(self, account_id: AccountId, app_password_id: AppPasswordId) -> AppPassword:
        for one in await self.of_account(account_id):
            if one.app_password_id == app_password_id:
                self._drop([one])
                return one
        raise NotFound(f"the account has no app password {app_password_id}")

    async def note_use(self, app_password_id: AppPasswordId, *, at: Instant) -> None:
        for digest, one in self._kept.items():
            if one.app_password_id == app_password_id:
                self._kept[digest] = replace(one, used_at=at)

    async def note_first_use(self, app_password_id: AppPasswordId, *, at: Instant) -> bool:
        kept = self._kept.values()
        if not any(one.app_password_id == app_password_id and one.used_at is None for one in kept):
            return False
        await self.note_use(app_password_id, at=at)
        return True

    async def end(self, *, now: Instant) -> Sequence[AppPassword]:
        ended = [one for one in self._kept.values() if one.has_ended(now)]
        self._drop(ended)
        return ended

    def _drop(self, gone: Sequence[AppPassword]) -> None:
        for one in gone:
            del self._kept[one.digest]
            self._bus.publish(account_topic(one.account_id))
            self._bus.publish(APP_PASSWORD_TOPIC)
