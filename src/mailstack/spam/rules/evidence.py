"""One mail, as rules look at it: what it says, what the checks of its sender came to, and what is ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mailstack.formats.addresses import Mailbox, address_text, parse_mailboxes
from mailstack.formats.dates import parse_date
from mailstack.formats.headers import unfold
from mailstack.formats.words import decode_words
from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.networks import is_near
from mailstack.model.verdict import Authentication
from mailstack.spam.correspondent import Standing
from mailstack.spam.links import Link, links_in
from mailstack.spam.rules.attached import File, files_of
from mailstack.spam.rules.lookalike import Lookalikes
from mailstack.spam.seen import Seen

MAX_LINKS = 100
_FIELD_OCTETS = 8_000


@dataclass(frozen=True, kw_only=True)
class Ours:
    """A-labels."""

    hostname: str = ""
    domains: frozenset[str] = frozenset()

    @cached_property
    def lookalikes(self) -> Lookalikes:
        return Lookalikes(self.domains)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """tokens: facts that the model learns of it too, as spam.features names them. authentication: None where nobody
    looked. author: the first mailbox of From; None without one. peer_host: an address, "" where nobody brought it.
    standing: of the author. reverse_path: "" for a bounce."""

    raw: RawMessage
    seen: Seen
    tokens: frozenset[bytes]
    authentication: Authentication | None
    author: Mailbox | None
    standing: Standing
    peer_host: str
    ehlo_domain: str
    reverse_path: str
    received_at: Instant
    ours: Ours

    @cached_property
    def _fields(self) -> Mapping[bytes, Sequence[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for name, value, _, _ in self.seen.root.fields:
            if name in found:
                found[name].append(value)
            else:
                found[name] = [value]
        return found

    def has(self, name: bytes) -> bool:
        return name in self._fields

    def field(self, name: bytes) -> bytes:
        """The first of that name (lower-case), unfolded; b"" without one."""
        value = self._unfolded.get(name)
        if value is None:
            values = self._fields.get(name)
            value = self._unfolded[name] = unfold(values[0][:_FIELD_OCTETS]) if values else b""
        return value

    @cached_property
    def _unfolded(self) -> dict[bytes, bytes]:
        """What was asked for."""
        return {}

    def every(self, name: bytes) -> Sequence[bytes]:
        """Likewise, all of them in order."""
        return [unfold(value[:_FIELD_OCTETS]) for value in self._fields.get(name, ())]

    @cached_property
    def subject(self) -> str:
        return decode_words(self.field(b"subject"))

    @cached_property
    def date(self) -> Instant | None:
        """As it is written; None without one."""
        return parse_date(self.field(b"date"))

    @cached_property
    def author_domain(self) -> str:
        """As A-labels; "" without one."""
        return domain_of(self.author) if self.author is not None else ""

    @cached_property
    def checked(self) -> Authentication | None:
        """Of who brings it from outside; None of a host near by, as a printer or a program on this machine: it has no
        name that the world knows, and nobody publishes its address."""
        return None if is_near(self.peer_host) else self.authentication

    @property
    def is_proven(self) -> bool:
        """Whether the author's domain stands for it."""
        return self.standing is Standing.PROVEN

    @cached_property
    def author_name(self) -> str:
        """The name beside the address; "" without one."""
        return decode_words(self.author.name[:_FIELD_OCTETS]).strip() if self.author is not None else ""

    @cached_property
    def author_address(self) -> str:
        return address_text(self.author) if self.author is not None else ""

    @cached_property
    def reply_domain(self) -> str:
        replied = parse_mailboxes(self.field(b"reply-to"))
        return domain_of(replied[0]) if replied else ""

    @cached_property
    def is_list(self) -> bool:
        """It says that a mailing list sent it on. Anybody may say so: no more than a reason to ask less of it."""
        return self.has(b"list-id") or self.has(b"list-post")

    @cached_property
    def links(self) -> Sequence[Link]:
        """Those that lead to a host, each once."""
        return links_in(self.seen.links, MAX_LINKS)

    @cached_property
    def hosts(self) -> Sequence[str]:
        """Of links, each once."""
        return tuple(dict.fromkeys(link.host for link in self.links))

    @cached_property
    def files(self) -> Sequence[File]:
        return files_of(self.raw, self.seen.root)


def domain_of(mailbox: Mailbox) -> str:
    """As A-labels where it has any."""
    domain = mailbox.domain.decode("utf-8", "replace")
    try:
        return domain_key(domain)
    except Invalid:
        return domain.lower()
