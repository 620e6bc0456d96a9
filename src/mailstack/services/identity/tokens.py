"""Tokens of the API: made, shown, revoked, so that none is ever good for more than who made it.

A token holds at most its maker's scopes, ends when its maker ends, and is revoked with it. That is written down when
it is made, and looked at again, up the whole line of makers, whenever it is shown. RFC 6750.
"""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid, NotFound
from mailstack.model.ids import TokenId
from mailstack.model.instant import MINUTE_MS, Instant, as_datetime
from mailstack.model.token import Scope, Token, hash_of, token_id_of, token_text
from mailstack.ports.tokens import Tokens

SHELL = TokenId("")
MAX_MAKERS = 4
"""In one line: a token that a token made that a token made … is as far as anybody needs to go."""
MAX_NAME = 100
USE_NOTED_EVERY_MS = MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who shows a token that is good now. scopes: what it may do, its makers considered."""

    token: Token
    scopes: frozenset[Scope]
    ends_at: Instant | None

    def require(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if scope not in self.scopes:
            raise Forbidden(f"the token {self.token.token_id} does not hold the scope {scope}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A token that somebody wants. expires_at: None for never, or for when its maker ends."""

    name: str
    scopes: frozenset[Scope]
    expires_at: Instant | None


async def issue(
    tokens: Tokens, order: Order, *, maker: Bearer | None, now: Instant, random: bytes
) -> tuple[Token, str]:
    """The token, and its text, which nobody will ever see again. maker: None is the machine's own shell.

    Raises Forbidden where it would exceed its maker, Invalid for an order that makes no sense.
    """
    _check(order, now)
    text = token_text(random)
    token = Token(
        token_id=token_id_of(text),
        name=order.name,
        secret_hash=hash_of(text),
        scopes=order.scopes,
        maker=maker.token.token_id if maker else SHELL,
        created_at=now,
        expires_at=order.expires_at,
    )
    if maker is not None:
        token = await _bounded(tokens, token, maker)
    await tokens.add(token)
    return token, text


async def bearer_of(tokens: Tokens, text: str, *, now: Instant) -> Bearer:
    """Raises AuthenticationFailed: its detail may be told to whoever showed the token."""
    try:
        token = await tokens.find(token_id_of(text))
    except Invalid as fault:
        raise AuthenticationFailed(fault.detail) from None
    # Compared even where there is no token, so that the time taken does not tell which ids there are.
    is_right = hmac.compare_digest(hash_of(text), token.secret_hash if token else bytes(32))
    if token is None or not is_right:
        raise AuthenticationFailed("the server knows no such token")
    scopes, ends_at = token.scopes, token.expires_at
    for each in await _line_of(tokens, token):
        _check_alive(each, now, is_own=each is token)
        scopes &= each.scopes
        ends_at = _earlier(ends_at, each.expires_at)
    if token.used_at is None or now - token.used_at >= USE_NOTED_EVERY_MS:
        await tokens.note_use(token.token_id, at=now)
    return Bearer(token=token, scopes=scopes, ends_at=ends_at)


async def visible_to(tokens: Tokens, bearer: Bearer | None) -> Sequence[Token]:
    """All for the shell (None); for a token itself and what it made, and what that made."""
    every = await tokens.list()
    if bearer is None:
        return every
    below = descendants(every, bearer.token.token_id)
    return [token for token in every if token.token_id in below or token.token_id == bearer.token.token_id]


async def revoke(tokens: Tokens, token_id: TokenId, *, by: Bearer | None, now: Instant) -> Sequence[TokenId]:
    """With all that it made; returns which. Raises NotFound for one that `by` may not know of."""
    every = await visible_to(tokens, by)
    if not any(token.token_id == token_id for token in every):
        raise NotFound(f"there is no token {token_id}")
    below = descendants(every, token_id)
    gone = [token.token_id for token in every if token.token_id == token_id or token.token_id in below]
    await tokens.revoke(gone, at=now)
    return gone


def descendants(tokens: Sequence[Token], token_id: TokenId) -> Collection[TokenId]:
    found: set[TokenId] = set()
    makers = {token_id}
    while makers:
        makers = {token.token_id for token in tokens if token.maker in makers} - found
        found |= makers
    return found


def _check(order: Order, now: Instant) -> None:
    if not order.scopes:
        raise Invalid("a token needs at least one scope")
    if not order.name.isprintable() or len(order.name) > MAX_NAME:
        raise Invalid(f"a token's name has up to {MAX_NAME} printable characters")
    if order.expires_at is not None and order.expires_at <= now:
        raise Invalid("a token cannot end before it begins")


async def _bounded(tokens: Tokens, token: Token, maker: Bearer) -> Token:
    more = token.scopes - maker.scopes
    if more:
        raise Forbidden(f"a token holds no more than its maker, which lacks {', '.join(sorted(more))}")
    if len(await _line_of(tokens, maker.token)) >= MAX_MAKERS:
        raise Forbidden(f"a line of tokens that made each other has at most {MAX_MAKERS + 1}")
    return replace(token, expires_at=_earlier(token.expires_at, maker.ends_at))


async def _line_of(tokens: Tokens, token: Token) -> Sequence[Token]:
    """The token, its maker, its maker's maker …; raises AuthenticationFailed where the line is broken."""
    line = [token]
    while line[-1].maker != SHELL:
        maker = await tokens.find(line[-1].maker)
        if maker is None or len(line) > MAX_MAKERS:
            raise AuthenticationFailed("the token that made this one is gone")
        line.append(maker)
    return line


def _check_alive(token: Token, now: Instant, *, is_own: bool) -> None:
    what = "the token" if is_own else "the token that made this one"
    if token.revoked_at is not None:
        raise AuthenticationFailed(f"{what} was revoked")
    if token.expires_at is not None and token.expires_at <= now:
        raise AuthenticationFailed(f"{what} expired on {as_datetime(token.expires_at):%Y-%m-%d %H:%M:%SZ}")


def _earlier(one: Instant | None, other: Instant | None) -> Instant | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)
