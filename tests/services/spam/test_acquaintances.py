"""What an account knows of who writes to it: replies, correspondents, and those it has never heard of."""

import dataclasses
from collections.abc import Sequence

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS
from mailstack.model.principal import ALL_ABILITIES, Account
from mailstack.model.spam import Finding, Score
from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.services.spam.correspondents import Arrived
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.experience import experience_of
from mailstack.spam.sender import Sender
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.reputation import MemoryReputation
from tests.support.examined import RAW, examined
from tests.support.fake_clock import FakeClock

SENT = b"<0123456789abcdef0123456789abcdef@example.com>"
SENDER = Sender(
    network="192.0.2.0/24",
    host="",
    helo="shop.example",
    mail_from_domain="shop.example",
    verified_domain="",
    is_tls=True,
    iprev=IprevResult.PASS,
    spf=SpfResult.NONE,
    dkim=DkimResult.NONE,
    dmarc=DmarcResult.NONE,
)
REPLY = b"In-Reply-To: " + SENT + b"\r\n"


def account(name: str) -> Account:
    return Account(
        account_id=AccountId(name),
        login=f"{name}@example.com",
        name="",
        addresses=(),
        roles=frozenset(),
        abilities=ALL_ABILITIES,
        quota_bytes=None,
        password_hash="",
    )


ALICE, BOB = account("alice"), account("bob")


def mail(header: bytes = b"", *, dmarc: DmarcResult = DmarcResult.PASS) -> Examined:
    """Of deals@shop.example."""
    return examined(header + RAW, sender=dataclasses.replace(SENDER, dmarc=dmarc))


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.experience = experience_of(MemoryReputation(), MemoryAcquaintances(), secret=b"k" * 32, clock=self.clock)

    def wrote(self, *recipients: str, message_id: bytes = SENT) -> None:
        """Alice did."""
        fields = scan_fields(b"Message-ID: " + message_id + b"\r\n\r\n")
        self.experience.acquainted.wrote(ALICE.account_id, recipients, fields)

    def had(self, of: Examined) -> None:
        """Alice did, and it was no junk."""
        self.experience.judged(of, [Score(findings=())], kept=[ALICE.account_id])

    async def findings(self, of: Examined, whose: Account = ALICE) -> Sequence[Finding]:
        await self.experience.flush()
        return await self.experience.acquainted.findings(of, whose)

    async def said(self, of: Examined, whose: Account = ALICE) -> list[tuple[str, float]]:
        return [(finding.rule, finding.points) for finding in await self.findings(of, whose)]


@pytest.fixture
def world() -> World:
    return World()


async def test_an_account_without_a_history_knows_nobody_and_says_so_of_nobody(world: World) -> None:
    assert await world.said(mail()) == []


async def test_who_was_written_to_is_known_to_that_account(world: World) -> None:
    world.wrote("Deals@SHOP.example", "x@elsewhere.example", "nobody")
    (found,) = await world.findings(mail())
    assert found == Finding(rule="known-correspondent", points=-3.0, why="you have written to this sender")
    assert await world.said(mail(), BOB) == []


@pytest.mark.parametrize(
    ("dmarc", "expected"), [(DmarcResult.NONE, [("known-correspondent", -1.0)]), (DmarcResult.FAIL, [])]
)
async def test_a_known_address_that_anybody_may_write_says_less(
    world: World, dmarc: DmarcResult, expected: list[tuple[str, float]]
) -> None:
    world.wrote("deals@shop.example")
    assert await world.said(mail(dmarc=dmarc)) == expected


async def test_whom_a_mail_to_very_many_went_to_is_not_known(world: World) -> None:
    world.wrote("deals@shop.example", *(f"{number}@shop.example" for number in range(100)))
    assert await world.said(mail()) == []


