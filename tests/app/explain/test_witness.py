"""Who looks on sees what stages came to and DNS was asked, and changes nothing."""

from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile

import pytest

from mailstack.app.explain.findings import Scene, findings_of
from mailstack.app.explain.witness import NotedResolver, Observation, Witness
from mailstack.model.errors import NotFound, TryAgainLater
from mailstack.services.inbound.mail import Defer, InboundMail, Reason, Reject
from mailstack.services.inbound.pipeline import STAGES, InboundPipeline, Phase
from mailstack.services.inbound.stages.receiving import Receiving
from tests.support.explained import MAIL
from tests.support.smtp_world import SmtpWorld
from tests.support.zone_resolver import ZoneResolver


@pytest.fixture
def receiving() -> Receiving:
    return SmtpWorld().service().inbound.receiving


async def test_every_stage_is_seen_and_does_what_it_does(receiving: Receiving) -> None:
    witness = Witness()
    observed = InboundPipeline(receiving=receiving, stages=witness.stages())
    looped = MAIL.holding(b"Received: x\r\n" * 101, is_8bit=False, received_at=MAIL.received_at)
    assert await observed.run(Phase.DATA, looped) == Reject(reason=Reason.LOOP)
    *_, seen = witness.take()
    assert (seen.stage, seen.mail, seen.came_to) == ("refuse_loop", looped, Reject(reason=Reason.LOOP))
    assert witness.take() == ()


async def test_of_a_message_in_a_file_the_header_is_kept_for_after_the_reply(receiving: Receiving) -> None:
    witness = Witness()
    observed = InboundPipeline(receiving=receiving, stages=witness.stages())
    header = b"Received: x\r\n" * 101 + b"\r\n"
    with TemporaryFile() as file:
        file.write(header + b"body")
        file.flush()
        with mmap(file.fileno(), 0, access=ACCESS_READ) as raw:
            await observed.run(Phase.DATA, MAIL.holding(raw, is_8bit=False, received_at=MAIL.received_at))
    assert {seen.mail.raw for seen in witness.take()} == {header}


def test_the_stages_are_those_of_the_pipeline() -> None:
    stages = Witness().stages()
    assert {phase: [stage.__name__ for stage in found] for phase, found in stages.items()} == {
        phase: [stage.__name__ for stage in found] for phase, found in STAGES.items()
    }


@pytest.mark.parametrize(
    ("came_to", "result", "reason"),
    [
        (MAIL, "passed", ""),
        (Reject(reason=Reason.LOOP, detail="why"), "refused", "why"),
        (Defer(reason=Reason.GREYLISTED, told="in 3 minutes"), "deferred", "in 3 minutes"),
        (NotFound("nobody"), "refused", "nobody"),
    ],
)
def test_a_stage_that_nobody_has_heard_of_is_told_in_the_words_of_all(
    receiving: Receiving, came_to: InboundMail | Reject | Defer | NotFound, result: str, reason: str
) -> None:
    scene = Scene(
        receiving=receiving, directory=(), blocklists=(), again=False, is_live=False, answer=lambda _name, _type: None
    )
    (finding,) = findings_of(Observation(stage="look_twice", mail=MAIL, came_to=came_to), scene)
    assert (finding.check, finding.result, finding.reason) == ("look twice", result, reason)


async def test_dns_is_noted_with_its_answers_and_failures() -> None:
    resolver = NotedResolver(
        ZoneResolver({"a.test": [{"A": "192.0.2.1"}, {"MX": [10, "mx.a.test"]}], "b.test": ["TIMEOUT"]})
    )
    assert await resolver.addresses_of("A.test", 4) == ["192.0.2.1"]
    await resolver.mail_exchangers("a.test")
    with pytest.raises(TryAgainLater):
        await resolver.texts("b.test")
    asked = [(question.name, question.type, question.answers) for question in resolver.questions()]
    assert asked == [("A.test", "A", ("192.0.2.1",)), ("a.test", "MX", ("10 mx.a.test",)), ("b.test", "TXT", ())]
    failed = resolver.answer("b.test", "TXT")
    assert failed is not None
    assert "Timeout" in failed.failure
    assert resolver.answer("c.test", "TXT") is None
