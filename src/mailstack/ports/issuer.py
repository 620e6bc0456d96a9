"""Whoever issues certificates, and whoever shows what they want to see."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailstack.model.issuance import AcmeAccount, Issued, Order, Proof, Registration, RenewalInfo


class Prover(Protocol):
    async def show(self, proofs: Sequence[Proof]) -> None:
        """Returns when the authority can see all of them. Raises NotIssued where they cannot be seen."""
        ...

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        """Whatever became of the order; never fails."""
        ...


class Issuer(Protocol):
    async def issue(self, order: Order, prover: Prover) -> Issued:
        """Raises NotIssued."""
        ...

    async def tell_contact(self, account: AcmeAccount) -> Registration:
        """Has the authority write to account.email, "" for nobody, from now on. Raises NotIssued."""
        ...

    async def renewals(self, account: AcmeAccount, chains: Mapping[str, str]) -> Mapping[str, RenewalInfo]:
        """When to renew each of these certificates, by the same names; those are left out of which the authority says
        nothing. Raises NotIssued where it cannot be asked."""
        ...