@pytest.mark.parametrize(
    "header",
    [
        REPLY,
        b"References: <root@x> " + SENT + b"\r\n\t<other@x>\r\nIn-Reply-To: <other@x>\r\n",
        b"References: "
        + SENT
        + b"".join(b"\r\n <another-message-of-theirs-%d@x>" % number for number in range(15))
        + b"\r\n",
    ],
)
async def test_an_answer_to_a_message_of_ones_own_is_known(world: World, header: bytes) -> None:
    world.wrote("bob@elsewhere.example")
    (found,) = await world.findings(mail(header))
    assert found == Finding(rule="reply-to-own", points=-3.0, why="it answers a message of yours")
    assert await world.said(mail(header), BOB) == []
    assert await world.said(mail(header, dmarc=DmarcResult.NONE)) == [("reply-to-own", -3.0)]
    assert await world.said(mail(header, dmarc=DmarcResult.FAIL)) == [("reply-to-own", -1.0)]


async def test_an_answer_of_who_was_written_to_counts_once(world: World) -> None:
    world.wrote("deals@shop.example")
    assert await world.said(mail(REPLY)) == [("reply-to-own", -3.0)]


async def test_an_id_that_can_be_guessed_proves_nothing(world: World) -> None:
    world.wrote("bob@elsewhere.example", message_id=b"<1@example.com>")
    assert await world.said(mail(b"In-Reply-To: <1@example.com>\r\n")) == []


async def test_a_message_without_an_id_is_answered_by_none(world: World) -> None:
    world.wrote("bob@elsewhere.example", message_id=b"")
    assert await world.said(mail(b"In-Reply-To: <>\r\n")) == []


async def test_answers_come_within_a_season_and_correspondents_stay_for_longer(world: World) -> None:
    world.wrote("deals@shop.example")
    assert await world.said(mail(REPLY)) == [("reply-to-own", -3.0)]
    world.clock.advance(90 * DAY_MS)
    assert await world.said(mail(REPLY)) == [("known-correspondent", -3.0)]
    world.clock.advance(640 * DAY_MS)
    assert await world.said(mail(REPLY)) == []


async def test_who_was_never_heard_of_is_told_apart_once_somebody_was(world: World) -> None:
    world.had(examined(author=None))
    (found,) = await world.findings(mail())
    assert found == Finding(rule="first-time-sender", points=0.5, why="you have had no mail from this address before")
    assert await world.said(mail(), BOB) == []
    assert await world.said(examined(author=None)) == []
    world.had(mail())
    assert await world.said(mail()) == []
    assert await world.said(mail(), BOB) == []


async def test_junk_makes_nobody_known(world: World) -> None:
    world.had(examined(author=None))
    world.experience.judged(mail(), [Score(findings=())], kept=())
    assert await world.said(mail()) == [("first-time-sender", 0.5)]


async def test_who_is_called_junk_is_known_no_more(world: World) -> None:
    world.wrote("deals@shop.example")
    world.had(mail())
    assert await world.said(mail()) == [("known-correspondent", -3.0)]
    lesson = (ALICE.account_id, Arrived(sent_by=mail().correspondent, received_at=world.clock()))
    world.experience.learn(*lesson, is_spam=True)
    assert await world.said(mail()) == [("first-time-sender", 0.5)]
    world.experience.unlearn(*lesson, is_spam=True)
    world.experience.learn(*lesson, is_spam=False)
    assert await world.said(mail()) == []


@pytest.mark.parametrize("dmarc", [DmarcResult.FAIL, DmarcResult.NONE])
async def test_what_others_write_in_their_name_is_no_fault_of_theirs(world: World, dmarc: DmarcResult) -> None:
    world.wrote("deals@shop.example")
    forged = Arrived(sent_by=mail(dmarc=dmarc).correspondent, received_at=world.clock())
    world.experience.learn(ALICE.account_id, forged, is_spam=True)
    assert await world.said(mail()) == [("known-correspondent", -3.0)]


async def test_to_call_a_mail_without_an_author_junk_leaves_all_others_as_they_are(world: World) -> None:
    world.had(mail())
    nobody = Arrived(sent_by=examined(author=None).correspondent, received_at=world.clock())
    world.experience.learn(ALICE.account_id, nobody, is_spam=True)
    assert await world.said(mail()) == []
