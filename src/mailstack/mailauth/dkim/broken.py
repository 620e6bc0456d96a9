"""Which signatures a change of the header breaks, told by their h= alone: for whoever changes mail on its way.

Nothing is verified. RFC 6376 §3.5, §5.4; RFC 6377 §5.7.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from mailstack.formats.headers import Field, scan_fields
from mailstack.formats.tagvalue import without_white_space
from mailstack.mailauth.dkim.signature import read_tags, shown, signature_start
from mailstack.mailauth.dkim.unverifiable import Unverifiable
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES
from mailstack.model.message import RawMessage
from mailstack.model.verdict import DkimVerdict

_FIELD = b"dkim-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """broken: their fields. whole: d=, s= and the start of b= of the others, as verdicts have them."""

    broken: tuple[Field, ...]
    whole: frozenset[tuple[str, str, str]]

    def survives(self, verdict: DkimVerdict) -> bool:
        return (verdict.domain, verdict.selector, verdict.signature_start) in self.whole


def signatures_after(raw: RawMessage, changed: Set[bytes]) -> Signatures:
    """changed: names of fields that come, go or change, lower-case. A signature that cannot be read is broken already.

    A name in h= counts even where the field was absent: then its absence was signed (RFC 6376 §5.4).
    """
    broken: list[Field] = []
    whole: set[tuple[str, str, str]] = set()
    for field in _signature_fields(raw):
        try:
            tags = read_tags(field.value)
        except Unverifiable:
            tags = {}
        names = without_white_space(tags[b"h"].value).lower().split(b":") if b"h" in tags else []
        if not names or not changed.isdisjoint(names):
            broken.append(field)
        else:
            domain, selector = (shown(tags[name].value).lower() if name in tags else "" for name in (b"d", b"s"))
            whole.add((domain, selector, signature_start(tags)))
    return Signatures(broken=tuple(broken), whole=frozenset(whole))


def _signature_fields(raw: RawMessage) -> Sequence[Field]:
    return [field for field in scan_fields(raw) if field.name == _FIELD][:MOST_SIGNATURES]
