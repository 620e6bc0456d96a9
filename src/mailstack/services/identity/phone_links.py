"""A phone's app password, and a link that gives it to the phone: once, within minutes, and only as long as nobody has
used the password.

The password is made from what the link says and a key of the store's. So neither of the two is kept anywhere; who has
only the link learns nothing from it once it is over, and who has only the store never learns a link.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field

from mailstack.model.app_password import RANDOM_OCTETS, AppPassword, AppService, app_password_text
from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.app_passwords import AppPasswords
from mailstack.services.identity.app_passwords import Order, app_password_in, issue

LASTS_MS = 15 * MINUTE_MS
LINK_OCTETS = 32
FOR_PHONES = frozenset({AppService.IMAP, AppService.SUBMISSION})

_LINK = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """password: as text."""

    account: Account
    app_password: AppPassword
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLinks:
    """key: the same in all processes, so that each knows what another has made."""

    accounts: Accounts
    app_passwords: AppPasswords
    key: bytes = field(repr=False)

    async def make(self, account: Account, name: str, *, now: Instant, random: bytes) -> tuple[Phone, str]:
        """The phone, and its link. random: LINK_OCTETS. Raises as services.identity.app_passwords.issue."""
        order = Order(name=name, services=FOR_PHONES, expires_at=None)
        secret = self._secret(random)
        made, text = await issue(self.app_passwords, account.account_id, order, now=now, random=secret)
        link = base64.urlsafe_b64encode(random).rstrip(b"=").decode()
        return Phone(account=account, app_password=made, password=text), link

    async def follow(self, link: str, *, now: Instant) -> Phone | None:
        """None: no such link, or over, or followed before."""
        if _LINK.fullmatch(link) is None:
            return None
        _, text = app_password_text(self._secret(base64.urlsafe_b64decode(link + "=")))
        found = await app_password_in(self.accounts, text, now=now)
        if found is None or now - found.created_at >= LASTS_MS:
            return None
        account = await self.accounts.account(found.account_id)
        if account is None or not await self.app_passwords.note_first_use(found.app_password_id, at=now):
            return None
        return Phone(account=account, app_password=found, password=text)

    def _secret(self, random: bytes) -> bytes:
        return hashlib.blake2b(random, key=self.key, digest_size=RANDOM_OCTETS).digest()
