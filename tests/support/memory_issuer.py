"""ports.issuer.Issuer in memory: an authority that signs at once, or says why not; and what orders take around it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from mailstack.model.instant import Clock, as_datetime
from mailstack.model.issuance import AcmeAccount, Issued, NotIssued, Order, Proof, Registration, RenewalInfo
from mailstack.ports.issuer import Issuer, Prover
from mailstack.ports.store import Store
from mailstack.reconcile.issue import Issuing, OnWait, Turn


@dataclass(slots=True, kw_only=True)
class MemoryIssuer:
    """refusals: what it says to the next orders, one each. answers: instead of a chain. orders: all that came.
    meanwhile: what happens while it looks at the proofs. behind: how far its clock is behind ours. contacts: what it
    was told, in order. renewal: what it says of every certificate. asked: how often it was asked for that."""

    clock: Clock
    lifetime: timedelta = timedelta(days=90)
    behind: timedelta = timedelta()
    refusals: list[NotIssued] = field(default_factory=list)
    answers: str | None = None
    orders: list[Order] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    contacts: list[str] = field(default_factory=list)
    registration: Registration = field(default_factory=lambda: Registration(uri=""))
    renewal: RenewalInfo | None = None
    asked: int = 0

    async def issue(self, order: Order, prover: Prover) -> Issued:
        self.orders.append(order)
        proofs = [Proof(method=order.method, host=name, token=f"t-{name}", value="v") for name in order.names]
        try:
            await prover.show(proofs)
            if self.meanwhile is not None:
                await self.meanwhile()
            if self.refusals:
                raise self.refusals.pop(0)
            chain = self.answers or self._chain(order, as_datetime(self.clock()) - self.behind)
            return Issued(chain=chain, registration=self.registration, renewal=self.renewal)
        finally:
            await prover.withdraw(proofs)

    async def tell_contact(self, account: AcmeAccount) -> Registration:
        if self.refusals:
            raise self.refusals.pop(0)
        self.contacts.append(account.email)
        return self.registration

    async def renewals(self, _account: AcmeAccount, chains: Mapping[str, str]) -> Mapping[str, RenewalInfo]:
        self.asked += 1
        return dict.fromkeys(chains, self.renewal) if self.renewal is not None else {}

    def _chain(self, order: Order, now: datetime) -> str:
        key = load_pem_private_key(order.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + self.lifetime)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in order.names]), critical=False)
            .sign(self._key, SHA256())
        )
        return leaf.public_bytes(Encoding.PEM).decode()


async def always(_proof: Proof) -> bool:
    return True


async def unheard() -> None: ...


@asynccontextmanager
async def at_once(_what: str, _on_wait: OnWait) -> AsyncIterator[None]:
    """Nobody else applies."""
    yield


def issuing_by(
    issuer: Issuer, store: Store, *, has_server: bool = True, owner: str = "test", turn: Turn = at_once
) -> Issuing:
    return Issuing(
        issuer=lambda: issuer,
        issuance=store.issuance,
        locks=store.locks,
        challenges=store.challenges,
        is_answered=always,
        owner=owner,
        has_server=has_server,
        on_issued=unheard,
        turn=turn,
    )
