"""ports.dmarc_evidence.DmarcEvidence in memory: aggregate reports as receivers send them, and what they add up to."""

from dataclasses import dataclass, field

from mailstack.model.instant import Instant
from mailstack.ports.dmarc_evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """RFC 9990: of one domain and period, by one receiver, who gives it an id of its own. failing: of messages."""

    receiver: str
    report_id: str
    domain: str
    begins: Instant
    messages: int
    failing: int


@dataclass(slots=True)
class MemoryReports:
    _reports: dict[tuple[str, str], Report] = field(default_factory=dict)

    async def receive(self, report: Report) -> None:
        self._reports.setdefault((report.receiver, report.report_id), report)

    async def reported(self, domain: str, since: Instant) -> Evidence | None:
        found = [one for one in self._reports.values() if one.domain == domain and one.begins >= since]
        return Evidence(
            reports=len(found),
            messages=sum(one.messages for one in found),
            failing=sum(one.failing for one in found),
        )
