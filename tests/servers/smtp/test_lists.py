"""Mail to lists over real connections: who may post, what members get, how they leave. RFC 2369, RFC 8058, RFC 3834."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mailstack.mailauth.dkim import keys, verify
from mailstack.model.handling import NotifyOn
from mailstack.model.instant import Instant
from mailstack.model.principal import AliasTargets, MailingList, Posters
from mailstack.model.verdict import DkimResult
from mailstack.net.connections import Connections
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dkim_signer import record, signed
from tests.support.mailing_lists import make_list
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import sender_policy
from tests.support.smtp_world import ADMIN, ALICE, BOB, PASSWORD, SmtpWorld, serving

MEMBER = "member@strict.example"
AWAY = "away@elsewhere.example"
PAIR = keys.generate("ed25519")
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
DNS = MemoryResolver(
    txt={
        "strict.example": ["v=spf1 ip4:127.0.0.1 -all"],
        "_dmarc.strict.example": ["v=DMARC1; p=reject"],
        "plain.example": ["v=spf1 ip4:127.0.0.1 -all"],
        "s._domainkey.strict.example": [record(KEY)],
        "sel._domainkey.example.com": [keys.record("ed25519", PAIR.public_key)],
    },
    reverse={"127.0.0.1": ["client.example"]},
    hosts={"client.example": ["127.0.0.1"]},
)


def team(**rules: object) -> MailingList:
    members = (ALICE.login, ADMIN.login, MEMBER, "member@plain.example", AWAY)
    return make_list("team@example.com", *members, **rules)  # type: ignore[arg-type]  # its keywords


def world_with(mailing_list: MailingList) -> SmtpWorld:
    world = SmtpWorld(senders=sender_policy(DNS))
    world.accounts.owners[mailing_list.address] = mailing_list
    world.signing_keys["example.com"] = [keys.load(domain="example.com", selector="sel", private_pem=PAIR.private_pem)]
    return world


async def post(
    world: SmtpWorld,
    *header: str,
    sender: str,
    to: tuple[str, ...] = ("team@example.com",),
    role: SmtpRole = SmtpRole.MX,
) -> str:
    """The reply to the message."""
    world.connections = Connections()
    async with serving(world, role):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
        if role is SmtpRole.SUBMISSION:
            login = base64.b64encode(f"\0{ALICE.login}\0{PASSWORD}".encode()).decode()
            await client.play(f"C: AUTH PLAIN {login}\nS: 235 ...")
        await client.play(f"C: MAIL FROM:<{sender}>\nS: 250 ...")
        for each in to:
            await client.play(f"C: RCPT TO:<{each}>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(b"".join(line.encode() + b"\r\n" for line in header) + b"\r\nbody\r\n.\r\n")
        reply = await client.line()
        await client.close()
    return reply


def field_of(raw: bytes, name: str) -> str:
    found = re.search(rb"^%b: ([^\n]*(?:\n[ \t][^\n]*)*)" % name.encode(), raw, re.MULTILINE | re.IGNORECASE)
    return "" if found is None else re.sub(r"\r\n\s", " ", found[1].decode()).strip()


async def leaving(world: SmtpWorld) -> dict[str, tuple[str, bytes]]:
    """By recipient: the reverse path, and the message as it leaves."""
    found = {}
    for item in await world.queue.items():
        own, content = await world.lists().personal(item, await world.queue.content(item.mail_id))
        found[item.recipient] = (own.reverse_path, content)
    return found


async def test_a_member_posts_and_every_other_member_has_it_once() -> None:
    world = world_with(team())
    author = "member@plain.example"
    assert (await post(world, f"From: M <{author}>", "Subject: hello", sender=author)).startswith("250 2.0.0 OK")
    assert [len(world.inbox(each)) for each in (ALICE, ADMIN)] == [1, 1]
    (item, *_) = items = await world.queue.items()
    assert sorted(each.recipient for each in items) == [AWAY, "member@plain.example", MEMBER]
    assert len({each.mail_id for each in items}) == 1
    assert item.reverse_path == world.lists().distribution.copies.path_in_queue(team())
    (message,) = world.inbox(ALICE)
    assert message.startswith(b"Return-Path: <team-bounces+alice=example.com@example.com>\r\n")
    assert field_of(message, "List-Id") == '"Team" <team.example.com>'
    assert field_of(message, "List-Post") == "<mailto:team@example.com>"
    assert field_of(message, "List-Owner") == "<mailto:team-owner@example.com>"
    assert field_of(message, "Precedence") == "list"
    assert (field_of(message, "From"), field_of(message, "Subject")) == (f"M <{author}>", "hello")
    assert message.endswith(b"\r\n\r\nbody\r\n")


async def test_a_list_elsewhere_that_leads_back_ends_at_the_second_round() -> None:
    """Whose List-Id takes the place of ours, as RFC 2919 §5 has it."""
    world = world_with(team())
    await post(world, f"From: {MEMBER}", sender=MEMBER)
    (_, message) = (await leaving(world))[AWAY]
    fields = (f"Delivered-To: {field_of(message, 'Delivered-To')}", "List-Id: <other.elsewhere.example>")
    assert (await post(world, *fields, f"From: {MEMBER}", sender=MEMBER)).startswith("554 5.4.6 ")


async def test_what_is_no_lists_is_not_signed_in_its_name() -> None:
    world = world_with(team())
    world.accounts.owners["away@example.com"] = AliasTargets(targets=(AWAY,))
    forged = "team-bounces@example.com"
    reply = await post(world, "From: admin@example.com", "Subject: pay", sender=forged, to=("away@example.com",))
    assert reply.startswith("250 ")
    path, message = (await leaving(world))[AWAY]
    assert path == forged
    assert b"DKIM-Signature: " not in message
    assert b"List-Unsubscribe: " not in message


async def test_each_copy_has_its_own_way_out_and_is_signed_with_it() -> None:
    world = world_with(team())
    await post(world, f"From: {MEMBER}", "Subject: hello", sender=MEMBER)
    copies = await leaving(world)
    path, message = copies[AWAY]
    assert path == "team-bounces+away=elsewhere.example@example.com"
    link, mailto = field_of(message, "List-Unsubscribe").split(", ")
    assert link.startswith("<https://mail.example.com/lists/unsubscribe?token=")
    assert mailto.startswith("<mailto:team-unsubscribe@example.com?subject=")
    assert field_of(message, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    signed = field_of(message, "DKIM-Signature")
    assert "h=list-unsubscribe:list-unsubscribe-post:" in signed.replace(" ", "")
    (verdict,) = await verify.verify(DNS, message, now=world.clock())
    assert (verdict.result, verdict.domain) == (DkimResult.PASS, "example.com")
    assert field_of(world.inbox(ALICE)[0], "List-Unsubscribe") != field_of(message, "List-Unsubscribe")


@pytest.mark.parametrize(
    ("sender", "header", "reply"),
    [
        ("x@strict.example", ["From: x@strict.example"], "550 5.7.1 This list takes mail of those who may post;"),
        ("x@evil.example", ["From: x@evil.example"], "550 5.7.1 This list takes mail where DMARC, SPF or DKIM shows"),
        ("x@evil.example", [f"From: {AWAY}"], "550 5.7.1 This list takes mail where DMARC, SPF or DKIM shows"),
        (AWAY, [f"From: {AWAY}"], "550 5.7.1 This list takes mail where DMARC, SPF or DKIM shows"),
        (MEMBER, [f"From: {MEMBER}, x@strict.example"], "550 5.7.1 This list takes mail of those who may post;"),
        (MEMBER, [f"From: {MEMBER}", "Auto-Submitted: auto-replied (vacation)"], "550 5.7.1 Automatic answers"),
        ("", [f"From: {MEMBER}"], "550 5."),
        (MEMBER, [f"From: {MEMBER}", "List-Id: Team <TEAM.example.com>"], "5"),
        ("member@plain.example", ["From: member@plain.example"], "250 2.0.0 OK"),
        (MEMBER, [f"From: {MEMBER}", "Auto-Submitted: no"], "250 2.0.0 OK"),
    ],
)
async def test_who_may_post(sender: str, header: list[str], reply: str) -> None:
    world = world_with(team())
    assert (await post(world, *header, sender=sender)).startswith(reply)
    assert bool(world.inbox(ALICE)) is reply.startswith("250")
    assert bool(await world.queue.items()) is reply.startswith("250")


async def test_a_list_for_anyone_and_one_for_its_owners() -> None:
    assert (await post(world_with(team(post=Posters.ANYONE)), "From: x@y.example", sender="x@y.example"))[:3] == "250"
    owners = team(post=Posters.OWNERS, owners=(ALICE.login,))
    assert (await post(world_with(owners), f"From: {MEMBER}", sender=MEMBER))[:3] == "550"
    world = world_with(owners)
    reply = await post(world, "From: a.example@example.com", sender=ALICE.login, role=SmtpRole.SUBMISSION)
    assert reply.startswith("250")
    assert field_of(world.inbox(ADMIN)[0], "List-Post") == "NO"


async def test_what_a_list_refuses_nobody_gets_and_its_author_is_told() -> None:
    world = world_with(team())
    to = ("alice@example.com", "team@example.com")
    assert (await post(world, "From: x@y.example", sender="x@y.example", to=to))[:3] == "550"
    assert world.inbox(ALICE) == []


async def test_over_lmtp_each_recipient_has_an_answer() -> None:
    world = world_with(team())
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play("S: 220 ...\nC: LHLO client.example\nS: 250-...\nS: 250 ...")
        await client.play("C: MAIL FROM:<x@y.example>\nS: 250 ...")
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 ...\nC: RCPT TO:<team@example.com>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(b"From: x@y.example\r\n\r\nbody\r\n.\r\n")
        await client.play("S: 250 2.1.5 ...\nS: 550 5.7.1 This list takes mail of those who may post...")
        await client.close()
    assert len(world.inbox(ALICE)) == 1


async def test_a_sender_who_asked_is_told_that_the_list_has_it() -> None:
    world = world_with(team())
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...")
        login = base64.b64encode(f"\0{ALICE.login}\0{PASSWORD}".encode()).decode()
        await client.play(f"C: AUTH PLAIN {login}\nS: 235 ...\nC: MAIL FROM:<{ALICE.login}>\nS: 250 ...")
        await client.play("C: RCPT TO:<team@example.com> NOTIFY=SUCCESS\nS: 250 ...\nC: DATA\nS: 354 ...")
        await client.send(f"From: {ALICE.login}\r\n\r\nbody\r\n.\r\n".encode())
        await client.play("S: 250 ...")
        await client.close()
    asked = {item.recipient: item.notification.notify_on for item in await world.queue.items()}
    assert asked.pop(ALICE.login) is None  # the notice
    assert set(asked.values()) == {frozenset({NotifyOn.FAILURE})}


async def test_members_whose_mailboxes_are_full_wait_with_one_mail() -> None:
    world = world_with(make_list("team@example.com", ALICE.login, BOB.login, "full@example.com", MEMBER))
    world.accounts.put(make_account("full@example.com", quota_bytes=10))
    assert (await post(world, f"From: {MEMBER}", sender=MEMBER))[:3] == "250"
    assert len(world.inbox(ALICE)) == 1
    items = [item for item in await world.queue.items() if item.recipient != MEMBER]
    assert [item.recipient for item in items] == [BOB.login, "full@example.com"]
    assert len({item.mail_id for item in items}) == 1
    assert await world.lists().has_sent(items[0])
    assert b"List-Unsubscribe" not in await world.queue.content(items[0].mail_id)


async def test_who_has_it_directly_gets_no_copy_of_the_list() -> None:
    world = world_with(team())
    await post(world, f"From: {MEMBER}", sender=MEMBER, to=("alice@example.com", "team@example.com"))
    (message,) = world.inbox(ALICE)
    assert b"List-Id" not in message
    assert b"List-Id" in world.inbox(ADMIN)[0]


@pytest.mark.parametrize(
    ("rules", "author"),
    [
        ({}, f"M <{MEMBER}>"),  # nothing that is signed has changed
        ({"replies_to_list": True}, f"M <{MEMBER}>"),
        ({"subject_prefix": "[team]"}, '"M via Team" <team@example.com>'),
    ],
)
async def test_from_stays_while_the_authors_signature_does(rules: dict[str, object], author: str) -> None:
    world = world_with(team(**rules))
    message = signed(f"From: M <{MEMBER}>\r\nSubject: hello\r\n\r\nbody\r\n".encode(), KEY, {"d": "strict.example"})
    header = message.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert (await post(world, *header, sender="x@elsewhere.example"))[:3] == "250"
    (copy,) = world.inbox(ALICE)
    assert field_of(copy, "From") == author
    found = {each.domain: each.result for each in await verify.verify(DNS, copy, now=world.clock())}
    whole = {"example.com": DkimResult.PASS, "strict.example": DkimResult.PASS}
    assert found == (whole if author.startswith("M <") else {"example.com": DkimResult.PASS})


async def test_a_signature_that_a_trusted_peer_has_checked_keeps_from() -> None:
    message = signed(f"From: M <{MEMBER}>\r\n\r\nbody\r\n".encode(), KEY, {"d": "strict.example"})
    header = message.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    for fields, author in ((header, f"M <{MEMBER}>"), (header[-1:], '"M via Team" <team@example.com>')):
        world = world_with(team())
        world.senders = sender_policy(DNS, trusted_peers=("127.0.0.0/8",))
        assert (await post(world, *fields, sender=MEMBER))[:3] == "250"
        assert field_of(world.inbox(ALICE)[0], "From") == author


async def test_a_prefix_costs_the_authors_name_in_from_only_where_dmarc_would_refuse_it() -> None:
    world = world_with(team(subject_prefix="[team]"))
    await post(world, f"From: M <{MEMBER}>", "Subject: hello", sender=MEMBER)
    (message,) = world.inbox(ALICE)
    assert field_of(message, "Subject") == "[team] hello"
    assert field_of(message, "From") == '"M via Team" <team@example.com>'
    assert (field_of(message, "Author"), field_of(message, "Reply-To")) == (f"M <{MEMBER}>", f"M <{MEMBER}>")
    world = world_with(team(subject_prefix="[team]"))
    await post(world, "From: member@plain.example", "Subject: Re: [team] x", sender="member@plain.example")
    (message,) = world.inbox(ALICE)
    assert (field_of(message, "From"), field_of(message, "Subject")) == ("member@plain.example", "Re: [team] x")
    world = world_with(team(subject_prefix="[team]"))
    await post(world, f"From: {ALICE.login}", "Subject: x", sender=ALICE.login, role=SmtpRole.SUBMISSION)
    (_, copy) = (await leaving(world))[AWAY]
    assert (field_of(copy, "From"), field_of(copy, "Subject")) == (ALICE.login, "[team] x")
    assert {each.result for each in await verify.verify(DNS, copy, now=world.clock())} == {DkimResult.PASS}


@pytest.mark.parametrize(
    ("author", "policy", "is_kept"),
    [
        ("x@above.example", "v=DMARC1; p=reject", True),
        ("x@above.example", "v=DMARC1; p=reject; adkim=s", False),
        ("x@beside.above.example", "v=DMARC1; p=reject", True),
        ("x@lists.above.example", "v=DMARC1; p=reject; adkim=s", True),
    ],
)
async def test_from_stays_where_the_lists_signature_speaks_for_it(author: str, policy: str, is_kept: bool) -> None:
    team = make_list("team@lists.above.example", AWAY, post=Posters.ANYONE)
    hosts = ("above.example", "beside.above.example", "lists.above.example")
    spf = {host: ["v=spf1 ip4:127.0.0.1 -all"] for host in hosts}
    dns = MemoryResolver(txt={**spf, "_dmarc.above.example": [policy]}, reverse=DNS.reverse, hosts=DNS.hosts)
    world = SmtpWorld(senders=sender_policy(dns))
    world.accounts.owners[team.address] = team
    world.accounts.domains["lists.above.example"] = make_domain("lists.above.example")
    assert (await post(world, f"From: {author}", sender=author, to=(team.address,)))[:3] == "250"
    (_, message) = (await leaving(world))[AWAY]
    assert (field_of(message, "From") == author) is is_kept


async def test_a_member_who_is_written_to_has_it_once_however_that_is_spelled() -> None:
    world = world_with(team())
    to = ("Away@Elsewhere.Example", "team@example.com")
    await post(world, f"From: {ALICE.login}", sender=ALICE.login, role=SmtpRole.SUBMISSION, to=to)
    recipients = [item.recipient for item in await world.queue.items()]
    assert (recipients.count(to[0]), recipients.count(AWAY)) == (1, 0)


async def test_a_received_mail_is_sealed_by_the_list() -> None:
    world = world_with(team())
    await post(world, f"From: {MEMBER}", sender=MEMBER)
    (message,) = world.inbox(ALICE)
    assert "cv=none" in field_of(message, "ARC-Seal")
    assert "dmarc=pass" in field_of(message, "ARC-Authentication-Results")


async def test_owners_have_their_mail_and_the_bounces() -> None:
    world = world_with(team(owners=(ADMIN.login,)))
    for to in ("team-owner", "team-request", "team-bounces+away=elsewhere.example"):
        assert (await post(world, "From: x@y.example", sender="", to=(f"{to}@example.com",)))[:3] == "250"
    assert (len(world.inbox(ADMIN)), len(world.inbox(ALICE))) == (3, 0)
    assert await world.queue.items() == []


async def test_whoever_leaves_by_mail_gets_nothing_more(logged: list[dict[str, object]]) -> None:
    world = world_with(team())
    leave = ("team-unsubscribe@example.com",)
    await post(world, f"From: {MEMBER}", sender=MEMBER)
    (_, copy) = (await leaving(world))[AWAY]
    token = field_of(copy, "List-Unsubscribe").rpartition("subject=")[2].rstrip(">")
    assert (await post(world, "From: x@y.example", f"Subject: {token}", sender="x@y.example", to=leave))[:3] == "250"
    assert (await post(world, f"From: {MEMBER}", sender=MEMBER, to=leave))[:3] == "250"
    reply = await post(world, f"From: {ALICE.login}", sender=ALICE.login, to=leave, role=SmtpRole.SUBMISSION)
    assert reply[:3] == "250"
    left = await world.unsubscribed.members("team@example.com")
    assert sorted(left) == [ALICE.login, AWAY, MEMBER]
    told = {event["member"]: event["trace"] for event in logged if event["event"] == "unsubscribed"}
    assert told.keys() == left.keys()
    assert reply.endswith(str(told[ALICE.login]))
    before = len(world.inbox(ALICE)), len(world.inbox(ADMIN))
    await post(world, "From: member@plain.example", sender="member@plain.example")
    assert (len(world.inbox(ALICE)), len(world.inbox(ADMIN))) == (before[0], before[1] + 1)
    assert (await post(world, f"From: {MEMBER}", sender=MEMBER))[:3] == "550"


@pytest.mark.parametrize("subject", ["unsubscribe", "A" * 60])
async def test_nobody_lets_another_leave(subject: str) -> None:
    world = world_with(team())
    leave = ("team-unsubscribe@example.com",)
    for author, sender in ((AWAY, "x@evil.example"), ("x@strict.example", "x@strict.example")):
        reply = await post(world, f"From: {author}", f"Subject: {subject}", sender=sender, to=leave)
        assert reply.startswith("550 5.7.1 ")
    assert await world.unsubscribed.members("team@example.com") == {}


async def test_where_nobody_may_leave_there_is_no_address_for_it() -> None:
    world = world_with(team(has_unsubscribe=False))
    await world.unsubscribed.add("team@example.com", ALICE.login, now=Instant(1))
    await post(world, f"From: {MEMBER}", sender=MEMBER)
    (_, copy) = (await leaving(world))[AWAY]
    assert b"List-Unsubscribe" not in copy
    assert world.inbox(ALICE) == []  # who has left has left
    world.connections = Connections()
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<x@y.example>\nS: 250 ...")
        await client.play("C: RCPT TO:<team-unsubscribe@example.com>\nS: 550 5.1.1 ...")
        await client.close()
