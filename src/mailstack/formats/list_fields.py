"""What a mailing list changes in a message: fields that are its own, a word before the subject, and where there is no
other way, From. Found as ranges to leave out and fields to put on top; the rest of the message is not touched.

Not who may post, nor what a single member's copy has more (services.lists). RFC 2369, RFC 2919, RFC 6377 §5, RFC 9057.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.addresses import Mailbox, parse_mailboxes
from mailstack.formats.compose import phrase, write_field
from mailstack.formats.headers import Field, every, first, scan_fields, unfold
from mailstack.formats.words import decode_words, encode_words
from mailstack.model.principal import MailingList, Posters

# RFC 2919 §7, RFC 2369 §4: of what another list has added, all goes but for the way to its archive; we have none.
OWN_FIELDS = frozenset(
    {
        *(b"list-id", b"list-help", b"list-post", b"list-owner", b"list-subscribe"),
        *(b"list-unsubscribe", b"list-unsubscribe-post", b"precedence"),
    }
)
MAX_SUBJECT = 900
MAX_SHOWN = 200
"""Characters of an author's name: it may be one word, and no line holds a thousand octets of that."""
# RFC 2919 §3: list-id-header = "List-ID:" [phrase] "<" list-id ">" CRLF
_LIST_ID = re.compile(rb"<\s*([^<>\s]+)\s*>\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanges:
    """top: whole fields. left_out: ranges of the message, in order. names: of all fields that come, go or change,
    lower-case."""

    top: bytes
    left_out: tuple[tuple[int, int], ...]
    names: frozenset[bytes]


def list_id(address: str) -> str:
    """RFC 2919 §2: list-label "." list-id-namespace: what the list is called by all who sort its mail."""
    return address.replace("@", ".")


def has_list_id(fields: Sequence[Field], address: str) -> bool:
    """Has the message been through this list."""
    own = list_id(address).encode()
    # RFC 2919 §6: compared without regard to case.
    return any((found := _LIST_ID.search(value)) and found[1].lower() == own for value in every(fields, b"list-id"))


def is_automatic(fields: Sequence[Field]) -> bool:
    """RFC 3834 §5: Auto-Submitted says anything but `no`."""
    return any(
        value.partition(b";")[0].partition(b"(")[0].strip().lower() != b"no"
        for value in every(fields, b"auto-submitted")
    )


def authors(fields: Sequence[Field]) -> tuple[Mailbox, ...]:
    """Of the only From field; none where there are several."""
    values = every(fields, b"from")
    return parse_mailboxes(values[0]) if len(values) == 1 else ()


def changes(raw_fields: Sequence[Field], mailing_list: MailingList, *, rewrites_from: bool) -> ListChanges:
    """raw_fields: of the message. rewrites_from: the list shows itself in From, and the author stays in Author and
    Reply-To."""
    replaced = {b"from"} if rewrites_from else set()
    top: list[bytes] = []
    subject = _subject(raw_fields, mailing_list.subject_prefix)
    if subject is not None:
        replaced.add(b"subject")
        top.append(subject)
    if rewrites_from:
        top += _from(raw_fields, mailing_list)
    top += _reply_to(raw_fields, mailing_list, rewrites_from=rewrites_from)
    top.append(_own_fields(mailing_list))
    gone = [field for field in raw_fields if field.name in OWN_FIELDS or field.name in replaced]
    fields = b"".join(top)
    return ListChanges(
        top=fields,
        left_out=tuple((field.start, field.end) for field in gone),
        names=frozenset({*(field.name for field in gone), *(field.name for field in scan_fields(fields))}),
    )


def unsubscribe_fields(mailto: str, page: str) -> bytes:
    """mailto, page: URIs; page: "" where there is none."""
    if not page:
        return write_field("List-Unsubscribe", f"<{mailto}>")
    # RFC 8058 §3.1: one HTTPS URI, others beside it; and the other field with exactly this.
    named = write_field("List-Unsubscribe", f"<{page}>, <{mailto}>")
    return named + write_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def _own_fields(mailing_list: MailingList) -> bytes:
    address = mailing_list.address
    name, _, domain = address.rpartition("@")
    owner = f"<mailto:{mailto_address(f'{name}-owner@{domain}')}"
    post = f"<mailto:{mailto_address(address)}>" if mailing_list.post is not Posters.OWNERS else "NO"
    label = phrase(mailing_list.name)
    return b"".join(
        (
            write_field("List-Id", f"{label} <{list_id(address)}>".lstrip()),
            write_field("List-Help", f"{owner}?subject=help>"),
            write_field("List-Post", post),  # RFC 2369 §3.4: NO where members do not post
            write_field("List-Owner", f"{owner}>"),
            write_field("Precedence", "list"),  # RFC 3834 §2: what answers automatically leaves such mail alone
        )
    )


def _subject(fields: Sequence[Field], prefix: str) -> bytes | None:
    """The whole field with the prefix; None where nothing is to be changed."""
    if not prefix:
        return None
    value = first(fields, b"subject") or b""
    if prefix.casefold() in decode_words(value).casefold():
        return None
    # RFC 2047 §6.2: the space between two encoded words is not shown, so it is encoded with the first.
    is_plain = prefix.isascii() and "=?" not in prefix
    lead = (prefix.encode("ascii") if is_plain else encode_words(f"{prefix} ")) + b" "
    written = lead + value
    # RFC 5322 §2.2.3: a fold goes where white space is.
    folded = lead.rstrip() + b"\r\n " + _rewrapped(value) if len(written) > MAX_SUBJECT else written
    return b"Subject: " + folded.rstrip() + b"\r\n"


def _rewrapped(value: bytes) -> bytes:
    lines, line = [], b""
    for word in value.split():
        if line and len(line) + len(word) > MAX_SUBJECT:
            lines.append(line)
            line = b""
        line += (b" " if line else b"") + word
    return b"\r\n ".join([*lines, line])


def _from(fields: Sequence[Field], mailing_list: MailingList) -> list[bytes]:
    original = unfold(next(field.value for field in fields if field.name == b"from"))
    written = authors(fields)
    shown = ""
    if written:
        shown = decode_words(written[0].name) or (written[0].local_part + b"@" + written[0].domain).decode(
            "utf-8", "replace"
        )
    via = f"{shown[:MAX_SHOWN]} via {mailing_list.name or mailing_list.address}".strip()
    own = [write_field("From", f"{phrase(via)} <{mailing_list.address}>")]
    # RFC 9057 §3: Author has what From had; one that is there already is left as it is.
    if first(fields, b"author") is None:
        own.append(b"Author: " + _foldable(original) + b"\r\n")
    return own


def _reply_to(fields: Sequence[Field], mailing_list: MailingList, *, rewrites_from: bool) -> list[bytes]:
    if first(fields, b"reply-to") is not None:
        return []  # the author has said where answers go
    if mailing_list.replies_to_list:
        return [write_field("Reply-To", mailing_list.address)]
    if rewrites_from:
        return [b"Reply-To: " + _foldable(unfold(next(f.value for f in fields if f.name == b"from"))) + b"\r\n"]
    return []


def _foldable(value: bytes) -> bytes:
    return value if len(value) <= MAX_SUBJECT else _rewrapped(value)


def mailto_address(address: str) -> str:
    """RFC 6068 §2: what has a meaning in a mailto URI is percent-encoded."""
    return re.sub(r"[%?&;/#\[\]`{}|^\"]", lambda found: f"%{ord(found[0]):02X}", address)
