"""A message as it lies in a mailbox or a file, looked at as when it came: `mailstack spam score`."""

from mailstack.formats.headers import scan_fields
from mailstack.formats.received import last_hop
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.services.spam.correspondents import author_in
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.sender import arrival_in, as_it_came, checks_in, path_in, sender_in
from mailstack.spam.features import features_in
from mailstack.spam.seen import look_at


def examine_stored(stored: RawMessage, hostname: str, *, now: Instant) -> Examined:
    """hostname: ours, whose fields on top are believed. now: where nobody on the way has said when it came."""
    raw, sender = as_it_came(stored, hostname), sender_in(stored, hostname)
    seen, fields = look_at(raw), scan_fields(stored)
    peer_host, received_at = arrival_in(stored, hostname)
    return Examined(
        raw=raw,
        seen=seen,
        features=features_in(seen, sender),
        sender=sender,
        authentication=checks_in(stored, hostname),
        author=author_in(seen.root.fields),
        peer_host="" if sender is None else peer_host,
        ehlo_domain="" if sender is None else sender.helo,
        reverse_path=path_in(fields),
        # To be old is nothing odd in a mail that came long ago.
        received_at=received_at or last_hop(fields) or now,
        trace_id="",
    )
