"""Mail that goes on elsewhere, and what comes back of it, over real connections."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from mailstack.mailauth.dkim import keys
from mailstack.model.delivery import OutgoingMail
from mailstack.model.handling import Notification
from mailstack.model.principal import Account, Forward
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.outbound.submit import Origin
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import sender_policy
from tests.support.smtp_world import ADMIN, SmtpWorld, serving


def forwarding(login: str, target: str, *, keep: bool) -> Account:
    return make_account(login, forward=Forward(targets=(target,), keep=keep))


def world_of(*accounts: Account, domain: str = "example.com") -> SmtpWorld:
    directory = MemoryAccounts(
        (*accounts, ADMIN), aliases={f"out@{domain}": ("f@elsewhere.example",)}, domains=(make_domain(domain),)
    )
    return SmtpWorld(accounts=directory)


async def hand_over(world: SmtpWorld, sender: str, recipient: str, reply: str, raw: bytes = b"Subject: x\r\n") -> None:
    """reply: of the closing dot, or of RCPT where that says no."""
    path = f"<{recipient}" if ">" in recipient else f"<{recipient}>"
    client = await world.connect()
    await client.play(f"S: 220 ...\nC: EHLO x.example\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<{sender}>\nS: 250 ...")
    if reply.startswith("RCPT"):
        await client.play(f"C: RCPT TO:<{recipient}>\nS: {reply[5:]}")
    else:
        await client.play(f"C: RCPT TO:{path}\nS: 250 ...\nC: DATA\nS: 354 ...")
        await client.send(raw + b".\r\n")
        await client.play(f"S: {reply}")
    await client.close()


def queued(world: SmtpWorld) -> Iterator[OutgoingMail]:
    while world.queue.mails:
        yield world.queue.mails.pop(0)


async def test_an_account_that_keeps_and_one_that_does_not() -> None:
    both = [
        forwarding(f"{name}@example.com", f"{name}@else.example", keep=name == "keeps") for name in ("keeps", "gone")
    ]
    world = world_of(*both)
    async with serving(world):
        for account in both:
            await hand_over(world, "x@y.example", account.login, "250 2.0.0 OK ...")
    assert [len(world.inbox(account)) for account in both] == [1, 0]
    assert b"Delivered-To" not in world.inbox(both[0])[0]
    mails = list(queued(world))
    assert [mail.recipients for mail in mails] == [("keeps@else.example",), ("gone@else.example",)]
    assert [bytes(mail.raw).startswith(b"Delivered-To: keeps") for mail in mails] == [True, False]


async def test_a_full_account_that_keeps_nothing_refuses_nothing() -> None:
    gone = replace(forwarding("gone@example.com", "g@else.example", keep=False), quota_bytes=1)
    world = world_of(gone)
    async with serving(world):
        await hand_over(world, "x@y.example", gone.login, "250 2.0.0 OK ...")
    assert len(world.queue.mails) == 1


async def test_a_notice_of_failure_goes_back_to_the_sender_and_no_other_mail_does() -> None:
    world = world_of()
    async with serving(world):
        await hand_over(world, "Alice@Them.example", "out@example.com", "250 2.0.0 OK ...")
        (mail,) = queued(world)
        path = mail.reverse_path
        assert path.startswith("SRS0=")
        assert path.endswith("=Them.example=Alice@example.com")
        for way_back in (path, path.lower(), path.upper()):
            await hand_over(world, "", way_back, "250 2.0.0 OK ...")
            (notice,) = queued(world)
            assert (notice.reverse_path, [to.lower() for to in notice.recipients]) == ("", ["alice@them.example"])
        await hand_over(
            world, "spam@evil.example", path, "RCPT 550 5.7.1 This address takes notices of failure only; ..."
        )
        forged = path.replace("=Alice@", "=Victim@")
        await hand_over(world, "", forged, "RCPT 550 5.1.1 No such recipient here")
        world.clock.advance(22 * 86_400_000)
        await hand_over(world, "", path, "RCPT 550 5.1.1 No such recipient here")
    assert not world.queue.mails


async def test_who_hears_of_a_failure_hears_which_of_their_recipients_it_was() -> None:
    """RFC 3461 §5.2.1: who asked for nothing has written the address all the same."""
    world = world_of()
    asking = "out@example.com> ORCPT=rfc822;bob@z.example NOTIFY=NEVER"
    async with serving(world):
        await hand_over(world, "x@y.example", "Out+a=b@example.com", "250 2.0.0 OK ...")
        await hand_over(world, "x@y.example", asking, "250 2.0.0 OK ...")
    first, second = (mail.notifications["f@elsewhere.example"] for mail in queued(world))
    assert first == Notification(original_recipient="rfc822;Out+2Ba+3Db@example.com")
    assert second == Notification(notify_on=frozenset(), original_recipient="rfc822;bob@z.example")


async def test_a_backup_leaves_the_way_back_to_the_primary() -> None:
    world = world_of()
    world.is_backup = True
    path = "SRS0=AAAAAAAA=AA=them.example=alice@example.com"
    async with serving(world):
        await hand_over(world, "", path, "250 2.0.0 OK ...")
        await hand_over(world, "x@y.example", path, "RCPT 550 5.7.1 This address takes notices of failure only; ...")
    assert [mail.recipients for mail in queued(world)] == [(path,)]


async def test_who_is_logged_in_sends_on_as_themselves() -> None:
    """Our own senders need no other path: SPF knows us."""
    world = world_of(make_account("alice@example.com"))
    submission = world.service().submission
    account = await world.accounts.find("alice@example.com")
    assert isinstance(account, Account)
    origin = Origin(ehlo_domain="x", peer_host="192.0.2.7", protocol="ESMTPSA", trace_id="t", smtp_utf8=False)
    await submission.submit(account, account.login, ["out@example.com"], b"From: alice@example.com\r\n\r\n", origin)
    (mail,) = queued(world)
    assert (mail.reverse_path, mail.recipients) == (account.login, ("f@elsewhere.example",))


@pytest.mark.parametrize(("here", "there"), [(True, True), (True, False), (False, True), (False, False)])
async def test_two_servers_that_forward_to_each_other_come_to_an_end(here: bool, there: bool) -> None:
    """Everyone who keeps has a copy, and where nobody does the sender hears of it."""
    ann = forwarding("ann@one.example", "bob@two.example", keep=here)
    bob = forwarding("bob@two.example", "ann@one.example", keep=there)
    one, two = world_of(ann, domain="one.example"), world_of(bob, domain="two.example")
    async with AsyncExitStack() as stack:
        for world in (one, two):
            await stack.enter_async_context(serving(world))
        await hand_over(one, "x@y.example", ann.login, "250 2.0.0 OK ...")
        (first,) = queued(one)
        await hand_over(two, first.reverse_path, bob.login, "250 2.0.0 OK ...", bytes(first.raw))
        (second,) = queued(two)
        assert second.reverse_path.startswith("SRS1=")
        answer = "250 2.0.0 OK ..." if here else "554 5.4.6 Too many hops, this mail goes in circles"
        await hand_over(one, second.reverse_path, ann.login, answer, bytes(second.raw))
        if not here:
            # The notice of it, by way of both servers.
            await hand_over(two, "", second.reverse_path, "250 2.0.0 OK ...")
            (notice,) = queued(two)
            await hand_over(one, "", notice.recipients[0], "250 2.0.0 OK ...")
            (notice,) = queued(one)
            assert notice.recipients == ("x@y.example",)
    assert (len(one.inbox(ann)), len(two.inbox(bob))) == (2 if here else 0, 1 if there else 0)
    assert not one.queue.mails
    assert not two.queue.mails


async def test_the_next_server_sees_our_spf_pass_and_by_our_seal_who_the_author_is() -> None:
    """Of a sender whose domain lets nobody else send, and asks for all else to be refused."""
    pair = keys.generate("rsa2048")
    ours, strict = ["v=spf1 ip4:127.0.0.1 -all"], ["v=DMARC1; p=reject"]
    # The domain lets whoever sends from here do so as the first server asks, and not as the next one does.
    at_first = {"them.example": ours, "_dmarc.them.example": strict}
    at_next = {
        "them.example": ["v=spf1 -all"],
        "_dmarc.them.example": strict,
        "example.com": ours,
        "r._domainkey.example.com": [keys.record("rsa2048", pair.public_key)],
    }
    first, bob = world_of(), make_account("bob@else.example")
    first.senders = sender_policy(MemoryResolver(txt=at_first))
    first.signing_keys["example.com"] = [keys.load(domain="example.com", selector="r", private_pem=pair.private_pem)]
    wary, trusting = world_of(bob, domain="else.example"), world_of(bob, domain="else.example")
    wary.senders = sender_policy(MemoryResolver(txt=at_next))
    trusting.senders = replace(wary.senders, trusted_sealers=frozenset({"example.com"}))
    async with AsyncExitStack() as stack:
        for world in (first, wary, trusting):
            await stack.enter_async_context(serving(world))
        raw = b"From: alice@them.example\r\nSubject: x\r\n\r\ntext\r\n"
        await hand_over(first, "alice@them.example", "out@example.com", "250 2.0.0 OK ...", raw)
        (mail,) = queued(first)
        await hand_over(wary, mail.reverse_path, bob.login, "550 5.7.26 ...", bytes(mail.raw))
        await hand_over(trusting, mail.reverse_path, bob.login, "250 2.0.0 OK ...", bytes(mail.raw))
    (message,) = trusting.inbox(bob)
    found = message.partition(b"Received:")[0]
    assert f"spf=pass smtp.mailfrom={mail.reverse_path}".encode() in found.replace(b'"', b"")
    for result in (b"arc=pass", b"dmarc=fail"):
        assert result in found
    assert message.endswith(raw)


async def test_mail_that_passed_an_address_is_refused_to_each_lmtp_recipient_for_itself() -> None:
    world = world_of(make_account("alice@example.com"))
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play(
            """
            S: 220 ...
            C: LHLO x
            S: 250-...
            S: 250 ...
            C: MAIL FROM:<x@y.example>
            S: 250 ...
            C: RCPT TO:<out@example.com>
            S: 250 ...
            C: RCPT TO:<alice@example.com>
            S: 250 ...
            C: DATA
            S: 354 ...
            C: Delivered-To: out@example.com
            C: .
            S: 554 5.4.6 ...
            S: 250 ...
            """
        )
        await client.close()
    assert not world.queue.mails
