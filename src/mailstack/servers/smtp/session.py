"""What a connection remembers between commands. RFC 5321 §4.1.4, RFC 3207 §4.2."""

from dataclasses import dataclass

from mailstack.model.principal import Account
from mailstack.servers.smtp.chunks import Chunks
from mailstack.services.inbound.mail import InboundMail


@dataclass(slots=True)
class Session:
    """Forgotten at STARTTLS, but for the counters of offences, which are the connection's.

    ehlo_domain: "" before EHLO or HELO. mail: the transaction between MAIL and the end of DATA.
    chunks: what BDAT has brought of it, None before the first.
    """

    ehlo_domain: str = ""
    is_extended: bool = False
    account: Account | None = None
    mail: InboundMail | None = None
    chunks: Chunks | None = None

    def end_transaction(self) -> None:
        """What came of it is forgotten; may be repeated."""
        self.mail = None
        if self.chunks is not None:
            self.chunks.close()
            self.chunks = None


@dataclass(slots=True)
class Offences:
    bad_commands: int = 0
    unknown_recipients: int = 0
    failed_logins: int = 0
    transactions: int = 0
