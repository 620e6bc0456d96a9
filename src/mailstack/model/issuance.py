"""A certificate that a certificate authority is asked for: the order, the proofs it wants, and why there is none yet.

RFC 8555 (ACME), RFC 8737 (tls-alpn-01), RFC 9773 (when to renew).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.instant import Instant


class ProofMethod(StrEnum):
    HTTP_01 = "http-01"
    TLS_ALPN_01 = "tls-alpn-01"
    DNS_01 = "dns-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeAccount:
    """directory: the authority's URL. key: PEM. ca_file: whom to trust for that URL, "" for the public CAs. eab_key_id
    and eab_key: of an account that the authority knows already (RFC 8555 §7.3.4), "" for none."""

    directory: str
    key: str = field(repr=False)
    email: str = ""
    ca_file: str = ""
    eab_key_id: str = ""
    eab_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """names: host names, the first is the resource's. key: the certificate's own, PEM. replaces: the chain of the one
    that this one takes over from, PEM, "" where that is of another authority, or where there is none."""

    account: AcmeAccount
    names: tuple[str, ...]
    key: str = field(repr=False)
    method: ProofMethod
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What has to be seen before the authority believes that `host` is ours.

    value: what an HTTP client gets for `token`, or the digest's source for tls-alpn-01 (the key authorization, RFC 8555
    §8.1); for dns-01, the text of the TXT record.
    """

    method: ProofMethod
    host: str
    token: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An account, as its authority knows it. uri: its URL. caa_names: what CAA records call that authority, none where
    it does not say."""

    uri: str
    caa_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalInfo:
    """When an authority would have a certificate renewed: between start and end. page: the URL of why, "" for none."""

    start: Instant
    end: Instant
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """chain: PEM, the certificate for the order's key first. renewal: None where the authority says nothing of it."""

    chain: str
    registration: Registration
    renewal: RenewalInfo | None = None


class NotIssued(Exception):
    """reason: one sentence with the host name and what to do. not_before: when the authority wants to be asked again,
    None where it said nothing."""

    def __init__(self, reason: str, *, not_before: Instant | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.not_before = not_before


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceFailure:
    """Of one certificate, since it was last issued. name: the certificate's. order: tells the same order from another
    one for it. tries: in a row."""

    name: str
    order: str
    reason: str
    tries: int
    failed_at: Instant
    retry_at: Instant
