"""What is known of senders: who is believed, how far, and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.reputation import HALF_LIFE_MS, Counts
from mailstack.model.spam import Finding, Score
from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.ports.reputation import SubjectVoice
from mailstack.services.spam.correspondents import Arrived
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.experience import Experience, experience_of
from mailstack.services.spam.gathered import FOUND_FOR_MS
from mailstack.spam.sender import Sender
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.reputation import MemoryReputation
from tests.support.examined import examined
from tests.support.fake_clock import FakeClock

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)
SPAM = Score(findings=(Finding(rule="words", points=8.0),))
HAM = Score(findings=(Finding(rule="words", points=-4.0),))
UNSURE = Score(findings=(Finding(rule="words", points=5.0),))


class Counted(MemoryReputation):
    """rows: that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0

    async def add(self, said: Mapping[SubjectVoice, Counts]) -> None:
        self.rows += len(said)
        await super().add(said)


class World:
    def __init__(self) -> None:
        self.clock = FakeClock(1_795_000_000_000)
        self.store = Counted()
        self.experience = self.another()

    def another(self) -> Experience:
        """Of another worker."""
        return experience_of(self.store, MemoryAcquaintances(), secret=b"k" * 32, clock=self.clock)

    def mail(self, *, dmarc: DmarcResult = DmarcResult.PASS, peer_host: str = "192.0.2.1") -> Examined:
        """Of deals@shop.example."""
        sender = Sender(
            network=peer_host.rpartition(".")[0] + ".0/24",
            host="",
            helo="shop.example",
            mail_from_domain="shop.example",
            verified_domain="shop.example" if dmarc is DmarcResult.PASS else "",
            is_tls=True,
            iprev=IprevResult.PASS,
            spf=SpfResult.NONE,
            dkim=DkimResult.NONE,
            dmarc=dmarc,
        )
        return examined(sender=sender, peer_host=peer_host, received_at=self.clock())

    def arrived(self, mail: Examined, received_at: Instant | None = None) -> Arrived:
        return Arrived(sent_by=mail.correspondent, received_at=received_at or mail.received_at)

    async def findings(self, mail: Examined | None = None) -> Sequence[Finding]:
        await self.experience.flush()
        self.clock.advance(FOUND_FOR_MS)
        return await self.experience.reputation.findings(mail or self.mail())

    async def points(self, mail: Examined | None = None) -> float:
        return sum(finding.points for finding in await self.findings(mail))

    def teach(self, *whose: AccountId, is_spam: bool = True, mail: Examined | None = None) -> None:
        for account_id in whose:
            self.experience.learn(account_id, self.arrived(mail or self.mail()), is_spam=is_spam)


@pytest.fixture
def world() -> World:
    return World()


async def test_nothing_is_said_of_who_never_wrote(world: World) -> None:
    assert await world.findings() == ()


async def test_one_lesson_says_little_and_names_what_it_goes_by(world: World) -> None:
    world.teach(ALICE)
    (found,) = await world.findings()
    assert found == Finding(rule="sender-reputation", points=1.3, why="mail of this address was junk before")


async def test_wanted_mail_speaks_for_its_sender(world: World) -> None:
    world.teach(ALICE, BOB, is_spam=False)
    (found,) = await world.findings()
    assert found == Finding(rule="sender-reputation", points=-1.8, why="mail of this address was wanted before")


async def test_one_account_alone_makes_nobody_good_or_bad(world: World) -> None:
    world.teach(*[ALICE] * 200)
    assert await world.points() == 1.9
    world.teach(*[AccountId(f"{number:016}") for number in range(40)], is_spam=False)
    assert await world.points() < -1


@pytest.mark.parametrize(("is_spam", "points"), [(True, 4.0), (False, -3.0)])
async def test_points_are_bounded(world: World, *, is_spam: bool, points: float) -> None:
    world.teach(*[AccountId(f"{number:016}") for number in range(1_000)], is_spam=is_spam)
    assert await world.points() == points


async def test_what_is_known_of_an_address_says_nothing_where_anybody_may_have_written_it(world: World) -> None:
    world.teach(ALICE, is_spam=False)
    forged = world.mail(dmarc=DmarcResult.FAIL, peer_host="198.51.100.7")
    assert await world.findings(forged) == ()


async def test_of_who_is_not_proven_the_machine_is_known_and_then_its_network(world: World) -> None:
    world.teach(ALICE, BOB, mail=world.mail(dmarc=DmarcResult.NONE))
    (found,) = await world.findings(world.mail(dmarc=DmarcResult.NONE))
    assert found == Finding(
        rule="sender-reputation", points=1.8, why="mail of the machine that brought it was junk before"
    )
    (found,) = await world.findings(world.mail(dmarc=DmarcResult.NONE, peer_host="192.0.2.2"))
    assert found == Finding(
        rule="sender-reputation", points=1.8, why="mail of the network it came from was junk before"
    )


async def test_who_signs_for_others_is_known_by_junk_alone(world: World) -> None:
    def signed(peer_host: str) -> Examined:
        mail = world.mail(dmarc=DmarcResult.NONE, peer_host=peer_host)
        assert mail.sender is not None
        return replace(mail, sender=replace(mail.sender, verified_domain="signer.example"))

    world.teach(ALICE, BOB, mail=signed("192.0.2.1"), is_spam=False)
    assert await world.findings(signed("198.51.100.7")) == ()
    world.teach(ALICE, BOB, AccountId("c" * 16), AccountId("d" * 16), mail=signed("192.0.2.1"))
    (found,) = await world.findings(signed("198.51.100.7"))
    assert found == Finding(
        rule="sender-reputation", points=0.6, why="mail of the domain that signed it was junk before"
    )


