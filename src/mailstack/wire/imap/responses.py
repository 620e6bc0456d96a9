"""What a server can say, as values; wire.imap.write turns them into bytes. RFC 9051 §7, RFC 3501 §7.

The data of FETCH and of searches have their own modules, wire.imap.fetch_data and search_data: they come by the
hundred thousand.
"""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.numset import NumSet


class Condition(StrEnum):
    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """code: a response code with its arguments, without brackets, "" for none. text: printable US-ASCII."""

    tag: str
    condition: Condition
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untagged:
    condition: Condition
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """RFC 9051 §7.6. data: text, or a challenge in base64."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityData:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnabledData:
    """RFC 5161 §3.2: what this ENABLE switched on."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdData:
    """RFC 2971 §3.2."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceData:
    """RFC 2342 §5: one personal namespace without a prefix; others': the prefix of other users' mailboxes."""

    delimiter: str
    others: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListData:
    """attributes: with their backslash. name: decoded; "" in the answer that only tells the delimiter.
    child_info: RFC 5258 §3.5: what is true of something below. old_name: RFC 9051 §6.3.9.7.
    """

    attributes: tuple[str, ...]
    delimiter: str
    name: str
    child_info: tuple[str, ...] = ()
    old_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LsubData:
    attributes: tuple[str, ...]
    delimiter: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusData:
    name: str
    items: tuple[tuple[str, int | str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AclData:
    """RFC 4314 §3.6. entries: identifiers and rights."""

    name: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRightsData:
    """RFC 4314 §3.7. required: always granted. optional: rights that go together in one string."""

    name: str
    identifier: str
    required: str
    optional: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MyRightsData:
    """RFC 4314 §3.8."""

    name: str
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaData:
    """RFC 9208 §4.2.1. resources: name, usage, limit; of STORAGE both in units of 1024 octets."""

    root: str
    resources: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRootData:
    """RFC 9208 §4.2.2."""

    name: str
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataData:
    """RFC 5464 §4.4.1. name: "" for the server's. entries: in printable US-ASCII; None: there is none."""

    name: str
    entries: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagsData:
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """RFC 3501 §7.3.2; RFC 9051 did away with it."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataNames:
    """RFC 5464 §4.4.2: entries that have changed. name: "" for the server's."""

    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """RFC 7162 §3.2.10. is_earlier: they went before, and no message number changes."""

    uids: NumSet
    is_earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UidBatchesData:
    """RFC 10022. ranges: (highest, lowest), newest first."""

    tag: str
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapAccessData:
    """RFC 9698 §3. url: of the session resource."""

    url: str


Response = (
    Tagged
    | Untagged
    | Continuation
    | CapabilityData
    | EnabledData
    | IdData
    | NamespaceData
    | ListData
    | LsubData
    | StatusData
    | FlagsData
    | AclData
    | ListRightsData
    | MyRightsData
    | QuotaData
    | QuotaRootData
    | MetadataData
    | Exists
    | Recent
    | MetadataNames
    | Vanished
    | UidBatchesData
    | JmapAccessData
)
