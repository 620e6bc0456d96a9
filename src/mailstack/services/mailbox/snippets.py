"""What a message says where it matches a query. RFC 8621 §5."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailstack.formats.content import leaves, read_text
from mailstack.formats.limits import LIMITS
from mailstack.formats.mime import scan
from mailstack.formats.searched import folded
from mailstack.formats.snippets import marked, marked_preview
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import MessageId
from mailstack.model.message import RawMessage
from mailstack.model.query import And, Contains, Fuzzy, Or, Query, TextField
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails import placed
from mailstack.services.mailbox.stored import read_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """HTML; None where nothing that was looked for is there."""

    subject: str | None
    preview: str | None


async def snippets(mail: AccountMail, query: Query, message_ids: Sequence[MessageId]) -> Mapping[MessageId, Snippet]:
    """Without messages that are not there, or that the viewer may not read."""
    in_subject = _needles(query, (TextField.SUBJECT, TextField.TEXT))
    in_body = _needles(query, (TextField.BODY, TextField.TEXT))
    known, _ = await read_stored(mail.messages, mail.account_id, list(await placed(mail, message_ids)))
    return {
        one.message_id: Snippet(
            subject=marked(one.digest.subject, in_subject),
            preview=await _preview(mail, one.message_id, in_body) if in_body else None,
        )
        for one in known
    }


async def _preview(mail: AccountMail, message_id: MessageId, needles: Sequence[str]) -> str | None:
    try:
        raw = await mail.messages.read(mail.account_id, message_id)
    except (NotFound, Damaged):
        return None
    # In a thread, as searching: decoding takes seconds for 50 MB.
    return await asyncio.to_thread(_first_preview, raw, needles)


def _first_preview(raw: RawMessage, needles: Sequence[str]) -> str | None:
    found = (marked_preview(text, needles) for text in _texts(raw))
    return next((preview for preview in found if preview is not None), None)


def _texts(raw: RawMessage) -> Iterator[str]:
    for part in leaves(scan(raw, limits=LIMITS)):
        if part.type == b"text":
            yield read_text(raw, part, source_limit=LIMITS.searched_part)


def _needles(query: Query, fields: Sequence[TextField]) -> Sequence[str]:
    """Folded. What must not be there is not looked for."""
    match query:
        case And(terms) | Or(terms):
            return tuple(dict.fromkeys(needle for term in terms for needle in _needles(term, fields)))
        case Fuzzy(term):
            return _needles(term, fields)
        case Contains(field, needle) if field in fields and needle:
            return (folded(needle),)
        case _:
            return ()
