"""Certificates in short: what they are good for, until when, and why one was not renewed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.instant import DAY_MS, Instant, from_iso
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.resource import CertificateBody, Kind, Resource, body_of

FEW_DAYS = 14
"""With so many left, somebody should have a look at why a certificate was not renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFigures:
    """days_left: None where it cannot be read. failure: why it was not renewed, "" where nothing failed."""

    name: str
    issuer: str
    names: tuple[str, ...]
    not_after: str
    days_left: int | None
    failure: str

    @property
    def is_urgent(self) -> bool:
        return self.days_left is None or self.days_left < FEW_DAYS


def figures_of(
    held: Mapping[tuple[Kind, str], Resource], failures: Mapping[str, IssuanceFailure], now: Instant
) -> Sequence[CertificateFigures]:
    """Of those among them."""
    return [
        _figures(name, body_of(CertificateBody, resource), failures.get(name), now)
        for (kind, name), resource in sorted(held.items())
        if kind is Kind.CERTIFICATE
    ]


def _figures(name: str, body: CertificateBody, failure: IssuanceFailure | None, now: Instant) -> CertificateFigures:
    ends = from_iso(body.not_after)
    return CertificateFigures(
        name=name,
        issuer=body.issuer,
        names=body.names,
        not_after=body.not_after,
        days_left=None if ends is None else max((ends - now) // DAY_MS, 0),
        failure="" if failure is None else failure.reason,
    )
