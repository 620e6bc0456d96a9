"""What is told of blocklists, whose answers are not all listings (RFC 5782 §2.1, §5), and of scripts."""

import pytest

from mailstack.app.explain.explanation import Question
from mailstack.app.explain.findings import Scene, findings_of
from mailstack.app.explain.witness import Observation
from mailstack.services.inbound.filter.shelf import Origin
from mailstack.services.inbound.filter.verdict import Ran, Verdict
from mailstack.services.inbound.mail import InboundMail, Reason, Reject
from mailstack.sieve.actions import Action, Discard, FileInto, Keep, Redirect, Refusal
from mailstack.sieve.actions import Reject as Refused
from tests.support.explained import MAIL
from tests.support.smtp_world import SmtpWorld

WORLD = SmtpWorld()
LISTED = Reject(reason=Reason.LISTED, told="by bl.test")
OF_PEER, OF_NOBODY = "1.2.0.192.bl.test", "1.0.0.127.bl.test"


@pytest.mark.parametrize(
    ("answers", "came_to", "result", "standing"),
    [
        ({OF_PEER: ()}, MAIL, "passed", "not listed"),
        ({OF_PEER: ("127.0.0.4", "127.0.0.10"), OF_NOBODY: ()}, LISTED, "refused", "listed: 127.0.0.4, 127.0.0.10"),
        ({OF_PEER: ("127.0.0.4",), OF_NOBODY: ()}, MAIL, "passed", "listed: 127.0.0.4"),
        ({OF_PEER: ("127.255.255.254",)}, MAIL, "passed", "no listing: 127.255.255.254"),
        ({OF_PEER: ("203.0.113.1",)}, MAIL, "passed", "no listing: 203.0.113.1"),
        ({OF_PEER: ("127.0.0.2",), OF_NOBODY: ("127.0.0.2",)}, MAIL, "passed", "passed over: it has every address"),
        ({OF_PEER: None}, MAIL, "passed", "does not answer: too late"),
        ({}, MAIL, "passed", "does not answer: no answer in time"),
    ],
)
def test_where_a_peer_stands(
    answers: dict[str, tuple[str, ...] | None], came_to: InboundMail | Reject, result: str, standing: str
) -> None:
    def answer(name: str, record_type: str) -> Question | None:
        found = answers.get(name)
        if name not in answers:
            return None
        return Question(name=name, type=record_type, answers=found or (), failure="too late" if found is None else "")

    scene = Scene(
        receiving=WORLD.service().inbound.receiving,
        directory=(),
        blocklists=("bl.test",),
        again=False,
        is_live=False,
        answer=answer,
    )
    (finding,) = findings_of(Observation(stage="refuse_listed", mail=MAIL, came_to=came_to), scene)
    assert (finding.result, finding.facts) == (result, {"bl.test": standing})


def _ran(*actions: Action, fault: str = "", origin: Origin = Origin.SPEC) -> Ran:
    return Ran(name="alice@example.com", origin=origin, fault=fault, actions=actions)


@pytest.mark.parametrize(
    ("ran", "result", "does"),
    [
        (_ran(Keep(is_implicit=True)), "kept", ("keep in INBOX (implicit: nothing else was done with it)",)),
        (_ran(FileInto(mailbox="A"), Keep()), "filed", ("fileinto A", "keep in INBOX")),
        (_ran(Redirect(address="x@y.example")), "redirected", ("redirect to x@y.example",)),
        (_ran(Refused(kind=Refusal.EREJECT, reason="no")), "refused", ("ereject: no",)),
        (_ran(Discard()), "discarded", ("discard",)),
        (_ran(), "discarded", ()),
        (_ran(Keep(is_implicit=True), fault="line 1: too much"), "failed", None),
    ],
)
def test_what_a_script_comes_to(ran: Ran, result: str, does: tuple[str, ...] | None) -> None:
    scene = Scene(
        receiving=WORLD.service().inbound.receiving,
        directory=(),
        blocklists=(),
        again=False,
        is_live=False,
        answer=lambda _name, _type: None,
        verdicts=[("alice@example.com", Verdict(actions=ran.actions, ran=(ran,)))],
    )
    (finding,) = findings_of(Observation(stage="ask_filters", mail=MAIL, came_to=MAIL), scene)
    assert (finding.check, finding.result, finding.reason) == ("filter", result, ran.fault)
    assert finding.facts["script"] == "of the spec"
    assert finding.facts.get("does") == does


def test_what_all_refuse_is_told_after_the_scripts() -> None:
    refusal = Reject(reason=Reason.FILTER, told="by the recipient's mail filter: no")
    scene = Scene(
        receiving=WORLD.service().inbound.receiving,
        directory=(),
        blocklists=(),
        again=False,
        is_live=False,
        answer=lambda _name, _type: None,
    )
    (finding,) = findings_of(Observation(stage="ask_filters", mail=MAIL, came_to=refusal), scene)
    assert (finding.result, finding.reason) == ("refused", "by the recipient's mail filter: no")
