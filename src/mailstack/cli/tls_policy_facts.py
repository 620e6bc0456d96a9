"""What `mailstack tls policy` says: the values that JSON shows, and lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, told, when_text
from mailstack.cli.way_facts import least_lines

if TYPE_CHECKING:
    from mailstack.model.tls_policy import StsMemory, TlsPolicy
    from mailstack.services.outbound.outlook import HostOutlook, Outlook
    from mailstack.services.outbound.route import Route


def outlook_facts(found: "Outlook", route: "Route | None", least: Facts, *, is_validating: bool) -> Facts:
    """route, least: as of mailstack.cli.way_facts."""
    from mailstack.services.outbound.route import Relay

    return {
        "domain": found.domain,
        "dnssec": {"is_asked_for": is_validating, "vouches_for_exchangers": found.is_secure},
        "mta_sts": {"record_id": found.record_id, "record_fault": found.record_fault or None, **_sts_facts(found.sts)},
        **least,
        "relay": route.via.name if route is not None and isinstance(route.via, Relay) else None,
        "refusal": None if found.refusal is None else str(found.refusal),
        "exchangers": [_host_facts(host, least["least_tls"]) for host in found.hosts],
    }


def _sts_facts(memory: "StsMemory") -> Facts:
    from mailstack.mailauth.mtasts import expires_at

    known, failure = memory.known, memory.failure
    return {
        "mode": None if known is None else known.policy.mode.value,
        "mx": [] if known is None else list(known.policy.mx),
        "fetched_at": None if known is None else when_text(known.fetched_at),
        "ends_at": None if known is None else when_text(expires_at(known)),
        "failure": None
        if failure is None
        else {"type": failure.failure.value, "reason": failure.detail, "at": when_text(failure.failed_at)},
    }


def _host_facts(host: "HostOutlook", least: str | None) -> Facts:
    from mailstack.model.tls_policy import Dane

    policy = host.policy
    return {
        "host": host.host,
        "preference": host.preference,
        "is_tried": not host.trouble,
        "policy": None if policy is None else policy.word,
        "tlsa": [str(record) for record in policy.records] if isinstance(policy, Dane) else [],
        "why": host.trouble or _demand(policy, least),
    }


def _demand(policy: "TlsPolicy | None", least: str | None) -> str:
    from mailstack.model.tls_policy import Dane, LeastTls, Required, Sts

    match policy:
        case Dane():
            return "TLS, under a certificate that its TLSA records name"
        case Sts(is_testing=False):
            return "TLS, under a certificate for its name"
        case _ if least == LeastTls.VERIFIED:
            return "TLS, under a certificate for its name, as this server asks"
        case Required(is_verified=False):
            return "TLS, under any certificate: its TLSA records are of no use"
        case _ if least == LeastTls.REQUIRED:
            return "TLS, under any certificate, as this server asks"
        case Sts():
            return "TLS where it is offered; what the policy would have stopped is noted"
        case _:
            return "TLS where it is offered, under any certificate"


def outlook_lines(facts: Facts) -> Iterator[str]:
    yield click.style(told("domain", facts["domain"]), bold=True)
    yield f"  DANE     {_dane_text(facts)}"
    yield f"  MTA-STS  {_sts_text(facts['mta_sts'])}"
    failure = facts["mta_sts"]["failure"]
    if failure is not None:
        yield f"           not fetched at {failure['at']} ({failure['type']}): {told('reason', failure['reason'])}"
    yield from least_lines(facts)
    if facts["relay"] is not None:
        relay = told("relay", facts["relay"])
        yield f"  goes by relay {relay}, which has TLS of its own; what would go straight there:"
    if facts["refusal"] is not None:
        yield f"  nobody to send to: {told('refusal', facts['refusal'])}"
    for host in facts["exchangers"]:
        word = host["policy"] if host["is_tried"] else "passed over"
        number = "" if host["preference"] is None else host["preference"]
        yield f"  {number:>5} {told('host', host['host'])}: {word}: {told('why', host['why'])}"
        for record in host["tlsa"]:
            yield f"          TLSA {record}"


def _dane_text(facts: Facts) -> str:
    if not facts["dnssec"]["is_asked_for"]:
        return "not looked for: dns.validating is off"
    if not facts["dnssec"]["vouches_for_exchangers"]:
        return "none: DNSSEC does not vouch for who takes its mail"
    return "of each exchanger that has TLSA records: DNSSEC vouches for who takes its mail"


def _sts_text(sts: Facts) -> str:
    if sts["mode"] is None:
        if sts["record_fault"] is not None:
            return f"not known: {told('fault', sts['record_fault'])}"
        return "no record" if sts["record_id"] is None else f"a record ({sts['record_id']}), but no policy"
    hosts = f", hosts {told('mx', sts['mx'])}" if sts["mx"] else ""
    record = "" if sts["record_id"] is not None else "; its record is gone"
    return f"{sts['mode']}{hosts}; fetched {sts['fetched_at']}, until {sts['ends_at']}{record}"
