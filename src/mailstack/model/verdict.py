"""What the checks of a mail's sender came to, in the words of Authentication-Results. RFC 8601 §2.7.

Values only: mailauth finds them, policy acts on them, headers and logs tell of them. reason: for people, printable and
on one line, "" where the result says all.
"""

from dataclasses import dataclass
from enum import StrEnum


class SpfResult(StrEnum):
    """RFC 7208 §2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DkimResult(StrEnum):
    """RFC 8601 §2.7.1."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DmarcResult(StrEnum):
    """RFC 9989 §9.2."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DmarcPolicy(StrEnum):
    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class ArcResult(StrEnum):
    """RFC 8617 §4.4."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"


class IprevResult(StrEnum):
    """RFC 8601 §3."""

    PASS = "pass"
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfIdentity(StrEnum):
    """RFC 7208 §2.3, §2.4."""

    HELO = "helo"
    MAILFROM = "mailfrom"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfVerdict:
    """domain: whose record was asked, as A-labels. explanation: what that domain says to those it does not let send
    (RFC 7208 §6.2): somebody else's words, ASCII and printable. mechanism: the term that matched, as published.
    lookups: terms that asked DNS, of all records that were read. is_unsure: it fails since DNS does not answer for a
    name of the client, as RFC 7208 §5.5 has it, and might pass another time."""

    result: SpfResult
    identity: SpfIdentity
    domain: str
    mechanism: str = ""
    explanation: str = ""
    lookups: int = 0
    is_unsure: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimVerdict:
    """Of one signature. domain, selector, identity: d=, s= and i=. algorithm: a=. signature_start: the first eight
    characters of b= (RFC 6008 §4). key_bits: of an RSA key, 0 where none was read. is_testing: the key says t=y."""

    result: DkimResult
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    signature_start: str = ""
    key_bits: int = 0
    is_testing: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcVerdict:
    """from_domain: of the one From address, A-labels. policy_domain: where the record was found, "" without one.
    organizational_domain: by the tree walk. policy: what the owner asks for of this mail once it fails, with sp, np and
    t applied. is_testing: the owner says t=y. has_spf, has_dkim: passed and aligned."""

    result: DmarcResult
    from_domain: str = ""
    policy_domain: str = ""
    organizational_domain: str = ""
    policy: DmarcPolicy = DmarcPolicy.NONE
    is_testing: bool = False
    has_spf: bool = False
    has_dkim: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcVerdict:
    """sealers: the domains of the seals of a chain that passed, the newest first. trusted_results: what a sealer that
    the spec trusts saw, authserv-id and all: that of the oldest set after which only trusted sealers came, "" without
    one. is_temporary: the chain fails for now, since DNS did not answer; RFC 8617 has no word for it."""

    result: ArcResult
    sealers: tuple[str, ...] = ()
    trusted_results: str = ""
    is_temporary: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IprevVerdict:
    """name: that the address names and that names the address, "" without one."""

    result: IprevResult
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Of one mail. dkim: one verdict for each signature that was looked at, in the order of the fields."""

    iprev: IprevVerdict
    helo: SpfVerdict
    mail_from: SpfVerdict
    dkim: tuple[DkimVerdict, ...]
    arc: ArcVerdict
    dmarc: DmarcVerdict
