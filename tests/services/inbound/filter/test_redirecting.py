"""Mail that scripts send on. RFC 5228 §4.2, RFC 6009, RFC 6134 §2.7."""

import pytest
from structlog.testing import capture_logs

from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from mailstack.model.verdict import Authentication, DmarcPolicy, DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Accept
from tests.support.filter_world import ALICE, BOB, DORA, SENDER, SMALL, SMALL_QUOTA, FilterWorld, mail_of
from tests.support.senders import known

ONWARD = f'redirect "{DORA}";'
NO_POLICY = DmarcVerdict(result=DmarcResult.NONE, from_domain="x.example")
FORGED = known(NO_POLICY, spf=SpfResult.FAIL)
FAILED = known(
    DmarcVerdict(result=DmarcResult.FAIL, from_domain="x.example", policy_domain="x.example", policy=DmarcPolicy.REJECT)
)


async def test_it_goes_on_under_a_path_of_ours_and_is_not_kept(world: FilterWorld) -> None:
    await world.use(ONWARD)
    assert isinstance(await world.receive(mail_of()), Accept)
    ((item, raw),) = await world.queued()
    assert item.recipient == DORA
    assert item.reverse_path.startswith("SRS0=")
    assert item.reverse_path.endswith("=elsewhere.example=carol@example.com")
    assert raw.startswith(b"Delivered-To: alice@example.com\r\nReceived: ")
    assert b"Return-Path" not in raw
    assert raw.endswith(mail_of())
    assert await world.where() == {}


async def test_several_and_a_copy(world: FilterWorld) -> None:
    await world.use(f'require "copy"; redirect :copy "{DORA}"; redirect "Eve <eve@elsewhere.example>"; keep;')
    await world.receive(mail_of())
    assert await world.sent_to() == [DORA, "eve@elsewhere.example"]
    assert await world.where() == {"INBOX": 1}


async def test_of_an_edited_mail_the_edit_goes_on(world: FilterWorld) -> None:
    await world.use(f'require "editheader"; addheader "X-By" "alice"; {ONWARD}')
    await world.receive(mail_of())
    ((_, raw),) = await world.queued()
    assert raw.startswith(b"Delivered-To: alice@example.com\r\nX-By: alice\r\nReceived: ")
    assert b"Return-Path" not in raw


@pytest.mark.parametrize(
    ("authentication", "is_suspicious"), [(FORGED, False), (FAILED, False), (None, True)], ids=["spf", "dmarc", "junk"]
)
async def test_mail_whose_sender_failed_the_checks_stays(
    world: FilterWorld, authentication: Authentication | None, *, is_suspicious: bool
) -> None:
    await world.use(ONWARD)
    await world.receive(mail_of(), authentication=authentication, is_suspicious=is_suspicious)
    assert await world.sent_to() == []
    assert await world.where() == {"Junk" if is_suspicious else "INBOX": 1}


@pytest.mark.parametrize("target", [ALICE, "a.example@example.com", "Alice@Example.com"])
async def test_to_oneself_is_to_keep(world: FilterWorld, target: str) -> None:
    await world.use(f'redirect "{target}";')
    await world.receive(mail_of())
    assert (await world.where(), await world.sent_to()) == ({"INBOX": 1}, [])


async def test_what_has_been_here_before_stays_here(world: FilterWorld) -> None:
    await world.use(ONWARD)
    with capture_logs() as logged:
        await world.receive(b"Delivered-To: alice@example.com\r\n" + mail_of())
    assert (await world.where(), await world.sent_to()) == ({"INBOX": 1}, [])
    assert [line["reason"] for line in logged if line["event"] == "not redirected"] == ["loop"]


async def test_to_a_neighbour_it_goes_by_the_queue(world: FilterWorld) -> None:
    await world.use(f'redirect "{BOB}";')
    await world.receive(mail_of())
    assert await world.sent_to() == [BOB]


async def test_to_a_list_of_which_the_account_is_a_member(world: FilterWorld) -> None:
    script = 'require ["extlists", "copy"]; redirect :copy :list "team@example.com";'
    await world.use(script)
    await world.use(script, of=BOB)
    await world.receive(mail_of(), to=[ALICE, BOB])
    assert await world.sent_to() == [DORA]
    assert await world.where(BOB) == {"INBOX": 1}


@pytest.mark.parametrize(("who", "reached"), [(ALICE, []), (BOB, [ALICE, DORA])])
async def test_to_a_list_mail_goes_from_who_may_post_there(world: FilterWorld, who: str, reached: list[str]) -> None:
    await world.use('require ["extlists", "copy"]; redirect :copy :list "news@example.com";', of=who)
    await world.receive(mail_of(), to=[who])
    assert await world.sent_to() == reached
    assert await world.where(who) == {"INBOX": 1}


async def test_notices_are_asked_for_as_the_script_says(world: FilterWorld) -> None:
    extensions = 'require ["redirect-dsn", "copy"];'
    await world.use(f'{extensions} redirect :copy :notify ["FAILURE", "DELAY"] :ret "HDRS" "{DORA}";')
    wished = Notification(notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}))
    await world.receive(mail_of(), handling=Handling(returned=Returned.FULL), notification=wished)
    item = next(item for item, _ in await world.queued() if item.recipient == DORA)
    assert item.handling.returned is Returned.HEADERS
    assert item.notification.notify_on == frozenset({NotifyOn.FAILURE, NotifyOn.DELAY})
    await world.use(f'{extensions} redirect :copy :notify "NEVER" "{DORA}";')
    await world.receive(mail_of("two"), notification=wished)
    assert [item.notification.notify_on for item, _ in await world.queued() if item.recipient == DORA][1] == frozenset()


