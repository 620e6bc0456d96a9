"""A transport that goes nowhere: it notes what it was given and answers as a test says."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailstack.model.delivery import Deferred, Delivered, Envelope, Failed, NextHop, Outcome, SmtpReply

OK = SmtpReply(code=250, status="2.0.0", text="ok")


@dataclass(frozen=True, slots=True)
class Handed:
    hop: NextHop
    envelope: Envelope
    content: bytes

    @property
    def reverse_path(self) -> str:
        return self.envelope.reverse_path

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(recipient.address for recipient in self.envelope.recipients)


def no_such_mailbox(status: str = "5.1.1") -> Callable[[str, str], Outcome]:
    """In reply to RCPT."""

    def make(asked: str, _recipient: str) -> Outcome:
        reply = SmtpReply(code=550, status=status, text="no such mailbox")
        return Failed(reply=reply, host=asked, is_of_recipient=True)

    return make


def answer(
    code: int, status: str, text: str = "", *, host: str | None = None, is_turned_away: bool = False
) -> Callable[[str, str], Outcome]:
    """For (host, recipient): that reply, said by the host asked unless `host` says otherwise."""

    def make(asked: str, _recipient: str) -> Outcome:
        reply = SmtpReply(code=code, status=status, text=text)
        said_by = asked if host is None else host
        if code < 300:
            return Delivered(reply=reply, host=said_by)
        kind = Deferred if code < 500 else Failed
        return kind(reply=reply, host=said_by, is_turned_away=is_turned_away)

    return make


@dataclass
class MemoryTransport:
    """Works as ports.transport.Transport. answers: by recipient, then by host; others are delivered. gate: set to let
    deliveries through. fault: raised, as a bug would be."""

    answers: dict[str, Callable[[str, str], Outcome]] = field(default_factory=dict)
    handed: list[Handed] = field(default_factory=list)
    gate: asyncio.Event | None = None
    fault: Exception | None = None
    in_flight: int = 0
    most_in_flight: int = 0
    is_closed: bool = False

    async def deliver(self, hop: NextHop, envelope: Envelope, content: bytes) -> Sequence[Outcome]:
        self.handed.append(Handed(hop, envelope, content))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.fault is not None:
                raise self.fault
            return [self._answer(hop.host, recipient.address) for recipient in envelope.recipients]
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        self.is_closed = True

    def _answer(self, host: str, recipient: str) -> Outcome:
        for key in (recipient, host):
            if key in self.answers:
                return self.answers[key](host, recipient)
        return Delivered(reply=OK, host=host)
