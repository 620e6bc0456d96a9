"""What TLS a mail must have on the way to the next server, and what it had.

Values only: who finds a policy is services.outbound's affair, and clients.smtp carries it out. RFC 7672 (DANE),
RFC 8461 (MTA-STS); words of RFC 8460 (reports on TLS).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from mailstack.model.instant import Instant


class PolicyType(StrEnum):
    """RFC 8460 §4.4: whose policy a report is on. NONE: nobody but us asked for anything."""

    DANE = "tlsa"
    STS = "sts"
    NONE = "no-policy-found"


class LeastTls(StrEnum):
    """What the operator has mail go with, whatever the domains that it goes to say."""

    OPPORTUNISTIC = "opportunistic"  # TLS where it is offered, under any certificate
    REQUIRED = "required"  # never without, under any certificate
    VERIFIED = "verified"  # under a certificate for the host's name, or that DANE names


class TlsFailure(StrEnum):
    """RFC 8460 §4.3."""

    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"


class TlsaUsage(IntEnum):
    """RFC 6698 §2.1.1, with the names of RFC 7218."""

    PKIX_TA = 0
    PKIX_EE = 1
    DANE_TA = 2
    DANE_EE = 3


class TlsaSelector(IntEnum):
    """RFC 6698 §2.1.2."""

    CERTIFICATE = 0
    PUBLIC_KEY = 1


class TlsaMatching(IntEnum):
    """RFC 6698 §2.1.3."""

    FULL = 0
    SHA256 = 1
    SHA512 = 2


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """As DNS has it: the three numbers may be ones that nobody knows."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"


class StsMode(StrEnum):
    """RFC 8461 §3.2."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """As a domain publishes it. mx: of the hosts that mail for it may be handed to, in lower case; patterns as
    host_pattern.covers reads them."""

    mode: StsMode
    max_age_s: int
    mx: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStsPolicy:
    """As it was fetched. policy_id: of the record in DNS that led there."""

    domain: str
    policy_id: str
    policy: StsPolicy
    fetched_at: Instant


@dataclass(frozen=True, slots=True)
class Unfetched:
    """Why there is no policy where DNS says that there is one. detail: printable, one line."""

    failure: TlsFailure
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StsFetchFailure:
    """policy_id: of the record in DNS that led there. detail: printable, one line."""

    policy_id: str
    failure: TlsFailure
    detail: str
    failed_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class StsMemory:
    """Of one domain. known: None before a first policy was fetched. failure: of the last fetch, None where it did not
    fail. used_at: when mail asked for it last, to the day."""

    known: KnownStsPolicy | None = None
    failure: StsFetchFailure | None = None
    used_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Opportunistic:
    """STARTTLS where it is offered, under any certificate; without TLS where it is not. RFC 7435 §3."""

    policy_type: ClassVar[PolicyType] = PolicyType.NONE
    word: ClassVar[str] = "opportunistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """Never without TLS. is_verified: with a certificate of an authority that this machine trusts, for the host."""

    policy_type: ClassVar[PolicyType] = PolicyType.NONE

    is_verified: bool

    @property
    def word(self) -> str:
        return "verified" if self.is_verified else "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sts:
    """is_testing: faults are reported, and mail goes on as without the policy (RFC 8461 §5). domain: whose it is.
    mx: patterns of the hosts that mail may be handed to, as host_pattern.covers reads them."""

    policy_type: ClassVar[PolicyType] = PolicyType.STS

    domain: str
    is_testing: bool
    mx: tuple[str, ...]

    @property
    def word(self) -> str:
        return "sts-testing" if self.is_testing else "sts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dane:
    """records: usable ones, at least one. names: what the certificate may be for where its issuer is what they name,
    the TLSA base domain first, which is also what the server is told that it is asked for (RFC 7672 §3.2.2)."""

    policy_type: ClassVar[PolicyType] = PolicyType.DANE
    word: ClassVar[str] = "dane"

    records: tuple[TlsaRecord, ...]
    names: tuple[str, ...]


TlsPolicy = Opportunistic | Required | Sts | Dane

OPPORTUNISTIC = Opportunistic()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsUsed:
    """Of one attempt. policy: its word, "none" where the operator wants no TLS. least: what there had to be beside it.
    version, cipher: as negotiated, "" without TLS. failure: why there was none, or not as the policy has it; where
    nothing requires TLS the mail went out all the same."""

    policy: str
    least: LeastTls = LeastTls.OPPORTUNISTIC
    version: str = ""
    cipher: str = ""
    failure: TlsFailure | None = None