async def test_a_null_path_stays_one(world: FilterWorld) -> None:
    await world.use(ONWARD)
    await world.receive(mail_of(), sender="")
    ((item, _),) = await world.queued()
    assert item.reverse_path == ""


@pytest.mark.parametrize(
    "script", ['redirect "{}";', 'require "editheader"; deleteheader "Delivered-To"; redirect "{}";']
)
async def test_two_accounts_do_not_send_a_mail_to_each_other_for_ever(world: FilterWorld, script: str) -> None:
    await world.use(script.format(BOB))
    await world.use(script.format(ALICE), of=BOB)
    await world.receive(mail_of())
    for account in (BOB, ALICE, BOB, ALICE):
        await world.pass_on(to=account)
    assert await world.sent_to() == []
    assert await world.where() == {"INBOX": 1}
    assert await world.where(BOB) == {}


@pytest.mark.parametrize(
    ("edit", "is_sent"),
    [
        ('deleteheader "From"; addheader "From" "Bob <bob@example.com>";', False),
        ('addheader "From" "Bob <bob@example.com>";', False),
        ('addheader "Sender" "bob@example.com";', False),
        ('replace :from "Bob <bob@example.com>" "Pay me.";', False),
        ('deleteheader "From";', False),
        ('deleteheader "From"; addheader "From" "Alice <A.Example@example.com>";', True),
        ('deleteheader "Subject"; addheader "Subject" "Bob <bob@example.com>";', True),
    ],
)
async def test_no_edit_makes_a_mail_anothers(world: FilterWorld, edit: str, *, is_sent: bool) -> None:
    await world.use(f'require ["editheader", "replace"]; {edit} redirect "{DORA}";')
    with capture_logs() as logged:
        await world.receive(mail_of())
    assert await world.sent_to() == ([DORA] if is_sent else [])
    assert await world.where() == ({} if is_sent else {"INBOX": 1})
    reasons = [line["reason"] for line in logged if line["event"] == "not redirected"]
    assert reasons == ([] if is_sent else ["its author was changed"])


async def test_two_scripts_send_it_to_the_same_address_once(world: FilterWorld) -> None:
    world.before = (f'require "copy"; redirect :copy "{DORA}";',)
    await world.use(ONWARD)
    await world.receive(mail_of())
    assert await world.sent_to() == [DORA]
    assert await world.where() == {}


ACTING = f'require ["vacation", "copy"]; vacation "Away."; redirect :copy "{DORA}";'


@pytest.mark.parametrize("script", [ACTING, 'require "ereject"; ereject "No.";'], ids=["answer", "refuse"])
@pytest.mark.parametrize("authentication", [FORGED, FAILED], ids=["spf", "dmarc"])
async def test_what_was_found_of_a_sender_counts_after_the_queue(
    world: FilterWorld, authentication: Authentication, script: str
) -> None:
    await world.receive(mail_of(body="x" * (SMALL_QUOTA - 900) + "\r\n"), to=[SMALL])
    await world.use(script, of=SMALL)
    # Too large for what is left: it waits in the queue, which knows nothing of what was found.
    await world.receive(mail_of("two", to=SMALL, body="y" * 900), to=[SMALL, BOB], authentication=authentication)
    if script is ACTING:
        assert await world.sent_to() == [SMALL]
        await world.clear(SMALL)
        await world.pass_on(to=SMALL)
        assert await world.where(SMALL) == {"INBOX": 1}
    assert await world.sent_to() == []


async def test_after_the_queue_a_sender_who_passed_is_answered(world: FilterWorld) -> None:
    await world.receive(mail_of(body="x" * (SMALL_QUOTA - 900) + "\r\n"), to=[SMALL])
    await world.use(ACTING, of=SMALL)
    passed = known(DmarcVerdict(result=DmarcResult.PASS, from_domain="x.example"), spf=SpfResult.FAIL)
    await world.receive(mail_of("two", to=SMALL, body="y" * 900), to=[SMALL, BOB], authentication=passed)
    await world.clear(SMALL)
    await world.pass_on(to=SMALL)
    assert await world.sent_to() == [SENDER, DORA]


@pytest.mark.parametrize("is_signed", [False, True])
async def test_binary_mail_goes_on_in_lines_or_stays(world: FilterWorld, *, is_signed: bool) -> None:
    await world.use(ONWARD)
    kind = "multipart/signed; boundary=b" if is_signed else "multipart/mixed; boundary=b"
    part = "--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\x01\r\n--b--\r\n"
    raw = mail_of(fields=f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n", body=part)
    await world.receive(raw, handling=Handling(is_binary=True))
    if is_signed:
        assert (await world.where(), await world.sent_to()) == ({"INBOX": 1}, [])
        return
    ((item, content),) = await world.queued()
    assert not item.handling.is_binary
    assert b"\0" not in content
    assert b"base64" in content
    assert b"Return-Path" not in content
