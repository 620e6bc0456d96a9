"""Mail addresses as the directory compares them: case-folded local part, domain in A-label form.

Not the grammar of paths (wire/smtp) nor of header fields (formats/addresses). RFC 5321 §2.4, RFC 6531, RFC 5891.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

from mailstack.model.errors import Invalid

MAX_LOCAL_PART_OCTETS = 64  # RFC 5321 §4.5.3.1.1
MAX_DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2

_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """local_part as written (quotes removed); domain lower-case A-labels, or an address literal in brackets."""

    local_part: str
    domain: str

    @property
    def key(self) -> str:
        """The form under which the directory finds it.

        RFC 5321 §2.4 lets a host treat local parts without regard to case; every host does, and so do we.
        """
        return f"{unicodedata.normalize('NFC', self.local_part).casefold()}@{self.domain}"

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"


def parse_address(text: str) -> Address:
    """text: `local@domain`, no display name, no angle brackets. Raises Invalid with the reason."""
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise Invalid("an address needs an @")
    if not local_part:
        raise Invalid("the part before the @ is empty")
    if _BLANK.search(local_part):
        raise Invalid("white space and control characters are not allowed in an address")
    if len(local_part.encode("utf-8", "surrogatepass")) > MAX_LOCAL_PART_OCTETS:
        raise Invalid(f"the part before the @ is over {MAX_LOCAL_PART_OCTETS} octets")
    return Address(local_part=local_part, domain=domain_key(domain))


@lru_cache(maxsize=4096)
def domain_key(domain: str) -> str:
    """The domain lower-case, U-labels as A-labels, without a closing dot. Raises Invalid."""
    name = domain.rstrip(".").lower()
    if name.startswith("[") and name.endswith("]"):
        return name
    if not name.isascii():
        try:
            # RFC 5891 §5, with the mapping of UTS 46 that every browser and mail client applies to what people type.
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as fault:
            raise Invalid(f"{domain!r} is not a domain name: {fault}") from None
    if not name or len(name) > MAX_DOMAIN_OCTETS:
        raise Invalid(f"{domain!r} is not a domain name")
    for label in name.split("."):
        if not 0 < len(label) <= 63 or not _is_label(label):
            raise Invalid(f"{domain!r} is not a domain name")
    return name


def _is_label(label: str) -> bool:
    # RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str]; the underscore is tolerated because hosts that have it send mail.
    return label[0] != "-" and label[-1] != "-" and all(c.isalnum() or c in "-_" for c in label)
