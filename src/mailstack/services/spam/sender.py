"""What the server knows of who brought a mail: at delivery from what it found out, and of a stored message from what it
wrote on top of it then. Both are the same, so that what is learned is what is judged.
"""

import re
from collections.abc import Sequence

from mailstack.formats.authres import results_by
from mailstack.formats.dates import parse_date
from mailstack.formats.headers import Field, first, scan_fields, unfold
from mailstack.model.greylist import network_of
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import Authentication, DkimResult, DmarcResult
from mailstack.services.inbound.results_read import authentication_in
from mailstack.spam.correspondent import speaks_for
from mailstack.spam.sender import Sender

# As services.inbound.trace.received_field writes it.
_RECEIVED = re.compile(rb"from (\S++) \((?:(\S++) )?+\[(?:IPv6:)?+([^\]\s]++)\]\)\s++by (\S++) with (\S++) ")


def sender_of(
    found: Authentication, *, peer_host: str, peer_name: str, ehlo_domain: str, protocol: str, reverse_path: str
) -> Sender:
    """peer_name, ehlo_domain, protocol: as Received has them."""
    passed = [verdict.domain for verdict in found.dkim if verdict.result is DkimResult.PASS]
    others = [verdict.result for verdict in found.dkim]
    is_proven = found.dmarc.result is DmarcResult.PASS
    author, signer = found.dmarc.from_domain, next(iter(passed), "")
    return Sender(
        network=_network(peer_host),
        host=peer_name,
        helo=ehlo_domain,
        mail_from_domain=reverse_path.rpartition("@")[2],
        verified_domain=author if is_proven else next((one for one in passed if speaks_for(one, author)), signer),
        is_tls="TPS" in protocol,  # RFC 3848 §1: ESMTPS, ESMTPSA
        iprev=found.iprev.result,
        spf=found.mail_from.result,
        dkim=DkimResult.PASS if passed else next(iter(others), DkimResult.NONE),
        dmarc=found.dmarc.result,
    )


def _network(host: str) -> str:
    try:
        return network_of(host)
    except ValueError:
        return host


def sender_in(raw: RawMessage, hostname: str) -> Sender | None:
    """Of a message as it lies in a mailbox. hostname: ours. None where we have checked nobody: it was submitted or put
    there, or somebody brought it whom the spec trusts.
    """
    fields = scan_fields(raw)
    _, way = _own_received(fields, hostname)
    found = checks_in(raw, hostname)
    if found is None or way is None:
        return None
    ehlo_domain, peer_name, peer_host, _, protocol = ((part or b"").decode("utf-8", "replace") for part in way.groups())
    return sender_of(
        found,
        peer_host=peer_host,
        peer_name=peer_name,
        ehlo_domain=ehlo_domain,
        protocol=protocol,
        reverse_path=path_in(fields),
    )


def checks_in(raw: RawMessage, hostname: str) -> Authentication | None:
    """What we found of who brought it, as sender_in has it."""
    received, _ = _own_received(scan_fields(raw), hostname)
    if received is None:
        return None
    # What stands below our own Received came with the mail.
    return authentication_in(results_by(raw[: received.start], (hostname.lower(),)))


def as_it_came(raw: RawMessage, hostname: str) -> RawMessage:
    """Without what we wrote on top of it."""
    received, _ = _own_received(scan_fields(raw), hostname)
    return raw if received is None else raw[received.end :]


def path_in(fields: Sequence[Field]) -> str:
    """RFC 5321 §4.4: the reverse path, as Return-Path has it."""
    path = first(fields, b"return-path") or b""
    return path.decode("utf-8", "replace").removeprefix("<").removesuffix(">")


def arrival_in(raw: RawMessage, hostname: str) -> tuple[str, Instant]:
    """The address of who brought it and when, of a message as sender_in has it; "" and the beginning of time where it
    did not come from outside."""
    received, way = _own_received(scan_fields(raw), hostname)
    if received is None or way is None:
        return "", Instant(0)
    received_at = parse_date(unfold(received.value).rpartition(b";")[2])
    return way[3].decode("utf-8", "replace"), Instant(0) if received_at is None else received_at


def _own_received(fields: Sequence[Field], hostname: str) -> tuple[Field | None, re.Match[bytes] | None]:
    """The topmost, if we wrote it."""
    received = next((field for field in fields if field.name == b"received"), None)
    way = None if received is None else _RECEIVED.match(unfold(received.value))
    if way is None or way[4].lower() != hostname.lower().encode():
        return None, None
    return received, way
