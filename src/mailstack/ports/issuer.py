"""Whoever issues certificates, and whoever shows what they want to see."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.issuance import Order, Proof


class Prover(Protocol):
    async def show(self, proofs: Sequence[Proof]) -> None:
        """Returns when the authority can see all of them. Raises NotIssued where they cannot be seen."""
        ...

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        """Whatever became of the order; never fails."""
        ...


class Issuer(Protocol):
    async def issue(self, order: Order, prover: Prover) -> str:
        """The PEM chain, the certificate for order.key first. Raises NotIssued."""
        ...
