"""One pebble for the module's friendly tests, and who shows the proofs that it wants: its own challenge server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailstack.model.issuance import AcmeAccount, Order, Proof, ProofMethod
from tests.support.pebble import Pebble, running_pebble


def new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


@dataclass(slots=True, kw_only=True)
class PebbleProver:
    """shown, withdrawn: hosts, in order. is_lying: shows something else than it was asked to."""

    pebble: Pebble
    is_lying: bool = False
    shown: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    async def show(self, proofs: Sequence[Proof]) -> None:
        for proof in proofs:
            value = "something else" if self.is_lying else proof.value
            match proof.method:
                case ProofMethod.HTTP_01:
                    self.pebble.tell("add-http01", token=proof.token, content=value)
                case ProofMethod.TLS_ALPN_01:
                    self.pebble.tell("add-tlsalpn01", host=proof.host, content=value)
                case ProofMethod.DNS_01:
                    self.pebble.tell("set-txt", host=f"_acme-challenge.{proof.host}.", value=value)
            self.shown.append(proof.host)

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        self.withdrawn += [proof.host for proof in proofs]


def order_of(
    pebble: Pebble, *names: str, method: ProofMethod = ProofMethod.HTTP_01, account_key: str | None = None
) -> Order:
    account = AcmeAccount(directory=pebble.directory, key=account_key or new_key(), ca_file=pebble.ca_file)
    return Order(account=account, names=names or ("mail.example.com",), key=new_key(), method=method)


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with running_pebble(tmp_path_factory.mktemp("pebble")) as found:
        yield found
