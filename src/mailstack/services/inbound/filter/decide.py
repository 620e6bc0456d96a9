"""The scripts of one account, one after the other, over one mail. Finds out and does nothing: that is carry_out's.

A script whose end is that the mail is kept hands it on, as it edited and flagged it, to the next; else the others do
not run. One that fails is as one that does nothing but keep. RFC 5228 §2.10. Mail that the account's own script has
filed or sent on is answered all the same where its user is away.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from mailstack.model.errors import TryAgainLater
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Letter, complete, release
from mailstack.services.inbound.filter.context import judged_of, mail_for, with_score
from mailstack.services.inbound.filter.knowledge import Knowledge
from mailstack.services.inbound.filter.shelf import OnShelf, Origin
from mailstack.services.inbound.filter.verdict import Ran, Verdict
from mailstack.services.spam.policies import Policies
from mailstack.sieve.actions import Action, FileInto, Keep, Redirect, Reject, Vacation
from mailstack.sieve.facts import Fact, Wanted
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import LIMITS
from mailstack.sieve.run import Mail, Outcome, Script, run

DELIVERY_LIMITS = replace(LIMITS, steps=100_000)
AT_ONCE_OCTETS = 64 * 1024
AT_ONCE_LIMITS = replace(LIMITS, steps=5_000)
"""A run holds up all other connections of its process: for so many steps or octets, some milliseconds. What takes
longer is run in a thread, once more from its beginning."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """hostname: ours."""

    knowledge: Knowledge
    hostname: str
    policies: Policies

    async def verdict(self, letter: Letter, account: Account, raw: RawMessage | None = None) -> Verdict | None:
        """As services.inbound.deliver.MailFilter has it."""
        scripts = await self.knowledge.shelf.scripts_of(account)
        if not scripts:
            return None
        domain = await self.knowledge.accounts.domain(account.login.rpartition("@")[2])
        whole = await complete(letter) if raw is None else raw
        try:
            mail = mail_for(letter, whole, account, hostname=self.hostname, domain=domain)
            mail = with_score(mail, judged_of(letter, account, self.policies.of(account)))
            return await self._all(scripts, mail, account, letter.trace_id)
        finally:
            if whole is not raw:
                release(whole)

    async def _all(self, scripts: Sequence[OnShelf], mail: Mail, account: Account, trace_id: str) -> Verdict:
        done: list[Action] = []
        ran: list[Ran] = []
        kept = Keep(is_implicit=True)
        ended_by: Origin | None = None
        for script in scripts:
            if script.origin is Origin.VACATION:
                if not _may_answer(done, ended_by):
                    continue
            elif ended_by is not None:
                break
            outcome = await self._outcome(script, mail, account, trace_id)
            ran.append(_ran(script, outcome))
            if outcome.fault:
                _log_fault(ran[-1], account, trace_id)
                continue
            done += [_as_edited(action, kept.raw) for action in outcome.actions if not isinstance(action, Keep)]
            found = next((action for action in outcome.actions if isinstance(action, Keep)), None)
            if found is None:
                ended_by = script.origin
            if found is None or ended_by is not None:
                continue
            raw = kept.raw if found.raw is None else found.raw
            kept = replace(found, raw=raw)
            mail = replace(mail, raw=mail.raw if raw is None else raw, flags=found.flags or ())
        return Verdict(actions=(*done, kept) if ended_by is None else tuple(done), ran=tuple(ran))

    async def _outcome(self, script: OnShelf, mail: Mail, account: Account, trace_id: str) -> Outcome:
        try:
            return await self._ran(script, mail, account)
        except TryAgainLater:
            raise
        except Exception:  # a bug met here must not keep a mail from coming in
            log.exception("script not run", trace=trace_id, account=account.login, script=script.name)
            return Outcome(actions=(Keep(is_implicit=True),), fault="the server met a bug of its own")

    async def _ran(self, script: OnShelf, mail: Mail, account: Account) -> Outcome:
        compiled = await self.knowledge.shelf.compiled(script.content)
        if isinstance(compiled, Broken):
            return Outcome(actions=(Keep(is_implicit=True),), fault=f"it does not compile: {compiled.faults[0]}")
        facts: dict[Fact, object] = {}
        while isinstance(found := await run_aside(compiled, mail, facts), Wanted):
            facts[found.fact] = await self.knowledge.answer(found.fact, account, now=mail.received_at)
        return found


def _may_answer(done: Sequence[Action], ended_by: Origin | None) -> bool:
    """Whether there is an answer, where its user is away, to a mail that was dealt with so. One that the account's own
    script gives is the only one (RFC 5230 §4.7); what that refuses or throws away gets none."""
    if any(isinstance(action, Vacation) for action in done):
        return False
    if ended_by is None:
        return True
    is_used = any(isinstance(action, FileInto | Redirect) for action in done)
    is_refused = any(isinstance(action, Reject) for action in done)
    return ended_by in (Origin.OWN, Origin.SPEC) and is_used and not is_refused


async def run_aside(script: Script, mail: Mail, facts: Mapping[Fact, object]) -> Outcome | Wanted:
    if len(mail.raw) <= AT_ONCE_OCTETS:
        found = run(script, mail, facts, limits=AT_ONCE_LIMITS)
        if isinstance(found, Wanted) or not found.is_out_of_steps:
            return found
    return await asyncio.to_thread(run, script, mail, facts, limits=DELIVERY_LIMITS)


def _ran(script: OnShelf, outcome: Outcome) -> Ran:
    return Ran(
        name=script.name,
        origin=script.origin,
        fault=outcome.fault,
        content=script.content,
        actions=outcome.actions,
        trace=outcome.trace,
    )


def _log_fault(ran: Ran, account: Account, trace_id: str) -> None:
    log.warning(
        "filter failed",
        trace=trace_id,
        account=account.login,
        script=ran.name,
        origin=ran.origin.value,
        fault=ran.fault,
    )


def _as_edited(action: Action, edited: RawMessage | None) -> Action:
    """What an earlier script made of the mail is what the next one has files and sends."""
    if isinstance(action, FileInto | Redirect) and action.raw is None and edited is not None:
        return replace(action, raw=edited)
    return action
