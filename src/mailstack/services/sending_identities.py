"""Whom an account may write as: an identity for each address that the spec gives it, with what its user changed of it,
and those that the user made. RFC 8621 §6.

An identity is there as long as the account may send as its address: one whose address the spec takes away is kept, and
seen by nobody.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.model.address import parse_address
from mailstack.model.errors import (
    Conflict,
    Forbidden,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    TooMany,
    TryAgainLater,
)
from mailstack.model.principal import Ability, Account
from mailstack.model.sending_identity import SendingIdentity, given_identity_id
from mailstack.ports.accounts import Accounts
from mailstack.ports.sending_identities import SendingIdentities
from mailstack.services.outbound.sender import owns, require_own

MOST_KEPT = 200
"""Of an account: of its own, and changed ones of those that it is given."""
MOST_OCTETS = 256 * 1024
"""Of one: a picture or two within its signature."""
MOST_OCTETS_OF_ALL = 2 * 1024 * 1024
_ID_OCTETS = 12
_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIdentities:
    """number: that the journal is at. by_id: named."""

    number: int
    by_id: Mapping[str, SendingIdentity]


class IdentitiesDraft:
    """What one write is to change. kept: all there is, seen or not."""

    def __init__(
        self, account: Account, known: KnownIdentities, kept: Sequence[SendingIdentity], token: Callable[[int], bytes]
    ) -> None:
        self._account = account
        self._kept = {each.identity_id: each for each in kept}
        self._token = token
        self.there = dict(known.by_id)
        self.created: dict[str, SendingIdentity] = {}
        self.updated: dict[str, SendingIdentity] = {}
        self.destroyed: dict[str, None] = {}

    def create(self, wanted: SendingIdentity) -> SendingIdentity:
        """wanted: for an address that the account may send as; its id is made here. Raises TooLarge, TooMany,
        QuotaExceeded."""
        made = replace(wanted, identity_id=f"I{self._token(_ID_OCTETS).hex()}")
        self._keep(made)
        self.created[made.identity_id] = made
        return made

    def update(self, identity: SendingIdentity) -> None:
        """identity: one of those there, changed. Raises as create does."""
        name = None if identity.is_given and identity.name == self._account.name else identity.name
        self._keep(replace(identity, name=name))
        changed = self.created if identity.identity_id in self.created else self.updated
        changed[identity.identity_id] = self._kept[identity.identity_id]

    def destroy(self, identity_id: str) -> None:
        """Raises NotFound, Forbidden."""
        if identity_id not in self.there:
            raise NotFound(f"there is no identity {identity_id}")
        if self.there[identity_id].is_given:
            raise Forbidden("the identity of an address of the account stays as long as the address")
        del self.there[identity_id], self._kept[identity_id]
        self.updated.pop(identity_id, None)
        if self.created.pop(identity_id, None) is None:
            self.destroyed[identity_id] = None

    def _keep(self, identity: SendingIdentity) -> None:
        kept = self._kept | {identity.identity_id: identity}
        if identity.octets > MOST_OCTETS:
            raise TooLarge(f"an identity has at most {MOST_OCTETS} octets")
        if len(kept) > MOST_KEPT:
            raise TooMany(f"an account has at most {MOST_KEPT} identities of its own making")
        if sum(each.octets for each in kept.values()) > MOST_OCTETS_OF_ALL:
            raise QuotaExceeded(f"the identities of an account have at most {MOST_OCTETS_OF_ALL} octets together")
        self._kept = kept
        self.there[identity.identity_id] = _named(identity, self._account)


class AccountIdentities:
    """token: random octets."""

    def __init__(self, kept: SendingIdentities, accounts: Accounts, *, token: Callable[[int], bytes]) -> None:
        self._kept = kept
        self._accounts = accounts
        self._token = token

    async def known(self, account: Account) -> KnownIdentities:
        return (await self._look(account))[1]

    async def find(self, account: Account, identity_id: str) -> SendingIdentity | None:
        return (await self.known(account)).by_id.get(identity_id)

    async def require_sender(self, account: Account, email: str) -> None:
        """Raises NotOwnAddress; Invalid for what is no address."""
        await require_own(self._accounts, account, email)
        if Ability.SUBMIT not in account.abilities:
            raise NotOwnAddress(f"{account.login} may not send")

    async def change(
        self, account: Account, work: Callable[[IdentitiesDraft], Awaitable[None]], *, if_number: int | None = None
    ) -> tuple[KnownIdentities, int]:
        """What there was before, and the new number. work: may be asked more than once, should others write at the same
        time. Raises Conflict where the journal is not at if_number."""
        for _ in range(_TRIES):
            account, known, kept = await self._look(account)
            if if_number not in (None, known.number):
                break
            draft = IdentitiesDraft(account, known, kept, self._token)
            await work(draft)
            try:
                return known, await self._write(account, draft, known.number)
            except Conflict:
                continue
        if if_number is not None:
            raise Conflict(f"identities of {account.login} have changed since number {if_number}")
        raise TryAgainLater(f"identities of {account.login} are changed by others all the time")

    async def _write(self, account: Account, draft: IdentitiesDraft, number: int) -> int:
        if not (draft.created or draft.updated or draft.destroyed):
            return number
        return await self._kept.write(
            account.account_id,
            created=[*draft.created.values()],
            updated=[*draft.updated.values()],
            destroyed=[*draft.destroyed],
            if_number=number,
        )

    async def _look(self, account: Account) -> tuple[Account, KnownIdentities, Sequence[SendingIdentity]]:
        number, kept = await self._kept.all(account.account_id)
        # Read after the number, and not what is remembered of it: what the spec changed is seen with its number.
        account = await self._accounts.account(account.account_id) or account
        found = {each.identity_id: each for each in _given(account)}
        for each in kept:
            if each.identity_id in found or (not each.is_given and await self._may_send(account, each)):
                found[each.identity_id] = _named(each, account)
        return account, KnownIdentities(number=number, by_id=found), kept

    async def _may_send(self, account: Account, identity: SendingIdentity) -> bool:
        return Ability.SUBMIT in account.abilities and await owns(
            self._accounts, account, parse_address(identity.email)
        )


def _given(account: Account) -> Sequence[SendingIdentity]:
    """None for who may not submit."""
    if Ability.SUBMIT not in account.abilities:
        return ()
    return [
        SendingIdentity(identity_id=given_identity_id(address), email=address, name=account.name)
        for address in dict.fromkeys(account.address_keys)
    ]


def _named(identity: SendingIdentity, account: Account) -> SendingIdentity:
    return identity if identity.name is not None else replace(identity, name=account.name)
