"""A new password that somebody gives their own account. It stays when the spec is applied again."""

import asyncio

from mailstack.model.errors import Forbidden, Invalid
from mailstack.model.password import SHORTEST_PASSWORD
from mailstack.model.principal import Account
from mailstack.model.resource import Kind
from mailstack.ports.state import State
from mailstack.services.identity.passwords import MAX_PASSWORD_OCTETS, HashCost, hash_password

PASSWORD = "password"


async def is_of_spec(state: State, account: Account) -> bool:
    """The spec says what it is, and nobody else does."""
    return await state.is_given(Kind.ACCOUNT, account.login, PASSWORD)


async def change_password(state: State, account: Account, new: str) -> None:
    """Every login by the old one ends. Raises Forbidden for one that the spec says, Invalid for one that is too short
    or too long."""
    if await is_of_spec(state, account):
        raise Forbidden("the password of this account stands in the spec")
    if len(new) < SHORTEST_PASSWORD:
        raise Invalid(f"a password has at least {SHORTEST_PASSWORD} characters")
    if len(new.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_OCTETS:
        raise Invalid(f"a password has at most {MAX_PASSWORD_OCTETS} octets")
    hashed = await asyncio.to_thread(hash_password, new, cost=HashCost.NORMAL)
    await state.write_as_user(Kind.ACCOUNT, account.login, {PASSWORD: hashed})
