"""Where mail goes that looks like spam, what is written on it, and what scripts are shown of it. RFC 5235."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from mailstack.formats.headers import every, scan_fields
from mailstack.model.handling import Notification, NotifyOn
from mailstack.model.resource import AccountBody, AliasBody, ForwardBody, Kind, ListBody
from mailstack.model.spam import SpamPolicy
from mailstack.model.verdict import DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Accept, Reason, Reject
from mailstack.services.spam.policies import Policies
from tests.support.filter_world import ALICE, BOB, SENDER, SMALL, SMALL_QUOTA, FilterWorld, mail_of
from tests.support.judging import LooksForViruses, by_subject
from tests.support.senders import known, sender_policy

BOTH = (ALICE, BOB)
ENVIRONMENT = (
    'require ["environment", "relational", "comparator-i;ascii-numeric"];'
    'if environment :value "{}" :comparator "i;ascii-numeric" "vnd.mailstack.spam-tenths" "{}" {{ discard; }}'
)
"""As rules of the spec are written."""


async def spam_fields(world: FilterWorld, login: str = ALICE) -> dict[str, list[str]]:
    """Of the one message that the account has."""
    (messages,) = (await world.placed(login)).values()
    ((raw, _),) = messages
    fields = scan_fields(raw)
    names = (b"x-spam-score", b"x-spam-explained", b"x-spam-flag")
    return {name.decode(): [value.decode() for value in every(fields, name)] for name in names}


@pytest.mark.parametrize(("points", "place"), [("-2", "INBOX"), ("4.9", "INBOX"), ("5", "Junk"), ("14.9", "Junk")])
async def test_it_goes_to_junk_from_five_points_on(world: FilterWorld, points: str, place: str) -> None:
    world.judging = by_subject()
    assert isinstance(await world.receive(mail_of(points)), Accept)
    assert await world.where() == {place: 1}
    assert await spam_fields(world) == {
        "x-spam-score": [f"{float(points):.1f}"],
        "x-spam-explained": [f"subject {float(points):.1f} (it says so)"],
        "x-spam-flag": ["YES"] if place == "Junk" else [],
    }


async def test_where_nobody_looks_nothing_is_written_and_nothing_taken_away(world: FilterWorld) -> None:
    await world.receive(mail_of("99", fields="X-Spam-Flag: YES\r\n"))
    assert await world.where() == {"INBOX": 1}
    assert await spam_fields(world) == {"x-spam-score": [], "x-spam-explained": [], "x-spam-flag": ["YES"]}


async def test_what_came_with_it_is_not_believed(world: FilterWorld) -> None:
    world.judging = by_subject()
    await world.receive(mail_of("7", fields="X-Spam-Score: -9\r\nX-Spam-Flag: NO\r\nX-Spam-Explained: a friend\r\n"))
    assert await spam_fields(world) == {
        "x-spam-score": ["7.0"],
        "x-spam-explained": ["subject 7.0 (it says so)"],
        "x-spam-flag": ["YES"],
    }


async def test_each_account_has_it_as_it_scores_there(world: FilterWorld) -> None:
    policies = Policies(domains={"example.com": SpamPolicy(junk_at=8)})
    world.judging = by_subject(policies, bob=3)
    assert isinstance(await world.receive(mail_of("6"), to=BOTH), Accept)
    assert (await world.where(ALICE), await world.where(BOB)) == ({"INBOX": 1}, {"Junk": 1})
    assert (await spam_fields(world, ALICE))["x-spam-score"] == ["6.0"]
    assert (await spam_fields(world, BOB))["x-spam-explained"] == ["subject 6.0 (it says so); friend 3.0"]


async def test_it_is_refused_where_it_is_too_much_for_all(world: FilterWorld) -> None:
    world.judging = by_subject(bob=-3)
    assert await world.receive(mail_of("18"), to=BOTH) == Reject(
        reason=Reason.SPAM,
        detail="subject 18.0, friend -3.0",
        told="score 15.0; write to postmaster@example.com if it is none",
    )
    assert (await world.where(ALICE), await world.where(BOB)) == ({}, {})
    assert isinstance(await world.receive(mail_of("17"), to=BOTH), Accept)
    assert (await world.where(ALICE), await world.where(BOB)) == ({"Junk": 1}, {"Junk": 1})


async def test_a_bug_in_a_source_keeps_no_mail_out(world: FilterWorld) -> None:
    world.judging = by_subject()
    assert isinstance(await world.receive(mail_of("broken")), Accept)
    assert await world.where() == {"INBOX": 1}
    assert (await spam_fields(world))["x-spam-score"] == ["0.0"]


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ("keep;", {"Junk": 1}),
        ('require "fileinto"; fileinto "Archive";', {"Archive": 1}),
        ('require ["spamtest", "relational"]; if spamtest :value "ge" "6" { discard; }', {}),
        ('require ["spamtestplus", "relational"]; if spamtest :percent :value "lt" "59" { discard; }', {"Junk": 1}),
        ('require ["spamtestplus", "relational"]; if spamtest :percent :value "gt" "58" { discard; }', {}),
        (ENVIRONMENT.format("ge", 69), {}),
        (ENVIRONMENT.format("ge", 70), {"Junk": 1}),
        (ENVIRONMENT.format("lt", 70), {}),
        ('require ["virustest"]; if virustest "0" { discard; }', {}),
    ],
)
async def test_scripts(world: FilterWorld, script: str, places: dict[str, int]) -> None:
    """6.9 points are 59 %."""
    await world.use(script)
    world.judging = by_subject()
    await world.receive(mail_of("6.9"))
    assert await world.where() == places


@pytest.mark.parametrize(("body", "value"), [("plain", "1"), ("eicar", "5")])
async def test_scripts_are_told_of_viruses_at_once_and_out_of_the_queue(
    world: FilterWorld, body: str, value: str
) -> None:
    """RFC 5235 §3.2."""
    judging = by_subject(Policies(server=SpamPolicy(reject_at=None)))
    world.judging = replace(judging, scoring=replace(judging.scoring, engines=(LooksForViruses(keeps_virus=True),)))
    script = f'require ["virustest", "fileinto"]; if virustest "{value}" {{ fileinto "Archive"; }}'
    await world.use(script)
    await world.use(script, of=SMALL)
    await world.receive(mail_of("0", body=f"{body}\r\n"))
    assert await world.where() == {"Archive": 1}
    await world.receive(mail_of("0", body="x" * (SMALL_QUOTA - 700) + "\r\n"), to=[SMALL])
    await world.receive(mail_of("0", body=body + "x" * 900 + "\r\n"), to=[SMALL, BOB])
    assert await world.sent_to() == [SMALL]
    await world.clear(SMALL)
    await world.pass_on(to=SMALL)
    assert await world.where(SMALL) == {"Archive": 1}


@pytest.mark.parametrize("word", ["ge", "lt"])
async def test_where_nobody_looked_it_scores_neither_much_nor_little(world: FilterWorld, word: str) -> None:
    await world.use(ENVIRONMENT.format(word, 50))
    await world.receive(mail_of("6.9"))
    assert await world.where() == {"INBOX": 1}


@pytest.mark.parametrize(
    "script",
    [
        'require "vacation"; vacation "Away.";',
        'require "enotify"; notify "mailto:phone@elsewhere.example";',
        'redirect "me@elsewhere.example";',
    ],
)
async def test_of_junk_nobody_is_told(world: FilterWorld, script: str) -> None:
    await world.use(script)
    world.judging = by_subject()
    await world.receive(mail_of("6"))
    assert await world.sent_to() == []
    assert await world.where() == {"Junk": 1}


@pytest.mark.parametrize(("points", "told"), [("0", [SENDER]), ("6", [])])
async def test_of_junk_no_success_is_told(world: FilterWorld, points: str, told: list[str]) -> None:
    world.judging = by_subject()
    wished = Notification(notify_on=frozenset({NotifyOn.SUCCESS}))
    passed = known(DmarcVerdict(result=DmarcResult.NONE, from_domain="elsewhere.example"), spf=SpfResult.PASS)
    await world.receive(mail_of(points), authentication=passed, notification=wished)
    assert await world.sent_to() == told


async def test_what_waits_comes_to_junk_and_scripts_with_what_it_scored(world: FilterWorld) -> None:
    world.judging = by_subject()
    script = 'require ["fileinto", "spamtestplus", "relational"]; if spamtest :percent :value "ge" "59" {{ {} }}'
    for action, place in (("keep;", "Junk"), ('fileinto "Archive";', "Archive")):
        await world.use(script.format(action), of=SMALL)
        await world.receive(mail_of("0", body="x" * (SMALL_QUOTA - 700) + "\r\n"), to=[SMALL])
        await world.receive(mail_of("6.9", body="x" * 900 + "\r\n"), to=[SMALL, BOB])
        assert await world.sent_to() == [SMALL]
        await world.clear(SMALL)
        await world.pass_on(to=SMALL)
        assert await world.where(SMALL) == {place: 1}
        await world.clear(SMALL)


PEERS = "192.0.2.0/24"
BACKED = replace(sender_policy(trusted_peers=(PEERS,)), backups=("mx2.example.com",))
BY_BACKUP = "Authentication-Results: mx2.example.com; spf=fail smtp.mailfrom=elsewhere.example\r\n"
TOLD = Notification(notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}))
EVE, FAR = "eve@example.com", "me@elsewhere.example"


async def forward(world: FilterWorld, *, keep: bool) -> None:
    """An account that sends its mail on."""
    body = AccountBody(
        name="Eve",
        addresses=(),
        roles=(),
        abilities=("receive",),
        quota_bytes=None,
        forward=ForwardBody(targets=(FAR,), keep=keep),
    )
    await world.commit(Kind.ACCOUNT, EVE, body)


@pytest.mark.parametrize(
    ("points", "places", "sent_to"), [("4", {"INBOX": 1}, [FAR]), ("5", {"Junk": 1}, []), ("15", {}, [])]
)
async def test_junk_is_not_sent_on(world: FilterWorld, points: str, places: dict[str, int], sent_to: list[str]) -> None:
    await forward(world, keep=True)
    world.judging = by_subject()
    found = await world.receive(mail_of(points, to=EVE), to=[EVE])
    assert isinstance(found, Accept if places else Reject)
    assert (await world.where(EVE), await world.sent_to()) == (places, sent_to)


async def test_junk_stays_with_who_keeps_no_copy(world: FilterWorld) -> None:
    await forward(world, keep=False)
    world.judging = by_subject(eve=2)
    assert isinstance(await world.receive(mail_of("3", to=EVE), to=[EVE]), Accept)
    assert (await world.where(EVE), await world.sent_to()) == ({"Junk": 1}, [])


async def test_where_nobody_can_keep_it_it_is_refused(world: FilterWorld) -> None:
    await world.commit(Kind.ALIAS, "away@example.com", AliasBody(targets=(FAR,)))
    world.judging = by_subject()
    refused = await world.receive(mail_of("5"), to=["away@example.com"])
    assert isinstance(refused, Reject)
    assert refused.reason is Reason.SPAM
    assert isinstance(await world.receive(mail_of("4"), to=["away@example.com"]), Accept)
    assert await world.sent_to() == [FAR]


async def test_no_list_gets_junk(world: FilterWorld) -> None:
    world.judging = by_subject(alice=-50)
    refused = await world.receive(mail_of("5"), to=["team@example.com", ALICE])
    assert isinstance(refused, Reject)
    assert refused.reason is Reason.SPAM
    assert (await world.where(), await world.sent_to()) == ({}, [])


OWNED = ListBody(
    name="Plans",
    description="",
    members=(BOB, FAR),
    owners=(ALICE,),
    post="anyone",
    posters=(),
    subject_prefix="",
    reply_to="author",
    unsubscribe=False,
)


@pytest.mark.parametrize("is_by_backup", [False, True])
async def test_junk_for_a_list_that_may_not_be_refused_is_kept_by_its_owners(
    world: FilterWorld, is_by_backup: bool
) -> None:
    """RFC 5321 §4.5.1: there is one reply for all, and a postmaster is always reached."""
    await world.commit(Kind.LIST, "plans@example.com", OWNED)
    await world.commit(Kind.ALIAS, "postmaster@example.com", AliasBody(targets=(SMALL,)))
    if is_by_backup:
        world.senders = BACKED
    to = ["plans@example.com"] if is_by_backup else ["plans@example.com", "postmaster@example.com"]
    for points in ("5", "99"):
        world.judging = by_subject()
        mail = mail_of(points, fields=BY_BACKUP if is_by_backup else "")
        assert isinstance(await world.receive(mail, to=to, notification=TOLD), Accept)
        assert (await world.where(ALICE), await world.where(BOB), await world.sent_to()) == ({"Junk": 1}, {}, [])
        assert (await spam_fields(world))["x-spam-flag"] == ["YES"]
        assert await world.where(SMALL) == ({} if is_by_backup else {"Junk": 1})
        await world.clear(ALICE)
        await world.clear(SMALL)


async def test_of_several_lists_each_has_its_owners_also_those_who_send_mail_on(world: FilterWorld) -> None:
    await forward(world, keep=False)
    await world.commit(Kind.LIST, "plans@example.com", OWNED)
    await world.commit(Kind.LIST, "more@example.com", replace(OWNED, owners=(EVE,)))
    targets = ("plans@example.com", "more@example.com", BOB)
    await world.commit(Kind.ALIAS, "all@example.com", AliasBody(targets=targets))
    world.judging, world.senders = by_subject(bob=-50), BACKED
    assert isinstance(await world.receive(mail_of("7", fields=BY_BACKUP), to=["all@example.com"]), Accept)
    assert [await world.where(login) for login in (ALICE, EVE, BOB)] == [{"Junk": 1}, {"Junk": 1}, {"INBOX": 1}]
    assert await world.sent_to() == []


async def test_ham_that_a_backup_brings_is_posted(world: FilterWorld) -> None:
    await world.commit(Kind.LIST, "plans@example.com", OWNED)
    world.judging, world.senders = by_subject(), BACKED
    assert isinstance(await world.receive(mail_of("4", fields=BY_BACKUP), to=["plans@example.com"]), Accept)
    assert (await world.where(ALICE), await world.where(BOB)) == ({}, {"INBOX": 1})
    assert await world.sent_to() == [FAR]


@pytest.mark.parametrize("is_by_backup", [False, True])
async def test_junk_for_an_alias_that_leads_out_and_may_not_be_refused_is_kept_by_the_postmaster(
    world: FilterWorld, is_by_backup: bool
) -> None:
    await world.commit(Kind.ALIAS, "away@example.com", AliasBody(targets=(FAR,)))
    await world.commit(Kind.ALIAS, "postmaster@example.com", AliasBody(targets=(BOB,)))
    world.judging = by_subject()
    if is_by_backup:
        world.senders = BACKED
    to = ["away@example.com", *([] if is_by_backup else ["postmaster@example.com"])]
    mail = mail_of("7", fields=BY_BACKUP if is_by_backup else "")
    assert isinstance(await world.receive(mail, to=to, notification=TOLD), Accept)
    assert (await world.where(BOB), await world.sent_to()) == ({"Junk": 1}, [])


async def test_junk_that_nobody_here_can_keep_is_dropped_and_the_log_says_so(world: FilterWorld) -> None:
    """To send it back would be to send it to whoever it names."""
    await world.commit(Kind.ALIAS, "postmaster@example.com", AliasBody(targets=(FAR,)))
    world.judging = by_subject()
    with capture_logs() as log:
        taken = await world.receive(mail_of("7"), to=["postmaster@example.com"], notification=TOLD)
    assert isinstance(taken, Accept)
    assert await world.sent_to() == []
    assert [line["address"] for line in log if line["event"] == "junk dropped"] == ["postmaster@example.com"]
    world.postmaster = ALICE
    assert isinstance(await world.receive(mail_of("7"), to=["postmaster@example.com"]), Accept)
    assert await world.where(ALICE) == {"Junk": 1}


async def test_an_owner_who_gets_it_anyway_has_it_as_it_scores_for_them(world: FilterWorld) -> None:
    await world.commit(Kind.LIST, "plans@example.com", OWNED)
    await world.commit(Kind.ALIAS, "postmaster@example.com", AliasBody(targets=(ALICE,)))
    world.judging = by_subject(alice=-50)
    to = ["plans@example.com", "postmaster@example.com"]
    assert isinstance(await world.receive(mail_of("7"), to=to), Accept)
    assert (await world.where(ALICE), await world.sent_to()) == ({"INBOX": 1}, [])


@pytest.mark.parametrize("name", ["postmaster", "Abuse"])
async def test_postmaster_and_abuse_are_reached(world: FilterWorld, name: str) -> None:
    await world.commit(Kind.ALIAS, f"{name.lower()}@example.com", AliasBody(targets=(ALICE,)))
    world.judging = by_subject()
    assert isinstance(await world.receive(mail_of("99"), to=[f"{name}@example.com"]), Accept)
    assert await world.where() == {"Junk": 1}


async def test_who_wants_no_score_gets_all_mail(world: FilterWorld) -> None:
    world.judging = by_subject(Policies(domains={"example.com": SpamPolicy(is_scored=False)}))
    assert isinstance(await world.receive(mail_of("99", fields="X-Spam-Flag: YES\r\n")), Accept)
    assert await world.where() == {"INBOX": 1}
    assert (await spam_fields(world))["x-spam-score"] == []


EDITED = 'require "editheader"; addheader "X-Seen" "yes"; redirect "me@elsewhere.example";'


@pytest.mark.parametrize("script", ['redirect "me@elsewhere.example";', EDITED])
async def test_what_it_scored_for_the_account_is_not_sent_on(world: FilterWorld, script: str) -> None:
    world.judging = by_subject()
    await world.use(script)
    await world.receive(mail_of("3"))
    await world.receive(mail_of("0", body="x" * (SMALL_QUOTA - 700) + "\r\n"), to=[SMALL])
    await world.receive(mail_of("4", body="x" * 900 + "\r\n"), to=[SMALL, BOB])
    await world.clear(SMALL)
    await world.use(script, of=SMALL)
    await world.pass_on(to=SMALL)
    sent = [raw for item, raw in await world.queued() if item.recipient == FAR]
    assert len(sent) == 2
    assert not any(b"X-Spam" in raw for raw in sent)


async def test_of_trusted_peers_nothing_is_scored_but_of_backups(world: FilterWorld) -> None:
    """They took it in: to refuse it now would have them send a notice to whoever it names."""
    world.judging = by_subject()
    world.senders = BACKED
    assert isinstance(await world.receive(mail_of("99")), Accept)
    assert await world.where() == {"INBOX": 1}
    assert isinstance(await world.receive(mail_of("99", fields=BY_BACKUP), to=[BOB]), Accept)
    assert await world.where(BOB) == {"Junk": 1}
