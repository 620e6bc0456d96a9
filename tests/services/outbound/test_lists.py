"""A list's mail in the queue: one for all members, and a copy of its own for each as it leaves."""

import pytest

from mailstack.formats.headers import first, scan_fields
from mailstack.model.delivery import Delivered, Failed, OutgoingMail, Priority, QueueItem
from mailstack.model.handling import PLAIN, Handling
from mailstack.model.tls_policy import Required
from mailstack.services.inbound.mail import Reject
from mailstack.services.outbound.local import deliver_locally
from mailstack.services.outbound.queue import QueueRunner
from mailstack.services.outbound.submit import Origin
from tests.support.mailing_lists import make_list
from tests.support.memory_transport import answer
from tests.support.outbound_world import ALICE, BOB, OutboundWorld
from tests.support.running import running, until

RAW = b"List-Id: <team.example.com>\r\nFrom: x@y.example\r\n\r\nbody\r\n"
MEMBERS = ("a@them.test", "b@them.test", "c@others.test")
TEAM = make_list("team@example.com", ALICE.login, *MEMBERS, owners=(BOB.login,))


@pytest.fixture
def world() -> OutboundWorld:
    world = OutboundWorld()
    world.accounts.owners[TEAM.address] = TEAM
    return world


async def queued(
    world: OutboundWorld, *recipients: str, reverse_path: str | None = None, handling: Handling = PLAIN
) -> None:
    """reverse_path: None: the list's own."""
    mail = OutgoingMail(
        reverse_path=world.lists().distribution.copies.path_in_queue(TEAM) if reverse_path is None else reverse_path,
        recipients=recipients,
        raw=RAW,
        queued_at=world.clock.now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
        handling=handling,
    )
    await world.queue.enqueue([mail], next_at=world.clock.now)


async def run(world: OutboundWorld) -> None:
    """Until nothing is left."""
    runner = QueueRunner(
        queue=world.queue, bus=world.bus, clock=world.clock, owner="one", generation=world.service, meters=world.meters
    )

    async def is_empty() -> bool:
        return not await world.queue.items()

    async with running(runner.run()):
        await until(is_empty)


async def test_each_member_has_a_transaction_a_path_and_a_link_of_their_own(world: OutboundWorld) -> None:
    await queued(world, *MEMBERS)
    await run(world)
    handed = sorted(world.transport.handed, key=lambda each: each.recipients)
    assert [(each.recipients, each.reverse_path) for each in handed] == [
        (("a@them.test",), "team-bounces+a=them.test@example.com"),
        (("b@them.test",), "team-bounces+b=them.test@example.com"),
        (("c@others.test",), "team-bounces+c=others.test@example.com"),
    ]
    links = {first(scan_fields(each.content), b"list-unsubscribe") for each in handed}
    assert len(links) == 3
    assert all(each.content.endswith(RAW) for each in handed)


async def test_the_copy_of_each_member_asks_for_tls_as_the_posting_did(world: OutboundWorld) -> None:  # RFC 8689 §6
    world.resolver.secure |= {"them.test", "others.test"}
    await queued(world, *MEMBERS, handling=Handling(requires_tls=True))
    await run(world)
    assert [each.envelope.handling.requires_tls for each in world.transport.handed] == [True] * len(MEMBERS)
    assert {each.hop.policy for each in world.transport.handed} == {Required(is_verified=True)}


async def test_what_goes_to_members_yields_to_what_a_person_writes_to_one(world: OutboundWorld) -> None:
    origin = Origin(ehlo_domain="laptop", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t", smtp_utf8=False)
    raw = b"From: alice@example.com\r\nSubject: hi\r\n\r\nbody\r\n"
    recipients = (TEAM.address, "friend@them.test")
    assert not isinstance(await world.submission().submit(ALICE, ALICE.login, recipients, raw, origin), Reject)
    found = {item.recipient: item.priority for item in await world.queue.items()}
    assert found == dict.fromkeys(MEMBERS, Priority.BULK) | {"friend@them.test": Priority.SUBMISSION}


@pytest.mark.parametrize(
    "path", ["x-bounces@example.com", "team-bounces@example.com", "team-bounces+aaaaaaa@example.com"]
)
async def test_other_mail_goes_to_many_at_once_as_it_is(world: OutboundWorld, path: str) -> None:
    """Strangers may write what they like into MAIL FROM, the list's paths among it."""
    await queued(world, "a@them.test", "b@them.test", reverse_path=path)
    await run(world)
    (handed,) = world.transport.handed
    assert (len(handed.recipients), handed.reverse_path, handed.content) == (2, path, RAW)


async def test_what_is_returned_names_the_member_and_comes_to_the_owners(world: OutboundWorld) -> None:
    world.transport.answers["a@them.test"] = answer(550, "5.1.1", "gone")
    await queued(world, "a@them.test")
    await run(world)
    (notice,) = world.messages.raws(BOB.account_id)
    assert notice.startswith(b"Return-Path: <>\r\n")
    assert b"a@them.test" in notice


async def test_a_copy_that_waits_for_a_mailbox_is_made_personal_once(world: OutboundWorld) -> None:
    await queued(world, ALICE.login)
    await run(world)
    (message,) = world.messages.raws(ALICE.account_id)
    assert message.count(b"List-Unsubscribe: ") == 1
    await queued(world, ALICE.login, reverse_path="team-bounces+alice=example.com@example.com")
    await run(world)
    assert b"List-Unsubscribe" not in world.messages.raws(ALICE.account_id)[1]


@pytest.mark.parametrize(
    ("recipient", "outcome"),
    [
        ("team@example.com", Failed),
        ("team-unsubscribe@example.com", Failed),
        ("team-owner@example.com", Delivered),
        ("team-bounces+a=them.test@example.com", Delivered),
    ],
)
async def test_nothing_is_posted_out_of_the_queue(world: OutboundWorld, recipient: str, outcome: type) -> None:
    await queued(world, recipient, reverse_path="")
    found: QueueItem
    (found,) = await world.queue.items()
    result = await deliver_locally(world.service(), found, RAW, world.clock())
    assert isinstance(result.outcome, outcome)
    assert result.further == ()
    assert len(world.messages.raws(BOB.account_id)) == (outcome is Delivered)
