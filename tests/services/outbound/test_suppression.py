"""Nothing is sent to an address that refuses for good, and whoever writes to it has the mail back with the reason."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from mailstack.model.bad_address import BadAddress, SuppressRule
from mailstack.model.delivery import (
    HopProtocol,
    NextHop,
    OutgoingMail,
    QueueItem,
    QueueState,
    TlsMode,
)
from mailstack.model.errors import TryAgainLater
from mailstack.model.handling import Notification
from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.queue import Queue
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.route import HOLD, Relay, Route, RouteTable
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from mailstack.store.sqlite.open import open_store
from tests.support.mailing_lists import make_list
from tests.support.memory_resolver import MemoryResolver
from tests.support.memory_transport import answer, no_such_mailbox
from tests.support.outbound_world import ALICE, MX, OutboundWorld
from tests.support.running import running, until

GONE = "gone@them.test"
RAW = b"From: alice@example.com\r\nSubject: hi\r\n\r\nbody\r\n"


@dataclass
class Sender:
    """A world whose queue may be any adapter."""

    world: OutboundWorld
    queue: Queue

    async def send(
        self, *recipients: str, reverse_path: str = ALICE.login, notification: Notification | None = None
    ) -> None:
        """And what is made of it has left."""
        mail = OutgoingMail(
            reverse_path=reverse_path,
            recipients=recipients,
            raw=RAW,
            queued_at=self.world.clock.now,
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t1",
            notifications={} if notification is None else dict.fromkeys(recipients, notification),
        )
        await self.queue.enqueue([mail], next_at=self.world.clock.now)
        runner = QueueRunner(
            queue=self.queue,
            bus=self.world.bus,
            clock=self.world.clock,
            owner="r1",
            generation=self.world.service,
            meters=self.world.meters,
            limits=QueueLimits(lease_s=60),
        )
        async with running(runner.run()):
            await until(self._is_quiet)
            await runner.drain(grace_s=5)

    async def refused(self, *days: float, address: str = GONE) -> None:
        """On these days from now on."""
        start = self.world.clock.now
        for day in days:
            self.world.clock.now = Instant(round(start + day * DAY_MS))
            await self.send(address)

    async def bad(self, address: str = GONE) -> BadAddress | None:
        return await self.world.bad_addresses.find(address)

    @property
    def tried(self) -> list[tuple[str, ...]]:
        return [handed.recipients for handed in self.world.transport.handed]

    def notices(self) -> list[str]:
        """Those to Alice, each without its line ends."""
        raws = self.world.messages.raws(ALICE.account_id)
        return [" ".join(raw.decode().split()) for raw in raws]

    async def _is_quiet(self) -> bool:
        return not [item for item in await self.queue.items(states=[QueueState.WAITING]) if self._is_due(item)]

    def _is_due(self, item: QueueItem) -> bool:
        return item.next_at <= self.world.clock.now


@pytest.fixture
def world() -> OutboundWorld:
    world = OutboundWorld()
    world.transport.answers[GONE] = no_such_mailbox()
    return world


@pytest.fixture(params=["memory", "sqlite"])
async def sender(request: pytest.FixtureRequest, world: OutboundWorld, tmp_path: Path) -> AsyncIterator[Sender]:
    if request.param == "memory":
        yield Sender(world, world.queue)
        return
    store = await open_store(tmp_path / "store", clock=world.clock, bus=world.bus)
    world.bad_addresses = store.bad_addresses
    try:
        yield Sender(world, store.queue)
    finally:
        await store.close()


@pytest.fixture
def memory(world: OutboundWorld) -> Sender:
    return Sender(world, world.queue)


async def test_after_refusals_on_three_days_mail_comes_back_untried(sender: Sender) -> None:
    await sender.refused(0, 1, 2)
    assert len(sender.tried) == len(sender.notices()) == 3
    await sender.refused(3)
    assert len(sender.tried) == 3
    notice = sender.notices()[-1]
    assert "Status: 5.1.1" in notice
    assert "Remote-MTA" not in notice
    for said in (
        "not sent: this address is suppressed here until ",
        "refused 3 mails, last on ",
        ": 550 5.1.1 no such mailbox",
        "whoever runs mail.example.com can lift that: mailstack suppress remove gone@them.test",
    ):
        assert said in notice


async def test_other_recipients_of_the_same_mail_have_theirs(sender: Sender) -> None:
    await sender.refused(0, 1, 2)
    await sender.send("b@them.test", GONE, "c@others.test")
    assert sorted(sender.tried[3:]) == [("b@them.test",), ("c@others.test",)]
    assert "Final-Recipient: rfc822; gone@them.test" in sender.notices()[-1]
    assert len(sender.notices()) == 4


@pytest.mark.parametrize("written", ["Gone@them.test", "gone@THEM.test", '"gone"@them.test'])
async def test_however_it_is_written(sender: Sender, written: str) -> None:
    await sender.refused(0, 1, 2)
    await sender.send(written)
    assert len(sender.tried) == 3


async def test_names_beyond_ascii_are_found_too(sender: Sender) -> None:
    sender.world.resolver = MemoryResolver(exchangers={"xn--bcher-kva.test": MX["them.test"]})
    sender.world.transport.answers["x@bücher.test"] = no_such_mailbox()
    await sender.refused(0, 1, 2, address="x@bücher.test")
    await sender.send("x@xn--bcher-kva.test")
    assert len(sender.tried) == 3


async def test_refusals_of_one_day_are_one(sender: Sender) -> None:
    await sender.refused(0, 0.1, 0.2, 0.3, 0.4)
    bad = await sender.bad()
    assert bad is not None
    assert bad.refusals == 1
    assert len(sender.tried) == 5


async def test_mail_that_is_taken_ends_the_count(sender: Sender) -> None:
    await sender.refused(0, 1)
    del sender.world.transport.answers[GONE]
    await sender.refused(2)
    assert await sender.bad() is None


async def test_when_its_time_is_over_it_is_tried_again(sender: Sender) -> None:
    await sender.refused(0, 1, 2, 31.9)
    assert len(sender.tried) == 3
    await sender.refused(0.2)
    assert len(sender.tried) == 4
    bad = await sender.bad()
    assert bad is not None
    assert (bad.refusals, bad.is_suppressed) == (1, False)


async def test_once_it_is_removed_it_is_tried_at_once(sender: Sender) -> None:
    await sender.refused(0, 1, 2)
    await sender.world.bad_addresses.remove([GONE])
    await sender.send(GONE)
    assert len(sender.tried) == 4


async def test_without_the_rule_nothing_counts_and_nothing_counted_holds(sender: Sender) -> None:
    await sender.refused(0, 1, 2)
    sender.world.suppress = None
    await sender.refused(1, 2)
    assert len(sender.tried) == 5
    bad = await sender.bad()
    assert bad is not None
    assert bad.refusals == 3


async def by_hand(sender: Sender, address: str) -> None:
    now = sender.world.clock.now
    await sender.world.bad_addresses.put(
        BadAddress(
            address=address,
            refusals=0,
            since=now,
            last_at=now,
            reply="a court said so",
            is_suppressed=True,
            ends_at=None,
            by="root",
        )
    )


async def test_what_a_person_suppressed_is_so_in_any_case(sender: Sender) -> None:
    sender.world.suppress = None
    await by_hand(sender, "b@others.test")
    await sender.send("b@others.test")
    assert sender.tried == []
    (notice,) = sender.notices()
    assert "Status: 5.7.1" in notice
    assert "not sent: mail to this address was stopped here on " in notice
    assert "court" not in notice  # the notice may go to a stranger


async def test_of_a_list_the_notice_names_the_member(sender: Sender) -> None:
    team = make_list("team@example.com", GONE, "b@others.test", owners=(ALICE.login,))
    sender.world.accounts.owners[team.address] = team
    await by_hand(sender, GONE)
    with structlog.testing.capture_logs() as logs:
        await sender.send(
            GONE, "b@others.test", reverse_path=sender.world.lists().distribution.copies.path_in_queue(team)
        )
    assert sender.tried == [("b@others.test",)]
    (bounced,) = [line for line in logs if line["event"] == "bounced"]
    assert (bounced["list"], bounced["member"]) == ("team@example.com", "gone=them.test")
    assert len(sender.notices()) == 1


async def test_a_notice_to_such_an_address_is_gone(sender: Sender) -> None:  # RFC 5321 §4.5.5
    await by_hand(sender, "b@others.test")
    await sender.send("b@others.test", reverse_path="")
    assert (sender.tried, sender.notices()) == ([], [])


async def test_who_wants_no_notice_has_none(sender: Sender) -> None:  # RFC 3461 §4.1
    await by_hand(sender, "b@others.test")
    await sender.send("b@others.test", notification=Notification(notify_on=frozenset()))
    assert (sender.tried, sender.notices()) == ([], [])


async def test_our_own_addresses_are_never_asked_about(sender: Sender) -> None:
    await by_hand(sender, "bob@example.com")
    await sender.send("bob@example.com")
    assert sender.notices() == []
    assert await sender.queue.items() == []


async def test_held_mail_stays(sender: Sender) -> None:
    await by_hand(sender, GONE)
    sender.world.routes = RouteTable((Route(to="*", via=HOLD),))
    await sender.send(GONE)
    assert [item.state for item in await sender.queue.items()] == [QueueState.HELD]


@pytest.mark.parametrize(
    ("code", "status"), [(550, "5.7.1"), (552, "5.2.2"), (552, "5.3.4"), (550, ""), (450, "4.2.1"), (554, "5.7.26")]
)
async def test_what_is_not_about_the_mailbox_never_suppresses(memory: Sender, code: int, status: str) -> None:
    memory.world.transport.answers[GONE] = answer(code, status)
    memory.world.suppress = SuppressRule(after=1)
    await memory.refused(0, 1, 2)
    assert await memory.bad() is None


async def test_a_word_about_the_whole_mail_is_none_about_its_recipients(memory: Sender) -> None:
    memory.world.suppress = SuppressRule(after=1)
    memory.world.transport.answers["mx1.them.test"] = answer(550, "5.1.1", "sender unknown")
    await memory.send("b@them.test", "c@them.test")
    assert await memory.bad("b@them.test") is None


@pytest.mark.parametrize(("protocol", "counts"), [(HopProtocol.SMTP, True), (HopProtocol.LMTP, False)])
async def test_a_relay_is_believed_and_a_mailbox_server_next_door_is_not(
    memory: Sender, protocol: HopProtocol, *, counts: bool
) -> None:
    memory.world.suppress = SuppressRule(after=1)
    hop = NextHop(host="relay.test", port=24, tls=TlsMode.NONE, protocol=protocol)
    memory.world.routes = RouteTable((Route(to="*", via=Relay(name="next door", hop=hop)),))
    await memory.send(GONE)
    assert (await memory.bad() is not None) is counts


async def test_who_is_suppressed_is_told_to_the_log_with_the_way_back(memory: Sender) -> None:
    with structlog.testing.capture_logs() as logs:
        await memory.refused(0, 1, 2, 3)
    (told,) = [line for line in logs if line["event"] == "an address is suppressed"]
    assert (told["recipient"], told["refusals"]) == (GONE, 3)
    assert told["remedy"] == "mailstack suppress remove SPEC gone@them.test"
    last = [line for line in logs if line["event"] == "failed"][-1]
    assert (last["trace"], last["recipient"], last["host"]) == ("t1", GONE, "")
    assert last["reply"].startswith("550 5.1.1 not sent: this address is suppressed here")


class Broken(MemoryBadAddresses):
    async def refused(self, *_: object, **__: object) -> BadAddress | None:
        raise TryAgainLater("the disk is full")


async def test_what_cannot_be_noted_keeps_no_mail_back(memory: Sender) -> None:
    memory.world.bad_addresses = Broken()
    memory.world.transport.answers["lost@them.test"] = no_such_mailbox()
    with structlog.testing.capture_logs() as logs:
        await memory.send(GONE, "lost@them.test")
    assert len(memory.notices()) == 2
    assert sorted(line["recipient"] for line in logs if line["event"] == "refusal not counted") == [
        GONE,
        "lost@them.test",
    ]
    assert await memory.queue.items() == []


class Counting(MemoryBadAddresses):
    """finds: how often it was asked."""

    finds = 0

    async def find(self, address: str) -> BadAddress | None:
        self.finds += 1
        return await super().find(address)


async def test_nothing_is_asked_for_mail_to_others(memory: Sender) -> None:
    await by_hand(memory, GONE)
    memory.world.bad_addresses = counting = Counting()
    await memory.send("b@them.test", "c@others.test")
    assert (len(memory.tried), counting.finds) == (2, 0)
    await memory.send(GONE)
    assert counting.finds == 1
