"""ports.tokens in memory."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.errors import AlreadyExists
from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant
from mailstack.model.token import Token


class MemoryTokens:
    def __init__(self) -> None:
        self.kept: dict[TokenId, Token] = {}

    async def add(self, token: Token) -> None:
        if token.token_id in self.kept:
            raise AlreadyExists(token.token_id)
        self.kept[token.token_id] = token

    async def find(self, token_id: TokenId) -> Token | None:
        return self.kept.get(token_id)

    async def list(self) -> Sequence[Token]:
        return sorted(self.kept.values(), key=lambda token: (token.created_at, token.token_id))

    async def revoke(self, token_ids: Sequence[TokenId], *, at: Instant) -> None:
        for token_id in token_ids:
            token = self.kept.get(token_id)
            if token is not None and token.revoked_at is None:
                self.kept[token_id] = replace(token, revoked_at=at)

    async def note_use(self, token_id: TokenId, *, at: Instant) -> None:
        self.kept[token_id] = replace(self.kept[token_id], used_at=at)
