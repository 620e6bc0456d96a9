"""What receivers do with mail that only looks like the domain's, and whom they tell. RFC 9989, RFC 9990 §4."""

from collections.abc import Iterator
from urllib.parse import quote

from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.sections.domains import Dmarc

AUTO = "auto"


def dmarc_records(name: str, dmarc: Dmarc, stage: str | None) -> Iterator[RecordSet]:
    """stage: of a policy that tightens itself, None for one that has not begun to."""
    policy = stage or first_stage(dmarc) if dmarc.policy == AUTO else dmarc.policy
    yield text_record(f"_dmarc.{name}", "; ".join(("v=DMARC1", *_tags(dmarc, policy))))
    if dmarc.reports_to is None:
        return
    receiver = dmarc.reports_to.rpartition("@")[2]
    if not _is_within(name, receiver) and not _is_within(receiver, name):
        # RFC 9990 §4: another domain must say that it takes the reports.
        yield text_record(f"{name}._report._dmarc.{receiver}", "v=DMARC1")


def mailto(address: str) -> str:
    # RFC 9989 §4.8: "," and "!" must be encoded in a URI of a report list; RFC 6068 §2 for the rest.
    return f"mailto:{quote(address, safe='@+=')}"


def first_stage(dmarc: Dmarc) -> str:
    return "none" if dmarc.stages.none else stage_after("none", dmarc) or "reject"


def stage_after(stage: str, dmarc: Dmarc) -> str | None:
    """None after the last."""
    if stage == "none" and dmarc.stages.quarantine:
        return "quarantine"
    return None if stage == "reject" else "reject"


def _tags(dmarc: Dmarc, policy: str) -> Iterator[str]:
    """RFC 9989 §4.7; the policy first, for receivers that still read as RFC 7489 §6.3 has it."""
    yield f"p={policy}"
    if dmarc.subdomains is not None:
        yield f"sp={dmarc.subdomains}"
    if dmarc.nonexistent is not None:
        yield f"np={dmarc.nonexistent}"
    if dmarc.testing:
        yield "t=y"
    if "dkim" in dmarc.strict:
        yield "adkim=s"
    if "spf" in dmarc.strict:
        yield "aspf=s"
    if dmarc.reports_to is not None:
        yield f"rua={mailto(dmarc.reports_to)}"


def _is_within(name: str, parent: str) -> bool:
    return name == parent or name.endswith(f".{parent}")
