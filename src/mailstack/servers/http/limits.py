"""Every bound on what an HTTP client may send or make us wait for, by name. RFC 9110 §17, RFC 9112 §11."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """connections_per_ip and streams_per_account come from the spec; the others are ours. A route may want smaller
    bodies (max_body_size)."""

    connections_per_ip: int = 20
    connections: int = 2_000
    # Connections that have left HTTP for a stream of events or a WebSocket: they count for their account alone.
    streams_per_account: int = 100
    streams: int = 4_000
    # RFC 9112 §3: request lines of 8000 octets at least.
    target_bytes: int = 8_000
    # RFC 9110 §5.4: what is larger than we wish is refused, never ignored.
    head_bytes: int = 32 * 1024
    fields: int = 100
    body_bytes: int = 64 * 1024 * 1024
    # What is read on and thrown away of a body that nobody wanted, before the connection is cut.
    surplus_bytes: int = 1024 * 1024
    # Chunk sizes, extensions and trailers, besides eight octets for each octet of content.
    framing_bytes: int = 16 * 1024
    pipelined: int = 16
    requests: int = 256
    # RFC 9110 §15.5.9: a head or a body that trickles in (slow loris) is not waited for.
    head_s: float = 10
    # A body that is long may take long, as long as each such time brings so many octets of it.
    body_s: float = 60
    body_step_bytes: int = 256 * 1024
    write_s: float = 60
    keep_alive_s: float = 30
    # RFC 9112 §9.6: how long what is not read any more keeps coming in after a refusal.
    linger_s: float = 2
    # What comes before an upgrade is agreed to.
    ahead_bytes: int = 64 * 1024
