"""Every bound on what an SMTP peer may send, by name. RFC 5321 §4.5.3."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """message_bytes, recipients, connections_per_ip and _per_account come from the spec; the others are ours."""

    message_bytes: int = 50 * 1024 * 1024
    recipients: int = 100
    connections_per_ip: int = 20
    connections_per_account: int = 100
    connections: int = 4_000
    # RFC 5321 §4.5.3.1.4: 512 octets, more for each extension; AUTH brings up to 12288 (RFC 4954 §4).
    command_bytes: int = 2_048
    auth_bytes: int = 12_288 + 64
    # RFC 5321 §4.5.3.1.3: 256 octets; long return paths of mailing lists and of SRS are seen.
    path_bytes: int = 512
    # RFC 5321 §4.5.3.1.6: 1000 octets with CRLF; programs send whole HTML pages in one line.
    text_line_bytes: int = 1 << 20
    # What is read on and thrown away of a message that is too large, before the connection is cut.
    surplus_bytes: int = 64 * 1024 * 1024
    # RFC 5321 §4.5.3.2.7: at least 5 minutes, for a whole command line, and for each piece of a message.
    wait_s: float = 300
    handshake_s: float = 60
    bad_commands: int = 10
    unknown_recipients: int = 20
    # Of those, so many are answered at once; how long the next ones wait, and in how many connections at a time.
    slips: int = 3
    first_delay_s: float = 1
    longest_delay_s: float = 16
    held_up: int = 200
    failed_logins: int = 3
    transactions: int = 1_000
