"""What a connection remembers between commands. RFC 5321 §4.1.4, RFC 3207 §4.2."""

from dataclasses import dataclass

from mailstack.model.principal import Account


@dataclass(slots=True)
class Session:
    """Forgotten at STARTTLS, but for the counters of offences, which are the connection's.

    ehlo_domain: "" before EHLO or HELO.
    """

    ehlo_domain: str = ""
    is_extended: bool = False
    account: Account | None = None


@dataclass(slots=True)
class Offences:
    bad_commands: int = 0
    unknown_recipients: int = 0
    failed_logins: int = 0
    transactions: int = 0
