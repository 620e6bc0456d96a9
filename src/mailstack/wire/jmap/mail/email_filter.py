"""Filters of Email/query as the query tree that SEARCH has too. RFC 8621 §4.4.1."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mailstack.model.errors import Invalid
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.model.query import (
    And,
    Contains,
    Everything,
    HasAttachment,
    HasKeyword,
    HeaderContains,
    InMailbox,
    InMailboxOtherThan,
    InstantRange,
    Not,
    Or,
    Query,
    SizeRange,
    TextField,
    ThreadHasKeyword,
    ThreadReach,
    TimeField,
    nodes,
)
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.dates import read_utc_date
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.filter import Operator, read_filter, unsupported_filter
from mailstack.wire.jmap.mail.keywords import read_keyword

MAX_NEEDLE = 2_000
MAX_TOKENS = 50
MAX_NODES = 1_000
"""Of the tree that a filter becomes: each of them may be asked of every message."""
MailboxOf = Callable[[str], MailboxId | None]
"""From an id as it is spelled; None: there is no such mailbox."""

# RFC 8621 §4.4.1: phrases in quotes of either kind, in which a backslash stands before a quote or another backslash;
# else white space parts the tokens. A quote inside a word is an apostrophe, and one that nothing closes is itself.
_TOKEN = re.compile(
    r"""\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"(?=\s|\Z)|'(?P<single>(?:[^'\\]|\\.)*)'(?=\s|\Z)|(?P<word>\S+))""", re.DOTALL
)
_ESCAPED = re.compile(r"\\(['\"\\])")
# RFC 5322 §2.2: printable ASCII without the colon.
_FIELD_NAME = re.compile(r"[!-9;-~]{1,998}")


def read_email_filter(given: Mapping[str, Any] | None, *, mailbox_of: MailboxOf) -> Query:
    """Raises MethodFault."""
    if given is None:
        return Everything()
    found = read_filter(given, condition=lambda each: _condition(each, mailbox_of), combine=_combined)
    if sum(1 for _ in nodes(found)) > MAX_NODES:
        raise unsupported_filter(f"a filter looks for at most {MAX_NODES} words and other things")
    return found


