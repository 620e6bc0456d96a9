"""How mail goes on from addresses of ours to others elsewhere, from aliases and from accounts that forward, and how
notices of its failure come back: under a path of our own domain, and with a seal on what was found of its sender.

Whom an address stands for is recipients' question, and which mail may go on is a stage's. The message itself is not
changed, so that its signatures hold. Authentication-Results stays as it is for mailboxes: RFC 8601 §5 has fields go
that claim to be of the server that receives, and leaves those of others to it. RFC 8617 §5.1.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mailstack.formats.authres import list_results
from mailstack.mailauth import srs
from mailstack.mailauth.arc.seal import seal
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.address import Address, domain_key
from mailstack.model.delivery import NULL_PATH
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.instant import Instant
from mailstack.model.verdict import Authentication
from mailstack.ports.accounts import Accounts
from mailstack.services.inbound.deliver import LARGE_BYTES, Letter, Shipment
from mailstack.services.inbound.recipients import Onward, Resolution, resolve
from mailstack.services.inbound.trace import delivered_to_field


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """hostname: ours, as Authentication-Results has it. postmaster: an admin's address key, for the postmasters nobody
    declared. signing_keys: by domain. path_key: of rewritten paths, the same on every node."""

    hostname: str
    accounts: Accounts
    postmaster: str | None
    signing_keys: Mapping[str, Sequence[SigningKey]]
    path_key: bytes = field(repr=False)

    async def resolve(
        self, address: Address, *, reverse_path: str, now: Instant, passed: Collection[str] = ()
    ) -> Resolution:
        """passed: as of recipients.resolve. Raises NotFound, Forbidden."""
        if await self.is_way_back(address):
            # For notices alone: mail under any other path would be sent on for strangers.
            if reverse_path != NULL_PATH:
                raise Forbidden(f"{address.key} takes notices of failure only")
            sender = srs.restore(address.local_part, key=self.path_key, now=now)
            return Resolution(onward=(Onward(address=address.key, targets=(sender,)),))
        return await resolve(self.accounts, address, postmaster=self.postmaster, passed=passed)

    def sender_behind(self, reverse_path: str, *, now: Instant) -> str:
        """Whose path it was before it was rewritten here, if it was."""
        try:
            return srs.restore(reverse_path.rpartition("@")[0], key=self.path_key, now=now)
        except NotFound:
            return reverse_path

    async def is_way_back(self, address: Address) -> bool:
        """Has it the form of a path under which mail went on from here."""
        return srs.is_rewritten(address.local_part) and await self.is_ours(address.domain)

    async def is_ours(self, domain: str) -> bool:
        """Is mail for the domain received here, as somebody wrote it."""
        try:
            return await self.accounts.domain(domain_key(domain)) is not None
        except Invalid:
            return False

    async def shipments(
        self, letter: Letter, to: Resolution, authentication: Authentication | None = None
    ) -> list[Shipment]:
        """The letter as it is for mailboxes and for paths of its own, and one for each address that sends it on, so
        that no target learns of another. authentication: None where there is nothing to seal."""
        shipments = []
        if to.accounts or to.external:
            shipments.append(Shipment(letter=letter, accounts=to.accounts, external=to.external))
        seals: dict[str, bytes] = {}
        for each in to.onward:
            domain = each.address.rpartition("@")[2]
            if domain not in seals:
                seals[domain] = await self.seal(letter, domain, authentication)
            shipments.append(await self._shipment(letter, each, domain, seals[domain]))
        return shipments

    async def _shipment(self, letter: Letter, onward: Onward, domain: str, sealed: bytes) -> Shipment:
        path = await self._reverse_path(letter, onward.address, domain)
        copy = replace(
            letter,
            reverse_path=path,
            received=sealed + delivered_to_field(onward.address) + letter.received,
        )
        return Shipment(letter=copy, external=onward.targets)

    async def _reverse_path(self, letter: Letter, address: str, domain: str) -> str:
        reverse_path = letter.reverse_path
        # RFC 5321 §4.5.5: a notice stays one.
        if reverse_path == NULL_PATH or await self.is_ours(reverse_path.rpartition("@")[2]):
            return reverse_path
        rewritten = srs.rewrite(reverse_path, domain, key=self.path_key, now=letter.received_at)
        # Where the sender's path is too long for another around it, notices come to who sends the mail on.
        return address if rewritten is None else rewritten

    async def seal(self, letter: Letter, domain: str, authentication: Authentication | None) -> bytes:
        """What was found of its sender, for those who get it from that domain of ours; b"" without a key."""
        keys = self.signing_keys.get(domain, ())
        # A chain that cannot be checked for now would be sealed as broken for good.
        if not keys or authentication is None or authentication.arc.is_temporary:
            return b""
        # RFC 8617 §4.1.3, RFC 8463: few verifiers of seals know another algorithm.
        key = next((key for key in keys if isinstance(key.private_key, RSAPrivateKey)), keys[0])
        results = list_results(authentication, peer_host=letter.peer_host, mail_from=letter.reverse_path)
        work = partial(
            seal,
            letter.raw,
            key,
            authserv_id=self.hostname,
            results=results,
            chain=authentication.arc,
            now=letter.received_at,
        )
        return await asyncio.to_thread(work) if len(letter.raw) > LARGE_BYTES else work()
