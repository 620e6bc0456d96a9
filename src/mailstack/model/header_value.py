"""Values of header fields, without how they are spelled on the wire or in JSON. RFC 8621 §4.1.2."""

from dataclasses import dataclass
from typing import NamedTuple

from mailstack.model.instant import Instant


class EmailAddress(NamedTuple):
    """name: decoded; None where there is none. email: RFC 5322 §3.4.1: addr-spec, as far as there is one."""

    name: str | None
    email: str


class AddressGroup(NamedTuple):
    """name: None for addresses that are in no group."""

    name: str | None
    addresses: tuple[EmailAddress, ...]


@dataclass(frozen=True, slots=True)
class RawValue:
    """As it stands behind the colon."""

    text: str


@dataclass(frozen=True, slots=True)
class TextValue:
    text: str


@dataclass(frozen=True, slots=True)
class Groups:
    groups: tuple[AddressGroup, ...]


@dataclass(frozen=True, slots=True)
class MessageIds:
    """Without angle brackets."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ZonedDate:
    """offset_minutes: east of UTC."""

    instant: Instant
    offset_minutes: int


@dataclass(frozen=True, slots=True)
class Urls:
    """Without angle brackets."""

    urls: tuple[str, ...]


HeaderValue = RawValue | TextValue | Groups | MessageIds | ZonedDate | Urls
