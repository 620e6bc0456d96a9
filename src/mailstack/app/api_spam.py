"""What the spam filter has learned, for who looks after the server in a browser."""

from typing_extensions import TypedDict

from mailstack.app.answer_line import JSON, Line
from mailstack.app.api_line import opened_store
from mailstack.app.api_models import TokensRequest
from mailstack.app.api_process import Order
from mailstack.app.silence import Silence
from mailstack.app.spam_school import models_of, recent_mail, stats
from mailstack.model.errors import NotFound
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.ports.store import Store
from mailstack.services.spam.sender import sender_in
from mailstack.services.spam.tokens import Token, top_tokens
from mailstack.spam.features import features_of

MOST_TOKENS = 25
RECENT = 200
"""Mails of either mailbox: to look at so many takes a second or two."""


class TokenDocument(TypedDict):
    """points: in a mail, in the middle."""

    name: str
    points: float
    mails: int


async def tell_spam(order: Order, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        found = await stats(store)
    line.begin(JSON)
    line.tell(**found)


async def tell_tokens(order: Order, request: TokensRequest, line: Line) -> None:
    """Names come of mail, for the models know numbers only: of the newest of one account. Raises NotFound."""
    async with opened_store(order, Silence(), read_only=True) as store:
        account = await store.accounts.find(request.login)
        if not isinstance(account, Account):
            raise NotFound(f"there is no account {request.login}")
        raws, models = await _recent(store, account), await models_of(store, account)
    looked_at = (features_of(raw, sender_in(raw, request.hostname)) for raw in raws)
    for_spam, for_ham = top_tokens(looked_at, models, most=MOST_TOKENS)
    line.begin(JSON)
    line.tell(mails=len(raws), spam=list(map(_document, for_spam)), ham=list(map(_document, for_ham)))


async def _recent(store: Store, account: Account) -> list[RawMessage]:
    try:
        return await recent_mail(store, account, most=RECENT)
    except NotFound:  # nobody has written to it yet
        return []


def _document(token: Token) -> TokenDocument:
    return TokenDocument(name=token.name, points=token.points / token.mails, mails=token.mails)
