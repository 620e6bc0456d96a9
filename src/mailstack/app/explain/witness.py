"""Who looks on while a mail is taken: what each stage got and came to, and what DNS was asked. It changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TypeVar

from mailstack.app.explain.explanation import Question
from mailstack.formats.headers import header_end
from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.ports.resolver import IpVersion, MailExchanger, Resolver
from mailstack.services.inbound.mail import Decision, InboundMail
from mailstack.services.inbound.pipeline import STAGES, Phase, Stage
from mailstack.services.inbound.stages.receiving import Receiving

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """stage: its function's name. mail: as the stage got it; of a large message the header alone."""

    stage: str
    mail: InboundMail
    came_to: InboundMail | Decision | DomainError


class Witness:
    """stages: those of the pipeline, each of which tells what it came to."""

    def __init__(self) -> None:
        self._observations: list[Observation] = []

    def stages(self) -> Mapping[Phase, tuple[Stage, ...]]:
        return {phase: tuple(map(self._observed, stages)) for phase, stages in STAGES.items()}

    def take(self) -> tuple[Observation, ...]:
        """Each once."""
        taken = tuple(self._observations)
        self._observations.clear()
        return taken

    def _observed(self, stage: Stage) -> Stage:
        @wraps(stage)
        async def observed(receiving: Receiving, mail: InboundMail) -> InboundMail | Decision:
            try:
                found = await stage(receiving, mail)
            except DomainError as fault:
                self._note(stage, mail, fault)
                raise
            self._note(stage, mail, found)
            return found

        return observed

    def _note(self, stage: Stage, mail: InboundMail, came_to: InboundMail | Decision | DomainError) -> None:
        name: str = getattr(stage, "__name__", "stage")
        if isinstance(came_to, InboundMail):
            came_to = _lasting(came_to)
        self._observations.append(Observation(stage=name, mail=_lasting(mail), came_to=came_to))


def _lasting(mail: InboundMail) -> InboundMail:
    """A message in a file is there until the reply only, and is told of after it."""
    if isinstance(mail.raw, bytes):
        return mail
    return replace(mail, raw=mail.raw[: header_end(mail.raw)], routed=None)


class NotedResolver:
    """Works as ports.resolver.Resolver, and answers as the one behind it does."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._asked: dict[tuple[str, str], Question] = {}

    def questions(self) -> tuple[Question, ...]:
        """By name: checks ask side by side, and whose answer comes first says nothing."""
        return tuple(self._asked[key] for key in sorted(self._asked))

    def answer(self, name: str, record_type: str) -> Question | None:
        """Whenever it was asked; None where nobody has asked."""
        return self._asked.get((name.rstrip(".").lower(), record_type))

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return await self._noted(domain, "MX", self._resolver.mail_exchangers(domain), _exchanger)

    async def addresses(self, host: str) -> Sequence[str]:
        return await self._noted(host, "A, AAAA", self._resolver.addresses(host), str)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        record_type = "AAAA" if version == 6 else "A"
        return await self._noted(host, record_type, self._resolver.addresses_of(host, version), str)

    async def names_of(self, address: str) -> Sequence[str]:
        return await self._noted(address, "PTR", self._resolver.names_of(address), str)

    async def texts(self, name: str) -> Sequence[str]:
        return await self._noted(name, "TXT", self._resolver.texts(name), str)

    async def _noted(
        self, name: str, record_type: str, answer: Awaitable[Sequence[Value]], shown: Callable[[Value], str]
    ) -> Sequence[Value]:
        try:
            found = await answer
        except TryAgainLater as fault:
            self._note(Question(name=name, type=record_type, failure=fault.detail))
            raise
        except asyncio.CancelledError:
            self._note(Question(name=name, type=record_type, failure="no answer within the time for this mail"))
            raise
        self._note(Question(name=name, type=record_type, answers=tuple(map(shown, found))))
        return found

    def _note(self, question: Question) -> None:
        self._asked[(question.name.rstrip(".").lower(), question.type)] = question


def _exchanger(exchanger: MailExchanger) -> str:
    return f"{exchanger.preference} {exchanger.host or '.'}"
