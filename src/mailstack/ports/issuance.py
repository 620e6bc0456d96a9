"""What went wrong with certificates lately, so that a broken order is not tried in a loop, not even after a restart."""

from collections.abc import Mapping
from typing import Protocol

from mailstack.model.issuance import IssuanceFailure


class Issuance(Protocol):
    async def failures(self) -> Mapping[str, IssuanceFailure]:
        """By the certificate's name."""
        ...

    async def failed(self, failure: IssuanceFailure) -> None:
        """In place of what was known of that certificate."""
        ...

    async def forget(self, name: str) -> None:
        """Its failures: it was issued, or somebody wants it tried at once."""
        ...
