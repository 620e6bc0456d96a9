"""What a mail scores: the model's points, and those of all who have something to say of it. None of them can keep a
mail from coming in: who fails, or is late, has found nothing.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import Finding, Score
from mailstack.ports.scanner import Scanned
from mailstack.services.spam.examined import Examined
from mailstack.spam.judge import Models, judge, reasons
from mailstack.spam.model import Model

WORDS, OWN_WORDS = "words", "own-words"
"""Rules: what the shared model says, and what it says together with an account's own."""
REASONS = 5
"""Features that are named for the model's points."""

Told = Scanned | Sequence[Finding]

log = structlog.get_logger()


class Source(Protocol):
    """Somebody who knows something of a mail, whoever it is for. Has a deadline of its own."""

    async def findings(self, mail: Examined) -> Sequence[Finding]: ...


class AccountSource(Protocol):
    """Likewise, for one of those who would get it."""

    async def findings(self, mail: Examined, account: Account) -> Sequence[Finding]: ...


class Scans(Protocol):
    """An engine beside us, as services.spam.engine asks it."""

    async def scanned(self, mail: Examined) -> Scanned: ...


class SpamModels(Protocol):
    """What was learned."""

    @property
    def shared(self) -> Model: ...

    async def of_account(self, account_id: AccountId) -> Model | None:
        """None: it was taught nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """sources: of this machine, asked in turn, for a task of its own would take each longer than what it does.
    elsewhere and engines: who ask others, side by side. Findings are told in that order."""

    models: SpamModels
    sources: Sequence[Source] = ()
    elsewhere: Sequence[Source] = ()
    account_sources: Sequence[AccountSource] = ()
    engines: Sequence[Scans] = ()

    async def scores(self, mail: Examined, accounts: Sequence[Account | None]) -> Mapping[AccountId | None, Score]:
        """By account; None: for whoever has none here. What all of them share is found once."""
        answers = [await _answer(source.findings(mail)) for source in self.sources]
        asked: list[Awaitable[Told]] = [source.findings(mail) for source in self.elsewhere]
        asked += [engine.scanned(mail) for engine in self.engines]
        told = _told([*answers, *await _side_by_side(asked)], mail)
        of_mail = _findings(told)
        infected = next((each for each in told if each.virus), Scanned())
        is_virus_checked = any(each.is_virus_checked for each in told)
        shared: Sequence[Finding] | None = None
        found: dict[AccountId | None, Score] = {}
        for account in accounts:
            of_account = () if account is None else await self._found_for(account, mail)
            model = None if account is None else await self._model_of(account, mail)
            if model is None:
                words = shared = self._words(mail) if shared is None else shared
            else:
                words = self._words(mail, model)
                await asyncio.sleep(0)  # others wait meanwhile, and of a mail to hundreds it would be long
            account_id = None if account is None else account.account_id
            found[account_id] = Score(
                findings=(*words, *of_mail, *of_account),
                virus=infected.virus,
                keeps_virus=infected.keeps_virus,
                is_virus_checked=is_virus_checked,
            )
        return found

    async def _found_for(self, account: Account, mail: Examined) -> Sequence[Finding]:
        answers = [await _answer(source.findings(mail, account)) for source in self.account_sources]
        return _findings(_told(answers, mail))

    async def _model_of(self, account: Account, mail: Examined) -> Model | None:
        try:
            return await self.models.of_account(account.account_id)
        except DomainError as fault:
            log.warning("no model of its own", trace=mail.trace_id, account=account.login, fault=repr(fault))
            return None

    def _words(self, mail: Examined, account: Model | None = None) -> Sequence[Finding]:
        models = Models(shared=self.models.shared, account=account)
        judged = judge(mail.features, models)
        points = round(judged.points, 1)
        # To name them takes longer than to judge, and of ham nobody asks.
        named = reasons(mail.features, models, most=REASONS) if points > 0 else ()
        why = ", ".join(f"{reason.name} {reason.points:+.1f}" for reason in named)
        rule = WORDS if account is None else OWN_WORDS
        return (Finding(rule=rule, points=points, why=why),) if points else ()


def _told(answers: Sequence[Told | BaseException], mail: Examined) -> Sequence[Scanned]:
    """Of those who answer."""
    found: list[Scanned] = []
    for answer in answers:
        if isinstance(answer, DomainError):
            log.info("not asked for spam", trace=mail.trace_id, fault=repr(answer))
        elif isinstance(answer, Exception):  # a bug met here must not keep a mail from coming in
            log.error("spam source failed", trace=mail.trace_id, exc_info=answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.append(answer if isinstance(answer, Scanned) else Scanned(findings=answer))
    return found


async def _side_by_side(asked: Sequence[Awaitable[Told]]) -> Sequence[Told | BaseException]:
    if len(asked) > 1:
        return await asyncio.gather(*asked, return_exceptions=True)
    return [await _answer(one) for one in asked]


async def _answer(asked: Awaitable[Told]) -> Told | BaseException:
    try:
        return await asked
    except Exception as fault:  # noqa: BLE001  as of several, it is logged with the mail
        return fault


def _findings(told: Sequence[Scanned]) -> Sequence[Finding]:
    return tuple(chain.from_iterable(each.findings for each in told))