async def test_neighbours_are_blamed_for_little(world: World) -> None:
    many = [AccountId(f"{number:016}") for number in range(100)]
    world.teach(*many, mail=world.mail(dmarc=DmarcResult.NONE))
    assert await world.points(world.mail(dmarc=DmarcResult.NONE, peer_host="192.0.2.2")) == 2.0
    assert await world.points(world.mail(dmarc=DmarcResult.NONE)) == 3.0


async def test_of_mail_that_a_trusted_peer_brought_nothing_is_known(world: World) -> None:
    mail = examined(sender=None)
    world.teach(ALICE, mail=mail)
    world.experience.judged(mail, [SPAM], kept=())
    assert await world.findings(mail) == ()


async def test_it_fades(world: World) -> None:
    world.teach(ALICE, BOB)
    fresh = await world.points()
    world.clock.advance(HALF_LIFE_MS)
    assert 0 < await world.points() < fresh
    world.clock.advance(10 * HALF_LIFE_MS)
    assert await world.findings() == ()


async def test_old_mail_says_less(world: World) -> None:
    old = Instant(world.clock() - 400 * DAY_MS)
    for whose in (ALICE, BOB):
        world.experience.learn(whose, world.arrived(world.mail(), old), is_spam=True)
    assert await world.findings() == ()


async def test_mail_from_the_future_says_no_more_than_that_of_today(world: World) -> None:
    future = Instant(world.clock() + 4_000 * DAY_MS)
    world.experience.learn(ALICE, world.arrived(world.mail(), future), is_spam=True)
    assert await world.points() == 1.3
    world.clock.advance(10 * HALF_LIFE_MS)
    assert await world.findings() == ()


async def test_who_takes_a_lesson_back_has_said_nothing(world: World) -> None:
    mail = world.mail()
    world.teach(ALICE, mail=mail)
    assert await world.points() > 0
    world.clock.advance(60 * DAY_MS)
    world.experience.unlearn(ALICE, world.arrived(mail), is_spam=True)
    assert await world.findings() == ()


async def test_the_filter_is_believed_where_it_is_sure(world: World) -> None:
    for _ in range(3):
        world.experience.judged(world.mail(), [UNSURE], kept=[ALICE])
        world.experience.judged(world.mail(), [SPAM, UNSURE], kept=[BOB])
        world.experience.judged(world.mail(), [], kept=())
    assert await world.findings() == ()
    for _ in range(3):
        world.experience.judged(world.mail(), [SPAM, SPAM], kept=())
    assert await world.points() == 0.9
    for _ in range(9):
        world.experience.judged(world.mail(), [HAM], kept=[ALICE])
    assert await world.points() < 0


async def test_what_the_filter_wants_speaks_for_who_has_a_name_and_else_for_what_brought_it(world: World) -> None:
    for _ in range(3):
        world.experience.judged(world.mail(), [HAM], kept=[ALICE])
    assert await world.findings(world.mail(dmarc=DmarcResult.NONE)) == ()
    for _ in range(3):
        world.experience.judged(world.mail(dmarc=DmarcResult.NONE), [HAM], kept=[ALICE])
    assert await world.points(world.mail(dmarc=DmarcResult.NONE)) == -0.9


async def test_a_virus_is_junk_whatever_else_it_is(world: World) -> None:
    for _ in range(3):
        world.experience.judged(world.mail(), [Score(findings=HAM.findings, virus="EICAR")], kept=())
    assert await world.points() > 0


async def test_the_filter_does_not_believe_itself(world: World) -> None:
    own = Score(findings=(Finding(rule="sender-reputation", points=4.0), Finding(rule="words", points=4.5)))
    for _ in range(100):
        world.experience.judged(world.mail(), [own], kept=())
    assert await world.findings() == ()
    for _ in range(10_000):
        world.experience.judged(world.mail(), [SPAM], kept=())
    assert await world.points() == 1.9


@pytest.mark.parametrize(("rule", "points"), [("blocked", 100.0), ("allowed", -100.0), ("own-words", 8.0)])
async def test_what_one_account_has_decided_or_taught_counts_for_no_other(
    world: World, rule: str, points: float
) -> None:
    named = Score(findings=(Finding(rule=rule, points=points), *UNSURE.findings))
    for _ in range(100):
        world.experience.judged(world.mail(), [named], kept=())
    assert await world.findings() == ()


async def test_of_who_is_well_known_nothing_more_is_written(world: World) -> None:
    for _ in range(12):
        world.experience.judged(world.mail(), [SPAM], kept=())
    await world.findings()
    assert world.store.rows == 4
    world.experience.judged(world.mail(), [SPAM], kept=())
    await world.experience.flush()
    assert world.store.rows == 4
    world.experience.judged(world.mail(), [HAM], kept=())
    await world.experience.flush()
    assert world.store.rows == 6


async def test_what_one_worker_wrote_another_knows_in_time(world: World) -> None:
    other = world.another()
    assert await other.reputation.findings(world.mail()) == ()
    world.teach(ALICE)
    await world.experience.flush()
    assert await other.reputation.findings(world.mail()) == ()
    world.clock.advance(FOUND_FOR_MS)
    assert await other.reputation.findings(world.mail()) != ()
