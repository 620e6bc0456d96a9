"""Answers and notifications: to whom, how often, and as what. RFC 5230, RFC 6131, RFC 8580, RFC 5436."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from mailstack.mailauth import srs
from mailstack.mailauth.dkim import keys
from mailstack.model.handling import Handling
from mailstack.model.verdict import DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Accept
from tests.support.dkim_check import check
from tests.support.filter_world import ALICE, BOB, SENDER, FilterWorld, mail_of
from tests.support.senders import known

AWAY = 'require "vacation"; vacation "I am away.";'
NOTIFYING = 'require "enotify"; notify :message "You have mail" "mailto:phone@elsewhere.example?body=Look";'
DAY_MS = 86_400_000
FORGED = known(DmarcVerdict(result=DmarcResult.NONE, from_domain="x.example"), spf=SpfResult.FAIL)
PAIR = keys.generate("ed25519")


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=default)
    assert isinstance(found, EmailMessage)
    return found


async def test_an_answer(world: FilterWorld) -> None:
    world.signing_keys["example.com"] = [keys.load(domain="example.com", selector="s", private_pem=PAIR.private_pem)]
    await world.use(AWAY)
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"INBOX": 1}
    ((item, raw),) = await world.queued()
    assert (item.reverse_path, item.recipient) == ("", SENDER)
    assert item.notification.notify_on == frozenset()
    answer = parsed(raw)
    assert answer["From"] == "Alice Example <alice@example.com>"
    assert answer["To"] == f"Carol <{SENDER}>"
    assert answer["Subject"] == "Auto: Hello"
    assert answer["Auto-Submitted"] == "auto-replied (vacation)"
    assert answer["In-Reply-To"] == "<hello@elsewhere.example>"
    assert answer.get_content().strip() == "I am away."
    assert check(raw, {"s": f"v=DKIM1; k=ed25519; p={PAIR.public_key}".encode()}) == ["pass"]


async def test_the_same_sender_is_answered_once_in_a_period_others_at_once(world: FilterWorld) -> None:
    await world.use(AWAY)
    for sender in (SENDER, SENDER.upper(), "eve@elsewhere.example"):
        await world.receive(mail_of(), sender=sender)
    assert await world.sent_to() == [SENDER, "eve@elsewhere.example"]
    world.clock.advance(7 * DAY_MS + 1)
    await world.receive(mail_of())
    assert await world.sent_to() == [SENDER, SENDER, "eve@elsewhere.example"]


async def test_a_sender_is_known_by_whichever_way_the_mail_comes(world: FilterWorld) -> None:
    await world.use(AWAY)
    for _ in range(3):
        path = srs.rewrite(SENDER, "example.com", key=world.forwarding().path_key, now=world.clock())
        assert path is not None
        await world.receive(mail_of(), sender=path)
        world.clock.advance(DAY_MS)
    await world.receive(mail_of())
    assert len(await world.sent_to()) == 1


async def test_another_text_is_another_answer_but_for_its_handle(world: FilterWorld) -> None:
    await world.use(AWAY)
    await world.receive(mail_of())
    await world.use('require "vacation"; vacation "Still away.";')
    await world.receive(mail_of())
    await world.use('require "vacation"; vacation :handle "h" "One.";')
    await world.receive(mail_of())
    await world.use('require "vacation"; vacation :handle "h" "Two.";')
    await world.receive(mail_of())
    assert len(await world.queued()) == 3


async def test_no_seconds_between_answers(world: FilterWorld) -> None:
    await world.use('require "vacation-seconds"; vacation :seconds 0 "I am away.";')
    for _ in range(2):
        await world.receive(mail_of())
    assert len(await world.queued()) == 2


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (mail_of(), ""),
        (mail_of(), ALICE),
        (mail_of(), "owner-list@elsewhere.example"),
        (mail_of(), "MAILER-DAEMON@elsewhere.example"),
        (mail_of(to="undisclosed@example.com"), SENDER),
        (mail_of(fields="Auto-Submitted: auto-replied\r\n"), SENDER),
        (mail_of(fields="List-Id: <l.elsewhere.example>\r\n"), SENDER),
        (mail_of(fields="List-Archive: <https://l.elsewhere.example>\r\n"), SENDER),
        (mail_of(fields="Precedence: bulk\r\n"), SENDER),
    ],
)
async def test_nobody_is_answered_who_should_not_be(world: FilterWorld, raw: bytes, sender: str) -> None:
    await world.use(AWAY)
    await world.receive(raw, sender=sender)
    assert await world.sent_to() == []
    assert await world.where() == {"INBOX": 1}


async def test_neither_junk_nor_a_forged_path_is_answered(world: FilterWorld) -> None:
    await world.use(AWAY)
    await world.receive(mail_of(), is_suspicious=True)
    await world.receive(mail_of(), authentication=FORGED)
    assert await world.sent_to() == []


async def test_own_addresses_and_those_that_the_script_names_are_meant(world: FilterWorld) -> None:
    await world.use('require "vacation"; vacation :addresses "sales@example.com" "I am away.";')
    for number, to in enumerate(("a.example@example.com", "sales@example.com", "alice+x@example.com")):
        await world.receive(mail_of(to=to), to=[to if "+" in to else ALICE], sender=f"s{number}@elsewhere.example")
    assert len(await world.queued()) == 3


@pytest.mark.parametrize(
    ("wished", "found"),
    [
        ("A. <a.example@example.com>", '"A." <a.example@example.com>'),
        ("boss@example.com", "Alice Example <alice@example.com>"),
    ],
)
async def test_an_answer_is_from_one_of_the_accounts_addresses(world: FilterWorld, wished: str, found: str) -> None:
    await world.use(f'require "vacation"; vacation :from "{wished}" "I am away.";')
    await world.receive(mail_of())
    assert parsed((await world.queued())[0][1])["From"] == found


async def test_a_copy_of_the_answer_is_filed(world: FilterWorld) -> None:
    extensions = '["vacation", "fcc", "mailbox", "imap4flags"]'
    await world.use(f'require {extensions}; vacation :fcc "Sent/Auto" :create :flags "\\\\Seen" "I am away.";')
    await world.receive(mail_of())
    ((copy, flags),) = (await world.placed())["Sent/Auto"]
    assert copy == (await world.queued())[0][1]
    assert flags == {"\\Seen"}


async def test_an_entity_that_is_none_is_no_answer_and_loses_nothing(world: FilterWorld) -> None:
    await world.use('require "vacation"; vacation :mime "no entity";')
    assert isinstance(await world.receive(mail_of()), Accept)
    assert (await world.where(), await world.sent_to()) == ({"INBOX": 1}, [])


async def test_a_notification(world: FilterWorld) -> None:
    await world.use(NOTIFYING)
    await world.receive(mail_of())
    ((item, raw),) = await world.queued()
    # RFC 5436 §2.7: whoever wants them hears when they do not arrive.
    assert (item.reverse_path, item.recipient) == (ALICE, "phone@elsewhere.example")
    told = parsed(raw)
    assert told["Subject"] == "You have mail"
    assert told["From"] == ALICE
    assert told["Auto-Submitted"] == f'auto-notified; owner-email="{ALICE}"'
    assert told.get_content().strip() == "Look"
    assert await world.where() == {"INBOX": 1}


@pytest.mark.parametrize("sender", [SENDER, ""])
async def test_no_notification_sets_off_another(world: FilterWorld, sender: str) -> None:
    await world.use(NOTIFYING)
    await world.receive(mail_of(fields="Auto-Submitted: auto-notified\r\n"), sender=sender)
    assert await world.sent_to() == []


async def test_a_mail_with_a_null_path_sets_off_a_notification_with_one(world: FilterWorld) -> None:
    await world.use(NOTIFYING)
    await world.receive(mail_of(), sender="")
    ((item, _),) = await world.queued()
    assert (item.reverse_path, item.recipient) == ("", "phone@elsewhere.example")


async def test_a_header_beyond_ascii_asks_for_smtputf8(world: FilterWorld) -> None:
    await world.use(AWAY)
    raw = mail_of().replace(b"<hello@elsewhere.example>", "<grüße@elsewhere.example>".encode())
    await world.receive(raw)
    ((item, answer),) = await world.queued()
    assert "In-Reply-To: <grüße@elsewhere.example>".encode() in answer
    assert item.smtp_utf8


async def test_without_a_subject_the_answer_has_one_of_its_own(world: FilterWorld) -> None:
    await world.use(AWAY)
    await world.receive(mail_of().replace(b"Subject: Hello\r\n", b""))
    assert parsed((await world.queued())[0][1])["Subject"] == "Automated reply"


async def test_an_answer_is_signed_however_the_address_was_written(world: FilterWorld) -> None:
    world.signing_keys["example.com"] = [keys.load(domain="example.com", selector="s", private_pem=PAIR.private_pem)]
    await world.use(AWAY)
    await world.receive(mail_of(), to=["Alice@EXAMPLE.COM"])
    ((_, answer),) = await world.queued()
    assert check(answer, {"s": f"v=DKIM1; k=ed25519; p={PAIR.public_key}".encode()}) == ["pass"]


async def test_a_report(world: FilterWorld) -> None:
    await world.use('require "vnd.dovecot.report"; report "abuse" "Spam." "desk@elsewhere.example";')
    await world.receive(mail_of())
    ((item, raw),) = await world.queued()
    assert (item.reverse_path, item.recipient) == ("", "desk@elsewhere.example")
    told = parsed(raw)
    assert told["Subject"] == "Report: Hello"
    text, feedback, mail = told.iter_parts()
    assert text.get_content().strip() == "Spam."
    assert f"Dovecot-Reporting-User: <{ALICE}>" in feedback.as_string()
    assert mail.get_content_type() == "message/rfc822"
    assert await world.where() == {"INBOX": 1}


@pytest.mark.parametrize(
    ("address", "fields"),
    [(ALICE, ""), (ALICE.upper(), ""), ("desk@elsewhere.example", "Auto-Submitted: auto-generated (report)\r\n")],
)
async def test_no_report_goes_round(world: FilterWorld, address: str, fields: str) -> None:
    await world.use(f'require "vnd.dovecot.report"; report "abuse" "Spam." "{address}";')
    await world.receive(mail_of(fields=fields))
    assert await world.queued() == []
    assert await world.where() == {"INBOX": 1}


async def test_a_script_knows_whose_it_is(world: FilterWorld) -> None:
    await world.use(
        'require ["vnd.dovecot.environment", "variables", "enotify"];'
        'notify :message "${env.vnd.dovecot.username}" "mailto:phone@elsewhere.example";'
    )
    await world.receive(mail_of())
    ((_, raw),) = await world.queued()
    assert parsed(raw)["Subject"] == ALICE


async def test_what_is_written_because_of_a_mail_asks_for_tls_as_it_did(world: FilterWorld) -> None:
    await world.use(AWAY)
    await world.receive(mail_of(), handling=Handling(requires_tls=True))
    await world.receive(mail_of(fields="TLS-Required: No\r\n"), sender="eve@elsewhere.example")
    by_recipient = {item.recipient: (item, raw) for item, raw in await world.queued()}
    assert by_recipient[SENDER][0].handling == Handling(requires_tls=True)
    assert b"TLS-Required: No\r\n" in by_recipient["eve@elsewhere.example"][1]


async def test_each_account_answers_for_itself(world: FilterWorld) -> None:
    await world.use(AWAY)
    await world.use(AWAY, of=BOB)
    await world.receive(mail_of(to=f"{ALICE}>, <{BOB}"), to=[ALICE, BOB])
    assert sorted(parsed(raw)["From"] for _, raw in await world.queued()) == [
        "Alice Example <alice@example.com>",
        "Bob <bob@example.com>",
    ]
