"""App passwords: made for an account, and what a login service makes of one.

Whoever holds an account may have one for each device: it is told once, good for the services that it was made for, and
ended alone. It is never good for more than its account is.
"""

import asyncio
from dataclasses import dataclass

from mailstack.model.app_password import AppPassword, AppService, app_password_text, digest_of
from mailstack.model.errors import Invalid
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.ports.accounts import Accounts
from mailstack.ports.app_passwords import AppPasswords
from mailstack.services.identity.passwords import HashCost, make_verifier

MOST = 50
"""Of one account: many devices, and few enough to look through."""
MAX_NAME = 100
USE_NOTED_EVERY_MS = HOUR_MS

SERVICE_OF = {
    "imap": AppService.IMAP,
    "managesieve": AppService.MANAGESIEVE,
    "submission": AppService.SUBMISSION,
    "submissions": AppService.SUBMISSION,
    "jmap": AppService.JMAP,
}
"""By LoginOrigin.service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An app password that somebody wants. name: for people. expires_at: None for never."""

    name: str
    services: frozenset[AppService]
    expires_at: Instant | None


async def issue(
    app_passwords: AppPasswords, account_id: AccountId, order: Order, *, now: Instant, random: bytes
) -> tuple[AppPassword, str]:
    """The app password, and its text, which nobody will ever see again. random: model.app_password.RANDOM_OCTETS.

    Raises Invalid for an order that makes no sense, TooMany, NotFound.
    """
    _check(order, now)
    app_password_id, text = app_password_text(random)
    app_password = AppPassword(
        app_password_id=app_password_id,
        account_id=account_id,
        name=order.name,
        digest=digest_of(text),
        # Nobody guesses 140 random bits, however few the iterations.
        verifier=await asyncio.to_thread(make_verifier, text, cost=HashCost.LOW),
        services=order.services,
        created_at=now,
        expires_at=order.expires_at,
    )
    await app_passwords.add(app_password, most=MOST)
    return app_password, text


async def app_password_in(accounts: Accounts, text: str, *, now: Instant) -> AppPassword | None:
    """That this text is, and that is good now. Of whom, and for what, whoever asks must look."""
    try:
        digest = digest_of(text)
    except Invalid:
        return None
    found = await accounts.app_password(digest)
    return None if found is None or found.has_ended(now) else found


async def app_password_named(
    app_passwords: AppPasswords, account_id: AccountId, app_password_id: AppPasswordId, *, now: Instant
) -> AppPassword | None:
    """The account's own of that id, where it is good now."""
    found = await app_passwords.of_account(account_id)
    return next((one for one in found if one.app_password_id == app_password_id and not one.has_ended(now)), None)


def is_use_to_note(app_password: AppPassword, now: Instant) -> bool:
    """Now and then is enough, to know which of them nobody uses."""
    return app_password.used_at is None or now - app_password.used_at >= USE_NOTED_EVERY_MS


def _check(order: Order, now: Instant) -> None:
    if not order.services:
        raise Invalid("an app password needs at least one service")
    if not order.name.strip() or not order.name.isprintable() or len(order.name) > MAX_NAME:
        raise Invalid(f"an app password's name has 1 to {MAX_NAME} printable characters")
    if order.expires_at is not None and order.expires_at <= now:
        raise Invalid("an app password cannot end before it begins")
