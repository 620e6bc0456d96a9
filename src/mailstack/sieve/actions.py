"""What a script wants done: values, in the order in which they were asked for. services/inbound/filter does them."""

from dataclasses import dataclass
from enum import Enum

from mailstack.model.message import RawMessage

Flags = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """raw: the message as it was edited by then; None for the one that came. flags: None where the script said nothing.
    is_implicit: RFC 5228 §2.10.2: nothing else was done with the message."""

    flags: Flags | None = None
    raw: RawMessage | None = None
    is_implicit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInto:
    """mailbox: as the script names it. special_use: RFC 8579: the mailbox that has that use, else `mailbox`.
    mailbox_id: RFC 9042: the mailbox with that id, wherever it is by now, else `mailbox`."""

    mailbox: str
    flags: Flags | None = None
    raw: RawMessage | None = None
    create: bool = False
    special_use: str = ""
    mailbox_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard: ...


class Refusal(Enum):
    """RFC 5429 §2: ereject would rather refuse within SMTP, reject may send a notice."""

    REJECT = "reject"
    EREJECT = "ereject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    kind: Refusal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """address: one; list_name: RFC 6134 §2.7: instead of it, all members of a list. notify, ret: RFC 6009 §5: None
    where the script said nothing."""

    address: str = ""
    list_name: str = ""
    raw: RawMessage | None = None
    notify: str | None = None
    ret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacation:
    """RFC 5230. period_s: for so long the same sender is not answered again. handle: what tells one answer from
    another. fcc: RFC 8580: where a copy goes."""

    reason: str
    period_s: int
    handle: str
    subject: str = ""
    sender: str = ""
    addresses: tuple[str, ...] = ()
    is_mime: bool = False
    fcc: FileInto | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """RFC 5435. importance: 1 high, 2 normal, 3 low. options: "name=value"."""

    method: str
    message: str = ""
    sender: str = ""
    importance: int = 2
    options: tuple[str, ...] = ()
    fcc: FileInto | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """RFC 5965. has_body: the mail goes with it, else only its header."""

    feedback_type: str
    message: str
    address: str
    has_body: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackDuplicate:
    """RFC 7352 §3: once the script has ended well, its unique id counts as seen for so long."""

    unique_id: str
    period_s: int
    is_last: bool


Action = Keep | FileInto | Discard | Reject | Redirect | Vacation | Notify | Report | TrackDuplicate
