"""Tokens of the API, as they are stored: hashes, never the secrets."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant
from mailstack.model.token import Token


class Tokens(Protocol):
    async def add(self, token: Token) -> None:
        """Durable when it returns. Raises AlreadyExists for an id that was ever used."""
        ...

    async def find(self, token_id: TokenId) -> Token | None:
        """Also one that has ended: whoever asks must look."""
        ...

    async def list(self) -> Sequence[Token]:
        """All, the oldest first."""
        ...

    async def revoke(self, token_ids: Sequence[TokenId], *, at: Instant) -> None:
        """All or none; one that was revoked before keeps its time."""
        ...

    async def note_use(self, token_id: TokenId, *, at: Instant) -> None: ...
