"""Who sent it, over a real connection: what is refused in which words, what is written on top. RFC 8601, RFC 9989."""

from base64 import b64encode
from collections.abc import Sequence

import structlog

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import untraced
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import sender_policy
from tests.support.smtp_world import ALICE, PASSWORD, SmtpWorld, serving

TXT = {
    "y.example": ["v=spf1 -all"],
    "ours.example": ["v=spf1 ip4:127.0.0.1 -all"],
    "_dmarc.strict.example": ["v=DMARC1; p=reject"],
    "_dmarc.wary.example": ["v=DMARC1; p=quarantine"],
    "_dmarc.ours.example": ["v=DMARC1; p=reject"],
}
DNS = MemoryResolver(txt=TXT, reverse={"127.0.0.1": ["client.example"]}, hosts={"client.example": ["127.0.0.1"]})
BROKEN = MemoryResolver(txt=TXT, failing={"_dmarc.strict.example"})


async def sent(world: SmtpWorld, *header: str, sender: str = "x@y.example", role: SmtpRole = SmtpRole.MX) -> str:
    """The reply to the whole message, without its trace."""
    async with serving(world, role):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
        await client.play(f"C: MAIL FROM:<{sender}>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(b"".join(line.encode() + b"\r\n" for line in header) + b"\r\nbody\r\n.\r\n")
        reply = await client.line()
        await client.close()
    return untraced(reply)


def world_with(resolver: MemoryResolver = DNS, **settings: bool | Sequence[str]) -> SmtpWorld:
    return SmtpWorld(senders=sender_policy(resolver, **settings))  # type: ignore[arg-type]  # its keywords


async def test_what_was_found_stands_on_top_and_what_claims_to_be_ours_is_gone() -> None:
    world = world_with()
    forged = "Authentication-Results: MAIL.example.com; dmarc=pass"
    other = "Authentication-Results: other.example; spf=pass"
    assert (await sent(world, forged, other, "From: x@y.example")).startswith("250 ")
    (message,) = world.inbox(ALICE)
    assert message.startswith(
        b"Return-Path: <x@y.example>\r\n"
        b"Authentication-Results: mail.example.com;\r\n"
        b"\tiprev=pass policy.iprev=127.0.0.1;\r\n"
        b"\tspf=fail "
    )
    assert b"\tdmarc=none " in message
    assert forged.encode() not in message
    assert message.endswith(f"{other}\r\nFrom: x@y.example\r\n\r\nbody\r\n".encode())


async def test_forged_mail_is_refused_as_its_domain_asks() -> None:
    world = world_with()
    assert await sent(world, "From: ceo@Strict.Example") == (
        "550 5.7.26 Refused as the DMARC policy of the From domain asks: neither SPF nor DKIM passes for it;"
        " send through its own servers"
    )
    assert world.inbox(ALICE) == []
    assert (await sent(world_with(), "From: x@ours.example", sender="x@ours.example")).startswith("250 ")


async def test_a_null_reverse_path_is_no_way_past_dmarc() -> None:
    """Stalwart 0.16.14: DMARC was skipped where SPF had no MAIL FROM to check."""
    assert (await sent(world_with(), "From: ceo@strict.example", sender="")).startswith("550 5.7.26 ")


async def test_a_second_from_field_is_no_way_past() -> None:
    for fields in (["From: x@y.example", "From: ceo@strict.example"], ["From: x@y.example, ceo@strict.example"]):
        assert (await sent(world_with(), *fields)).startswith("550 5.6.0 The From field must name one author")


async def test_quarantined_mail_goes_to_the_mailbox_for_junk() -> None:
    world = world_with()
    assert (await sent(world, "From: ceo@wary.example")).startswith("250 ")
    by_role = {mailbox.role: mailbox for mailbox in await world.messages.mailboxes.list(ALICE.account_id)}
    placed = await world.messages.placements(ALICE.account_id, by_role[MailboxRole.JUNK].mailbox_id)
    assert len(placed) == len(world.inbox(ALICE)) == 1


async def test_a_failed_spf_is_marked_or_refused() -> None:
    assert (await sent(world_with(), "From: x@y.example")).startswith("250 ")
    assert await sent(world_with(refuses_spf_fail=True), "From: x@y.example") == (
        "550 5.7.23 The SPF record of the sender's domain does not let your server send for it"
    )


async def test_without_dns_mail_is_marked_or_comes_again() -> None:
    world = world_with(BROKEN)
    assert (await sent(world, "From: ceo@strict.example")).startswith("250 ")
    assert b"\tdmarc=temperror " in world.inbox(ALICE)[0]
    assert await sent(world_with(BROKEN, defers_without_dns=True), "From: ceo@strict.example") == (
        "451 4.7.24 DNS of the sender's domain does not answer; try again later"
    )


async def test_our_own_machines_and_accounts_are_not_checked() -> None:
    world = world_with(trusted_peers=("127.0.0.0/8",))
    assert (await sent(world, "From: ceo@strict.example")).startswith("250 ")
    assert b"Authentication-Results" not in world.inbox(ALICE)[0]


async def test_an_account_says_nothing_of_what_servers_found() -> None:
    world = world_with()
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        response = b64encode(f"\0alice@example.com\0{PASSWORD}".encode()).decode()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
        await client.play(f"C: AUTH PLAIN {response}\nS: 235 2.7.0 Authenticated")
        await client.play("C: MAIL FROM:<alice@example.com>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(
            b"From: alice@example.com\r\nAuthentication-Results: mail.example.com; dmarc=pass\r\n\r\nx\r\n.\r\n"
        )
        await client.play("S: 250 ...")
        await client.close()
    (message,) = world.inbox(ALICE)
    assert b"Authentication-Results" not in message


async def test_the_log_has_every_verdict() -> None:
    with structlog.testing.capture_logs() as logs:
        await sent(world_with(), "From: ceo@strict.example")
    (line,) = [entry for entry in logs if entry["event"] == "transaction"]
    assert [line[name] for name in ("iprev", "helo", "spf", "spf_domain", "dkim", "arc")] == [
        "pass", "none", "fail", "y.example", (), "none",
    ]  # fmt: skip
    assert [line[name] for name in ("dmarc", "from_domain", "policy", "reason", "detail", "code", "status")] == [
        "fail", "strict.example", "reject", "DMARC", "policy of strict.example", 550, "5.7.26",
    ]  # fmt: skip
