"""A mail server on loopback that takes everything and remembers it, but for mail to nobody: where outbound mail ends in
scenarios."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.running import DEADLINE_S


@dataclass(frozen=True, slots=True)
class Taken:
    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class Sink:
    """when_taken: called before the reply to a mail."""

    port: int = 0
    when_taken: Callable[[], None] = lambda: None
    _taken: list[Taken] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def taken(self) -> tuple[Taken, ...]:
        with self._guard:
            return tuple(self._taken)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 taken"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        assert isinstance(envelope.content, bytes)
        with self._guard:
            self._taken.append(Taken(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content))
        self.when_taken()
        return "250 2.0.0 taken"


@contextmanager
def running_sink(port: int) -> Iterator[Sink]:
    sink = Sink(port=port)
    controller = Controller(sink, hostname="127.0.0.1", port=port, ready_timeout=DEADLINE_S)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
