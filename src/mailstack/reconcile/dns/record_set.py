"""One DNS record set, and its text in a zone file. Pure. RFC 1035 §5.1."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.reconcile.plan import KNOWN_AFTER_APPLY

PROOF_LABEL = "_acme-challenge"  # RFC 8555 §8.4
DEFAULT_TTL_S = 3_600
TXT_CHUNK_OCTETS = 255  # RFC 1035 §3.3: a character-string has at most 255 octets

Key = tuple[str, str]
"""Name and type of a record set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """name: fully qualified, lower-case, without the closing dot. values: as in a zone file, those of TXT as the bare
    text: one string, unquoted, however it is cut on the wire.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl_s: int = DEFAULT_TTL_S

    @property
    def key(self) -> Key:
        return (self.name, self.type)


def text_record(name: str, *values: str) -> RecordSet:
    return RecordSet(name=name, type="TXT", values=values)


def zone_file_lines(records: Sequence[RecordSet]) -> tuple[str, ...]:
    """RFC 1035 §5.1, one record a line; as a comment where it holds what apply has yet to make."""
    width = max((len(record.name) for record in records), default=0) + 1
    return tuple(
        f"{'; ' * (KNOWN_AFTER_APPLY in rdata)}{record.name + '.':<{width}} {record.ttl_s} IN {record.type} {rdata}"
        for record in sorted(records, key=lambda record: record.key)
        for rdata in rdata_texts(record)
    )


def rdata_texts(record: RecordSet) -> tuple[str, ...]:
    if record.type != "TXT":
        return record.values
    return tuple(_quoted(value) for value in record.values)


def _quoted(text: str) -> str:
    octets = text.encode("utf-8")
    chunks = [octets[start : start + TXT_CHUNK_OCTETS] for start in range(0, len(octets), TXT_CHUNK_OCTETS)] or [b""]
    return " ".join(f'"{"".join(_escaped(octet) for octet in chunk)}"' for chunk in chunks)


def _escaped(octet: int) -> str:
    # RFC 1035 §5.1: \X for a character with a meaning of its own, \DDD for an octet that is not printable.
    if octet in b'"\\':
        return f"\\{octet:c}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