def tokens(text: str) -> list[str]:
    """The words and phrases that a text to be looked for is made of; all of them must be there."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        phrase = match["double"] if match["word"] is None and match["single"] is None else match["single"]
        token = match["word"] if phrase is None else _ESCAPED.sub(r"\1", phrase).strip()
        if token:
            found.append(token)
    return found


def _combined(operator: Operator, terms: Sequence[Query]) -> Query:
    match operator:
        case Operator.AND:
            return And(tuple(terms))
        case Operator.OR:
            return Or(tuple(terms))
        case Operator.NOT:
            return Not(Or(tuple(terms)))


def _condition(given: Mapping[str, Any], mailbox_of: MailboxOf) -> Query:
    arguments = Arguments(given)
    terms: list[Query] = []
    for name in given:
        if name in ("inMailbox", "inMailboxOtherThan"):
            terms += _of_mailboxes(arguments, name, mailbox_of)
        elif name in CONDITIONS:
            terms += CONDITIONS[name](arguments, name)
        else:
            raise unsupported_filter(f"there is no condition {name[:100]}")
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def _of_mailboxes(arguments: Arguments, name: str, mailbox_of: MailboxOf) -> Iterable[Query]:
    if name == "inMailbox":
        text = arguments.optional_reference(name)
        if text is not None:
            mailbox_id = mailbox_of(text)
            yield Not(Everything()) if mailbox_id is None else InMailbox(mailbox_id)
        return
    texts = arguments.ids(name)
    if texts is not None:
        found = map(mailbox_of, texts)
        yield InMailboxOtherThan(frozenset(each for each in found if each is not None))


def _instant(arguments: Arguments, name: str) -> Instant | None:
    text = arguments.optional_text(name)
    if text is None:
        return None
    found = read_utc_date(text)
    if found is None:
        raise invalid_arguments(f"{name} is not a UTCDate")
    return found


def _before(arguments: Arguments, name: str) -> Iterable[Query]:
    at = _instant(arguments, name)
    if at is not None:
        yield InstantRange(TimeField.RECEIVED, None, at)


def _after(arguments: Arguments, name: str) -> Iterable[Query]:
    at = _instant(arguments, name)
    if at is not None:
        yield InstantRange(TimeField.RECEIVED, at, None)


def _min_size(arguments: Arguments, name: str) -> Iterable[Query]:
    octets = arguments.optional_unsigned(name)
    # RFC 8621 §4.4.1: minSize itself is large enough, maxSize is not small enough.
    if octets is not None:
        yield SizeRange(larger=octets - 1, smaller=None)


def _max_size(arguments: Arguments, name: str) -> Iterable[Query]:
    octets = arguments.optional_unsigned(name)
    if octets is not None:
        yield SizeRange(larger=None, smaller=octets)


def keyword_of(arguments: Arguments, name: str) -> str | None:
    """Raises MethodFault."""
    text = arguments.optional_text(name)
    try:
        return None if text is None else read_keyword(text)
    except Invalid:
        raise invalid_arguments(f"{name} is not a keyword") from None


def _has_keyword(arguments: Arguments, name: str) -> Iterable[Query]:
    keyword = keyword_of(arguments, name)
    if keyword is not None:
        yield HasKeyword(keyword) if name == "hasKeyword" else Not(HasKeyword(keyword))


def _thread(reach: ThreadReach) -> Callable[[Arguments, str], Iterable[Query]]:
    def read(arguments: Arguments, name: str) -> Iterable[Query]:
        keyword = keyword_of(arguments, name)
        if keyword is not None:
            yield ThreadHasKeyword(reach, keyword)

    return read


def _has_attachment(arguments: Arguments, name: str) -> Iterable[Query]:
    if arguments.has(name):
        yield HasAttachment() if arguments.boolean(name, default=True) else Not(HasAttachment())


def _text(field: TextField) -> Callable[[Arguments, str], Iterable[Query]]:
    def read(arguments: Arguments, name: str) -> Iterable[Query]:
        text = arguments.optional_text(name)
        return (
            ()
            if text is None
            else [Contains(field, token, is_phrase=len(token.split()) > 1) for token in _bounded_tokens(text)]
        )

    return read


def _bounded_tokens(text: str) -> list[str]:
    if len(text) > MAX_NEEDLE:
        raise unsupported_filter(f"a text to look for has at most {MAX_NEEDLE} characters")
    found = tokens(text)
    if len(found) > MAX_TOKENS:
        raise unsupported_filter(f"a text to look for has at most {MAX_TOKENS} words")
    return found


def _header(arguments: Arguments, name: str) -> Iterable[Query]:
    """RFC 8621 §4.4.1: a name, which must be there, and a text, which must be in its value."""
    texts = arguments.texts(name)
    if texts is None:
        return ()
    if len(texts) not in (1, 2) or not _FIELD_NAME.fullmatch(texts[0]):
        raise invalid_arguments(f"{name} is not the name of a header field, and a text if need be")
    sought = _bounded_tokens(texts[1]) if len(texts) == 2 else []
    return [HeaderContains(texts[0], token) for token in sought or [""]]


CONDITIONS: Mapping[str, Callable[[Arguments, str], Iterable[Query]]] = {
    "before": _before,
    "after": _after,
    "minSize": _min_size,
    "maxSize": _max_size,
    "allInThreadHaveKeyword": _thread(ThreadReach.ALL),
    "someInThreadHaveKeyword": _thread(ThreadReach.SOME),
    "noneInThreadHaveKeyword": _thread(ThreadReach.NONE),
    "hasKeyword": _has_keyword,
    "notKeyword": _has_keyword,
    "hasAttachment": _has_attachment,
    "text": _text(TextField.TEXT),
    "from": _text(TextField.FROM),
    "to": _text(TextField.TO),
    "cc": _text(TextField.CC),
    "bcc": _text(TextField.BCC),
    "subject": _text(TextField.SUBJECT),
    "body": _text(TextField.BODY),
    "header": _header,
}
