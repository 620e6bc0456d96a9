"""What a session holds of the messages that a client is sending: where they go, and their octets in a spool."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.net.spool import Spool
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.commands.replace import Replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The mailbox of APPEND. room_octets: what the account's quota leaves; None where there is none."""

    mail: AccountMail
    mailbox_id: MailboxId
    uid_validity: int
    room_octets: int | None


@dataclass(slots=True, kw_only=True)
class Receipt:
    """request: as far as it has come. target: None until it was looked for. binary: which messages, from 1, have text
    that came as a literal8. fault: why octets were lost.
    """

    request: Append | Replace
    spool: Spool = field(default_factory=Spool)
    target: Target | None = None
    binary: set[int] = field(default_factory=set)
    fault: TryAgainLater | None = None

    def keep(self, octets: bytes) -> None:
        if self.fault is not None:
            return
        try:
            self.spool.write(octets)
        except TryAgainLater as fault:
            # The rest of the literal is still to come and nowhere to go; the command says so at its end.
            self.spool.close()
            self.fault = fault

    def arrivals(self, now: Instant) -> Sequence[Arrival]:
        """Once all is there. Raises TryAgainLater."""
        if self.fault is not None:
            raise self.fault
        return [
            Arrival(
                raw=raw,
                flags=upload.flags,
                received_at=now if upload.received_at is None else upload.received_at,
                is_binary=number in self.binary,
            )
            for number, (upload, raw) in enumerate(zip(self.request.uploads, self.spool.messages(), strict=True), 1)
        ]
