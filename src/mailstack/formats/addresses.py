"""Address lists of header fields. Linear in their length, at most limits.addresses of them, and never raising.

Display names stay as written, encoded words included; internationalised domains too. Not the paths of SMTP (wire/smtp)
nor the directory's idea of an address (model.address). RFC 5322 §3.4, §4.4; RFC 6532 §3.2; RFC 6854.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.charsets import guess
from mailstack.formats.comments import comment_end, without_comments
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.words import decode_words


@dataclass(frozen=True, slots=True)
class Mailbox:
    """name: the display name without its quotes, b"" for none. local_part: without quotes. domain: b"" if missing.
    route: RFC 5322 §4.4 (obs-route): kept for IMAP to show, and to be ignored by all others.
    """

    name: bytes
    local_part: bytes
    domain: bytes
    route: bytes = b""


@dataclass(frozen=True, slots=True)
class Group:
    name: bytes
    members: tuple[Mailbox, ...]


# The two shapes that nearly all addresses have: name <local@domain> and local@domain.
_ATOMS = rb"[^\s\"(),:;<>@\[\]\\]++"
_USUAL = re.compile(
    rb"[ \t]*+(?:(?:\"([^\"\\]*+)\"[ \t]*+|([^\"(),:;<>@\[\]\\]*+))<(%b)@(%b)>|(%b)@(%b))[ \t]*+(?:,|\Z)"
    % ((_ATOMS,) * 4)
)
# RFC 5322 §3.2: white space, comment, quoted-string, domain-literal, angle-addr, atoms and dots, the rest one by one.
_TOKEN = re.compile(
    rb"(?P<space>[ \t\r\n]++)|(?P<comment>\()|\"(?P<quoted>(?:[^\"\\]++|\\.)*+)\"?+"
    rb"|(?P<angle><(?:[^<>\"]++|\"(?:[^\"\\]++|\\.)*+\"?+)*+>?+)"
    rb"|(?P<atom>\[[^\]\[]*+\]?+|[^\s()<>@,;:\"\[]++)|(?P<special>.)",
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_QUOTED_LOCAL_PART = re.compile(rb"\"((?:[^\"\\]++|\\.)*+)\"", re.DOTALL)


def parse_addresses(value: bytes, *, limits: Limits = LIMITS) -> tuple[Mailbox | Group, ...]:
    """value: unfolded. What is no address is passed over."""
    reader = _Reader(value, limits.addresses)
    return tuple(reader.entries())


def parse_mailboxes(value: bytes, *, limits: Limits = LIMITS) -> tuple[Mailbox, ...]:
    """The mailboxes of a list in order, those inside groups too."""
    return flattened(parse_addresses(value, limits=limits))


def flattened(entries: Sequence[Mailbox | Group]) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    for entry in entries:
        if isinstance(entry, Group):
            found.extend(entry.members)
        else:
            found.append(entry)
    return tuple(found)


def address_text(mailbox: Mailbox) -> str:
    """local@domain, the local part as it is and not as it is quoted; without a domain, whatever stands there."""
    local_part = guess(mailbox.local_part)
    return f"{local_part}@{guess(mailbox.domain)}" if mailbox.domain else local_part


def display(entries: Sequence[Mailbox | Group]) -> str:
    """For people and for searching: decoded, `Name <local@domain>` and `Group: …;`, one after the other."""
    return ", ".join(_group(entry) if isinstance(entry, Group) else _shown(entry) for entry in entries)


def _group(group: Group) -> str:
    return f"{decode_words(group.name)}: {', '.join(map(_shown, group.members))};"


def _shown(mailbox: Mailbox) -> str:
    name, address = mailbox.name, mailbox.local_part
    if mailbox.domain:
        address = address + b"@" + mailbox.domain
    # Encoded words may stand in a phrase only; many senders write them inside quotes all the same.
    return decode_words(name) + " <" + guess(address) + ">" if name else guess(address)


class _Reader:
    """A cursor over one value."""

    def __init__(self, value: bytes, most: int) -> None:
        self._value = value
        self._at = 0
        self._left = most

    def entries(self) -> list[Mailbox | Group]:
        found: list[Mailbox | Group] = []
        group: bytes | None = None
        members: list[Mailbox] = []
        while self._at < len(self._value) and self._left > 0:
            mailbox, name, ended_by = self._next()
            # Empty members cost as much as others.
            self._left -= 1
            if ended_by == b":" and group is None:
                group, members = name, []
                continue
            if mailbox is not None:
                (found if group is None else members).append(mailbox)
            if ended_by == b";" and group is not None:
                found.append(Group(group, tuple(members)))
                group = None
        if group is not None:
            found.append(Group(group, tuple(members)))
        return found

    def _next(self) -> tuple[Mailbox | None, bytes, bytes]:
        """One mailbox, or the name of a group, and what ended it: a comma, colon, semicolon, or b"" at the end."""
        usual = _USUAL.match(self._value, self._at)
        if usual is None:
            return self._unusual()
        self._at = usual.end()
        if usual[5] is not None:
            return Mailbox(b"", usual[5], usual[6]), b"", b","
        name = usual[2].strip() if usual[1] is None else usual[1]
        return Mailbox(name, usual[3], usual[4]), b"", b","

    def _unusual(self) -> tuple[Mailbox | None, bytes, bytes]:
        words: list[bytes] = []
        local_part: bytes | None = None
        angle: bytes | None = None
        comment = b""
        ended_by = b""
        while token := _TOKEN.match(self._value, self._at):
            self._at = token.end()
            kind = token.lastgroup
            if kind == "comment":
                comment = self._comment() or comment
            elif kind == "quoted":
                words.append(_QUOTED_PAIR.sub(rb"\1", token["quoted"]))
            elif kind == "atom":
                words.append(token["atom"])
            elif kind == "angle":
                angle = token["angle"][1:].removesuffix(b">") if angle is None else angle
            elif kind == "special":
                if token["special"] in b",:;":
                    ended_by = token["special"]
                    break
                if token["special"] == b"@" and angle is None and local_part is None:
                    local_part = _dotted(words)
                    words = []
        if angle is not None:
            mailbox = Mailbox(b" ".join(words) or comment, *_angle(angle))
            return (mailbox if mailbox.name or mailbox.local_part else None), b"", ended_by
        if local_part is not None:
            return Mailbox(comment, local_part, b"".join(words)), b"", ended_by
        if ended_by == b":":
            return None, b" ".join(words), ended_by
        return (Mailbox(comment, b" ".join(words), b"") if words else None), b"", ended_by

    def _comment(self) -> bytes:
        """The text of the comment whose opening parenthesis was just passed. RFC 5322 §3.2.2: comments nest."""
        start = self._at
        self._at = comment_end(self._value, start)
        return _QUOTED_PAIR.sub(rb"\1", self._value[start : self._at].removesuffix(b")")).strip()


def _dotted(words: list[bytes]) -> bytes:
    """The last word; RFC 5322 §4.4: obs-local-part allows white space around its dots."""
    at = len(words) - 1
    while at > 0 and (words[at].startswith(b".") or words[at - 1].endswith(b".")):
        at -= 1
    return b"".join(words[max(at, 0) :])


def _angle(text: bytes) -> tuple[bytes, bytes, bytes]:
    """local part, domain and route of what stood between angle brackets."""
    route = b""
    if b"(" in text:
        text = without_comments(text)
    text = b"".join(text.split()) if b'"' not in text else text.strip()
    if text.startswith(b"@"):
        route, _, text = text.partition(b":")
    local_part, at, domain = text.rpartition(b"@")
    if not at:
        local_part, domain = domain, b""
    if quoted := _QUOTED_LOCAL_PART.fullmatch(local_part):
        local_part = _QUOTED_PAIR.sub(rb"\1", quoted[1])
    return local_part, domain.rstrip(b" ,;"), route
