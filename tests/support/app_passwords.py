"""App passwords as a person would have them made."""

import hashlib
from itertools import count

from mailstack.model.app_password import ALL_SERVICES, AppPassword, AppService
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.ports.app_passwords import AppPasswords
from mailstack.services.identity.app_passwords import Order, issue

_numbers = count(1)


async def app_password_for(
    app_passwords: AppPasswords,
    account_id: AccountId,
    *services: AppService,
    now: Instant | None = None,
    expires_at: int | None = None,
) -> tuple[AppPassword, str]:
    """For every service where none is named."""
    order = Order(
        name="phone",
        services=frozenset(services) or ALL_SERVICES,
        expires_at=None if expires_at is None else Instant(expires_at),
    )
    random = hashlib.sha256(str(next(_numbers)).encode()).digest()
    return await issue(app_passwords, account_id, order, now=now or Instant(0), random=random)
