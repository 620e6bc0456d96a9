"""Whatever fails while scripts are run and carried out: no mail is lost, and what was filed does not come again.

RFC 5228 §2.10.6.
"""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from mailstack.model.errors import AlreadyExists, NotFound, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.services.inbound.mail import Accept
from tests.support.filter_world import ALICE, BOB, DORA, SENDER, FilterWorld, mail_of
from tests.support.locked_memory import LockedMemory
from tests.support.memory_queue import MemoryQueue

HALF = "=?utf-7?q?a+2AA-?="
"""Half a character, which no other text holds."""
IF_SUBJECT = 'if header :matches "subject" "*"'


async def test_a_memory_that_cannot_be_written_brings_no_mail_again(world: FilterWorld) -> None:
    world.memory = LockedMemory(world.store.sieve_memory)
    extensions = '["duplicate", "vacation", "copy"]'
    await world.use(f'require {extensions}; if duplicate {{ discard; }} vacation "Away."; redirect :copy "{DORA}";')
    with capture_logs() as logged:
        assert isinstance(await world.receive(mail_of()), Accept)
    assert (await world.where(), await world.sent_to()) == ({"INBOX": 1}, [DORA])
    assert [line["what"] for line in logged if line["event"] == "not told"] == ["duplicate", "vacation"]


@pytest.mark.parametrize("script", ["reject", "ereject"])
async def test_a_refusal_that_cannot_be_queued_leaves_the_mail_with_its_sender(world: FilterWorld, script: str) -> None:
    world.queue = queue = MemoryQueue()
    queue.is_broken = True
    await world.use(f'require "{script}"; {script} "No.";')
    with pytest.raises(TryAgainLater):
        await world.receive(mail_of(), to=[ALICE, BOB])
    queue.is_broken = False
    assert isinstance(await world.receive(mail_of(), to=[ALICE, BOB]), Accept)
    # And what could not be done the first time waited for nobody: the notice is there once.
    assert await world.sent_to() == [SENDER]
    assert await world.where() == {}


async def test_an_answer_that_cannot_be_queued_brings_no_mail_again(world: FilterWorld) -> None:
    world.queue = queue = MemoryQueue()
    queue.is_broken = True
    await world.use('require "vacation"; vacation "Away.";')
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"INBOX": 1}


@pytest.mark.parametrize(
    "script",
    [
        f'require ["vacation", "variables"]; {IF_SUBJECT} {{ vacation :subject "${{1}}" "Of ${{1}}"; }}',
        f'require ["enotify", "variables"]; {IF_SUBJECT} {{ notify :message "${{1}}" "mailto:p@x.example"; }}',
        f'require ["reject", "variables"]; {IF_SUBJECT} {{ reject "No ${{1}}."; }}',
        f'require ["extlists", "variables"]; {IF_SUBJECT} {{ if valid_ext_list "${{1}}@example.com" {{ stop; }} }}',
    ],
)
async def test_half_a_character_stops_nothing(world: FilterWorld, script: str) -> None:
    await world.use(script)
    assert isinstance(await world.receive(mail_of(HALF)), Accept)
    if "reject" in script:
        assert await world.sent_to() == [SENDER]
    else:
        assert sum((await world.where()).values()) == 1


async def test_a_refusal_names_no_message_id_that_fits_no_line(world: FilterWorld) -> None:
    await world.use('require "reject"; reject "No.";')
    raw = mail_of().replace(b"<hello@elsewhere.example>", b"<%b@elsewhere.example>" % (b"x" * 1_500))
    await world.receive(raw, to=[ALICE, BOB])
    ((item, notice),) = await world.queued()
    assert item.recipient == SENDER
    assert b"Original-Message-ID" not in notice


class Contested:
    """Mailboxes, for which somebody else is always faster: makes them first, and deletes them again. bug: instead of
    finding one."""

    def __init__(self, mailboxes: DeliveryMailboxes, fault: Exception, *, bug: Exception | None = None) -> None:
        self._mailboxes = mailboxes
        self._fault = fault
        self._bug = bug

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return await self._mailboxes.list(account_id)

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        if self._bug is not None:
            raise self._bug
        return await self._mailboxes.find(account_id, names)

    async def create(
        self,
        account_id: AccountId,  # noqa: ARG002
        *,
        parent_id: MailboxId | None,  # noqa: ARG002
        name: str,  # noqa: ARG002
        role: MailboxRole | None = None,  # noqa: ARG002
    ) -> Mailbox:
        raise self._fault

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        await self._mailboxes.subscribe(account_id, mailbox_id, is_subscribed=is_subscribed)


@pytest.mark.parametrize("fault", [AlreadyExists("the role is taken"), NotFound("the one above is gone")])
async def test_a_mailbox_that_others_make_and_delete_refuses_no_mail(world: FilterWorld, fault: Exception) -> None:
    world.mailboxes = Contested(world.store.mailboxes, fault)
    await world.use('require ["fileinto", "mailbox"]; fileinto :create "A/B";')
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"INBOX": 1}


async def test_a_bug_that_a_script_meets_keeps_no_mail_from_coming_in(world: FilterWorld) -> None:
    world.mailboxes = Contested(world.store.mailboxes, NotFound("gone"), bug=IndexError("a bug"))
    await world.use('require "mailbox"; if not mailboxexists "Archive" { discard; }')
    with capture_logs() as logged:
        assert isinstance(await world.receive(mail_of()), Accept)
    # The mail, and word of the fault.
    assert await world.where() == {"INBOX": 2}
    assert [line["account"] for line in logged if line["event"] == "script not run"] == [ALICE]


async def test_a_bug_that_an_answer_meets_brings_no_mail_again(world: FilterWorld) -> None:
    world.memory = LockedMemory(world.store.sieve_memory, IndexError("a bug"))
    await world.use('require "vacation"; vacation "Away.";')
    with capture_logs() as logged:
        assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"INBOX": 1}
    assert [line["what"] for line in logged if line["event"] == "not told"] == ["vacation"]
