"""From what a stage came to, to what people and programs read of it. Pure; one function for each stage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from mailstack.app.explain.explanation import Fact, Finding
from mailstack.app.explain.sender_findings import Answer, sender_findings, told
from mailstack.app.explain.witness import Observation
from mailstack.app.sieve_words import sentence
from mailstack.app.spec_tests.filtering import titled
from mailstack.formats.headers import header_end, scan_fields
from mailstack.mailauth.dkim.signed import LIMITS
from mailstack.model.dns_list import NEVER_LISTED, backwards, is_listing
from mailstack.model.errors import DomainError
from mailstack.model.principal import Account
from mailstack.model.spam import Finding as SpamFinding
from mailstack.model.verdict import (
    Authentication,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
)
from mailstack.services.inbound.filter.verdict import Ran, Verdict
from mailstack.services.inbound.mail import Accept, Decision, Defer, InboundMail, Reject
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from mailstack.services.inbound.vouched import is_vouched_for
from mailstack.services.lists.names import AtList, Purpose
from mailstack.sieve.actions import FileInto, Keep, Redirect
from mailstack.sieve.actions import Reject as Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """directory: what was looked up there. blocklists: zones. again: nobody is greylisted. is_live: who is known is
    asked of a server here. verdicts: of scripts, by login."""

    receiving: Receiving
    directory: Sequence[str]
    blocklists: Sequence[str]
    again: bool
    is_live: bool
    answer: Answer
    verdicts: Sequence[tuple[str, Verdict]] = ()


def findings_of(observation: Observation, scene: Scene) -> Iterator[Finding]:
    tell = _STAGES.get(observation.stage)
    if tell is None:
        yield _plain(observation.stage.replace("_", " "), observation.came_to)
    else:
        yield from tell(observation, scene)


def _plain(check: str, came_to: InboundMail | Decision | DomainError, **facts: Fact) -> Finding:
    """In the words that all stages share."""
    match came_to:
        case InboundMail():
            return Finding(check=check, result="passed", facts=facts)
        case Accept():
            return Finding(check=check, result="accepted", facts=facts)
        case Reject() | Defer():
            result = "refused" if isinstance(came_to, Reject) else "deferred"
            return Finding(check=check, result=result, reason=came_to.detail or came_to.told, facts=facts)
        case DomainError():
            return Finding(check=check, result="refused", reason=came_to.detail, facts=facts)


def _recipient(observation: Observation, scene: Scene) -> Iterator[Finding]:
    found = observation.came_to
    facts: dict[str, Fact] = {"directory": tuple(scene.directory)} if scene.directory else {}
    if isinstance(found, InboundMail) and (to := found.recipients[-1].resolution) is not None:
        if to.accounts:
            facts["accounts"] = tuple(account.login for account in to.accounts)
        beyond = (*to.external, *(target for onward in to.onward for target in onward.targets))
        if beyond:
            facts["elsewhere"] = beyond
        if to.lists:
            facts["lists"] = tuple(_at_list(each) for each in to.lists)
    yield _plain("recipient", found, **facts)


def _quota(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    # Who has how much is known to the server alone; what no empty mailbox holds is seen here too.
    if isinstance(observation.came_to, DomainError):
        yield _plain("quota", observation.came_to)


def _blocklists(observation: Observation, scene: Scene) -> Iterator[Finding]:
    if not scene.blocklists:
        return
    came_to, peer = observation.came_to, observation.mail.peer_host
    if scene.receiving.gate is not None and peer in scene.receiving.gate.trusted:
        yield Finding(check="blocklists", result="not asked", reason="the peer is in receiving.trusted_peers")
        return
    facts: dict[str, Fact] = {zone: _standing(scene.answer, zone, peer) for zone in scene.blocklists}
    if isinstance(came_to, InboundMail) and any(str(standing).startswith("listed") for standing in facts.values()):
        reason = "postmaster and abuse are reached all the same"
        yield Finding(check="blocklists", result="passed", reason=reason, facts=facts)
    else:
        yield _plain("blocklists", came_to, **facts)


def _standing(answer: Answer, zone: str, peer: str) -> str:
    question = backwards(peer)
    if question is None:
        return "not asked"
    found = answer(f"{question}.{zone}", "A")
    if found is None:
        return "does not answer: no answer in time"
    if found.failure:
        return f"does not answer: {found.failure}"
    listings = [item for item in found.answers if is_listing(item)]
    if not listings:
        return f"no listing: {', '.join(found.answers)}" if found.answers else "not listed"
    of_nobody = answer(f"{NEVER_LISTED}.{zone}", "A")
    if of_nobody is not None and any(map(is_listing, of_nobody.answers)):
        return "passed over: it has every address"
    return f"listed: {', '.join(listings)}"


def _greylist(observation: Observation, scene: Scene) -> Iterator[Finding]:
    gate, came_to = scene.receiving.gate, observation.came_to
    if scene.again:
        yield Finding(check="greylist", result="passed", reason="as if it came again (--again)")
    elif gate is None or gate.greylisting is None:
        return
    elif observation.mail.peer_host in gate.trusted:
        yield Finding(check="greylist", result="not asked", reason="the peer is in receiving.trusted_peers")
    elif isinstance(came_to, Defer):
        first = "" if scene.is_live else "; as a first mail of this network, sender and recipient"
        reason = f"{came_to.detail}{first}"
        yield Finding(check="greylist", result="deferred", reason=reason)
    else:
        reason = f"{'known already, or ' if scene.is_live else ''}the address has a confirmed name, and SPF passes"
        yield Finding(check="greylist", result="passed", reason=reason)


def _header(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    if not isinstance(observation.came_to, InboundMail):
        yield _plain("header", observation.came_to)


def _hops(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    raw = observation.mail.raw
    fields = scan_fields(raw, 0, header_end(raw), limits=LIMITS)
    count = sum(field.name == b"received" for field in fields)
    yield _plain("hops", observation.came_to, received_fields=count)


def _sender(observation: Observation, scene: Scene) -> Iterator[Finding]:
    came_to = observation.came_to
    found = came_to.authentication if isinstance(came_to, InboundMail) else None
    if found is None:
        yield Finding(check="sender", result="not checked", reason="the peer is in receiving.trusted_peers")
        return
    policy = scene.receiving.senders
    trusted = policy.trusted_sealers if policy is not None else ()
    yield from sender_findings(found, observation.mail.peer_host, trusted_sealers=trusted, answer=scene.answer)


def _decision(observation: Observation, scene: Scene) -> Iterator[Finding]:
    came_to = observation.came_to
    policy, found = scene.receiving.senders, observation.mail.authentication
    if not isinstance(came_to, InboundMail):
        yield _plain("decision", came_to)
    elif came_to.is_suspicious:
        who = "a backup of ours has found that the" if found is None else "the"
        yield Finding(check="decision", result="junk", reason=f"{who} DMARC policy asks for it to be set apart")
    elif policy is not None and found is not None:
        yield Finding(check="decision", result="passed", reason=_why_taken(policy, found))


def _why_taken(policy: SenderPolicy, found: Authentication) -> str:
    if found.dmarc.result is DmarcResult.PASS:
        return "DMARC passes"
    if is_vouched_for(found):
        return "DMARC does not pass here, and did where a sealer that receiving.trusted_sealers names has seen it"
    if not policy.enforces_dmarc:
        return "receiving.dmarc is mark: nothing follows from DMARC"
    if found.dmarc.result is DmarcResult.TEMPERROR:
        return "DNS does not answer, and receiving.on_dns_failure is accept"
    return _why_unasked(found.dmarc)


def _why_unasked(dmarc: DmarcVerdict) -> str:
    if dmarc.result is DmarcResult.FAIL and dmarc.policy is DmarcPolicy.NONE:
        return "DMARC fails, and the From domain asks for nothing then"
    return f"no DMARC policy to follow: {dmarc.reason}"


def _spam(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    came_to = observation.came_to
    if not isinstance(came_to, InboundMail):
        yield _plain("spam", came_to)
        return
    accounts = {account.account_id: account.login for account in _accounts_of(came_to)}
    for account_id, judged in came_to.judged.items():
        if not judged.score.findings:
            continue
        facts: dict[str, Fact] = {
            "account": accounts.get(account_id, "") if account_id is not None else "whoever else gets it",
            "score": f"{judged.score.points:.1f}",
            "findings": tuple(map(_spam_finding, judged.score.findings)),
        }
        yield Finding(check="spam", result="junk" if judged.is_junk else "passed", facts=facts)


def _spam_finding(finding: SpamFinding) -> str:
    return f"{finding.rule} {finding.points:.1f}{f': {finding.why}' if finding.why else ''}"


def _accounts_of(mail: InboundMail) -> Iterator[Account]:
    for recipient in mail.recipients:
        if recipient.resolution is not None:
            yield from recipient.resolution.accounts
            yield from (onward.owner for onward in recipient.resolution.onward if onward.owner is not None)


def _forwards(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    wanted, came_to = _onward_addresses(observation.mail), observation.came_to
    if not wanted:
        return
    left = _onward_addresses(came_to) if isinstance(came_to, InboundMail) else ()
    held = tuple(address for address in wanted if address not in left)
    yield _plain("forwards", came_to, **told(sent_on_from=left, held_back=held))


def _onward_addresses(mail: InboundMail) -> tuple[str, ...]:
    resolutions = [recipient.resolution for recipient in mail.recipients if recipient.resolution is not None]
    return tuple(dict.fromkeys(onward.address for found in resolutions for onward in found.onward))


def _lists(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    asked = (recipient.resolution for recipient in observation.mail.recipients if recipient.resolution)
    at = [each for resolution in asked for each in resolution.lists]
    if not at:
        return
    found = _plain("lists", observation.came_to, lists=tuple(map(_at_list, at)))
    if isinstance(observation.came_to, InboundMail) and any(each.purpose is Purpose.UNSUBSCRIBE for each in at):
        found = replace(found, reason="it is stored nowhere: whoever wrote it leaves the list")
    yield found


def _at_list(at: AtList) -> str:
    return f"{at.mailing_list.address}{f' ({at.purpose.value[1:]})' if at.purpose.value else ''}"


def _untold(observation: Observation, scene: Scene) -> Iterator[Finding]:
    """Of a stage that refuses nothing and changes nothing that anybody sees of the mail."""
    del observation, scene
    yield from ()


def _encoding(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    if observation.came_to is not observation.mail:
        yield _plain("encoding of what leaves", observation.came_to)


def _filter(observation: Observation, scene: Scene) -> Iterator[Finding]:
    yield from script_findings(scene.verdicts)
    if not isinstance(observation.came_to, InboundMail):
        yield _plain("filter", observation.came_to)


def script_findings(verdicts: Sequence[tuple[str, Verdict]]) -> Iterator[Finding]:
    """By login, one for each script."""
    for login, verdict in verdicts:
        for ran in verdict.ran:
            facts: dict[str, Fact] = {"account": login, "script": titled(ran)}
            if not ran.fault:
                facts["does"] = tuple(map(sentence, ran.actions))
            yield Finding(
                check="filter",
                result=_came_to(ran),
                reason=ran.fault,
                facts=facts | told(lines=tuple(_lines(ran))),
            )


def _lines(ran: Ran) -> Iterator[str]:
    """Each line that ran, as it is written, and what happened there."""
    source = ran.content.decode("utf-8", "replace").splitlines()
    # A trace does not say of which script a line is.
    if any(step.text == "include" for step in ran.trace):
        source = []
    for line, steps in groupby(ran.trace, key=lambda step: step.line):
        text = source[line - 1].strip()[:MOST_OF_LINE] if line <= len(source) else ""
        happened = ", ".join(step.text for step in steps)
        if text.startswith(happened):  # a command that stands alone
            yield f"{line}: {text}"
        else:
            yield f"{line}: {text}  # {happened}" if text else f"{line}: {happened}"


def _came_to(ran: Ran) -> str:
    if ran.fault:
        return "failed"
    return next((word for kind, word in _ENDS if any(isinstance(each, kind) for each in ran.actions)), "discarded")


def _delivery(observation: Observation, scene: Scene) -> Iterator[Finding]:
    del scene
    if not isinstance(observation.came_to, Accept):
        yield _plain("delivery", observation.came_to)


MOST_OF_LINE = 100
_ENDS = ((Refused, "refused"), (FileInto, "filed"), (Redirect, "redirected"), (Keep, "kept"))

_STAGES: Mapping[str, Callable[[Observation, Scene], Iterator[Finding]]] = {
    "resolve_recipient": _recipient,
    "refuse_full_account": _quota,
    "refuse_listed": _blocklists,
    "greylist": _greylist,
    "refuse_endless_header": _header,
    "refuse_loop": _hops,
    "authenticate": _sender,
    "judge": _decision,
    "forget_notices_of_success": _untold,
    "score": _spam,
    "hold_back_forwards": _forwards,
    "refuse_for_lists": _lists,
    "encode_what_leaves": _encoding,
    "route": _untold,
    "ask_filters": _filter,
    "deliver": _delivery,
}
