"""Answers of who is away, as the Sieve that runs, and as the mail that comes of it."""

from collections.abc import AsyncIterator
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import TooLarge
from mailstack.model.instant import DAY_MS, HOUR_MS, SECOND_MS, Instant
from mailstack.model.vacation import NO_VACATION, Vacation
from mailstack.services.vacations import DEFAULT_TEXT, AccountVacations, vacation_script
from mailstack.sieve.actions import Vacation as VacationAction
from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.run import Mail, Outcome, SieveEnvelope, run
from tests.support.filter_world import ALICE, SENDER, FilterWorld, filter_world, mail_of

TRICKY = 'He said "\\o/"\r\n.\r\n#include; ${x}\r\nGrüße'


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FilterWorld]:
    async with filter_world(tmp_path) as made:
        yield made


def test_what_it_is_as_sieve() -> None:
    away = Vacation(
        is_enabled=True,
        begins_at=Instant(1_782_864_000_000),
        ends_at=Instant(1_783_209_600_000),
        subject="Away",
        text="Back on Monday.",
    )
    assert vacation_script(away).decode().split("\r\n") == [
        "# Made of the account's VacationResponse, which is where to change it.",
        'require ["date", "relational", "vacation"];',
        "",
        'if allof (currentdate :zone "+0000" :value "ge" "iso8601" "2026-07-01T00:00:00+00:00",'
        ' currentdate :zone "+0000" :value "lt" "iso8601" "2026-07-05T00:00:00+00:00") {',
        'vacation :subject "Away" "Back on Monday.";',
        "}",
        "",
    ]


@pytest.mark.parametrize(
    "said",
    [
        Vacation(),
        Vacation(begins_at=Instant(-62_135_596_800_000)),
        Vacation(ends_at=Instant(253_402_300_799_000)),
        Vacation(text=TRICKY, subject=TRICKY.partition("\r")[0]),
        Vacation(html=f"<p>{TRICKY}</p>"),
        Vacation(text="", html=""),
        Vacation(text="x" * 5_000, html="y" * 5_000),
    ],
)
def test_it_always_compiles(said: Vacation) -> None:
    compile_script(vacation_script(said), EXTENSIONS)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@given(text=TEXTS, html=st.none() | TEXTS, subject=st.none() | TEXTS)
def test_whatever_is_said_is_what_the_script_answers(text: str, html: str | None, subject: str | None) -> None:
    said = Vacation(text=text, html=html, subject=subject)
    mail = Mail(raw=mail_of(), envelope=SieveEnvelope(sender=SENDER, recipient=ALICE), received_at=Instant(0))
    outcome = run(compile_script(vacation_script(said), EXTENSIONS), mail, {})
    assert isinstance(outcome, Outcome)
    assert not outcome.fault
    (answer,) = [action for action in outcome.actions if isinstance(action, VacationAction)]
    assert answer.is_mime is (html is not None)
    if html is None:
        assert _lines(answer.reason) == _lines(text)
    else:
        entity = message_from_string(answer.reason, policy=policy.default)
        shown = [part.get_content() for part in entity.walk() if not part.is_multipart()]
        assert [_lines(each.rstrip()) for each in shown] == [_lines(each.rstrip()) for each in (text, html)]


async def answers(world: FilterWorld) -> list[EmailMessage]:
    return [message_from_bytes(raw, policy=policy.default) for _, raw in await world.queued()]


async def say(world: FilterWorld, said: Vacation) -> None:
    account_id = (await world.account()).account_id
    vacations = AccountVacations(world.store.vacations)
    await vacations.replace(account_id, await vacations.read(account_id), said)
    assert await vacations.read(account_id) == said


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (Vacation(is_enabled=True, text=TRICKY), [("text/plain", TRICKY)]),
        (Vacation(is_enabled=True), [("text/plain", DEFAULT_TEXT)]),
        (
            Vacation(is_enabled=True, text=TRICKY, html="<p>Grüße</p>"),
            [("text/plain", TRICKY), ("text/html", "<p>Grüße</p>")],
        ),
        (
            Vacation(is_enabled=True, html="<p>Back <b>soon</b>.</p>\n<p>Bye</p>"),
            [("text/plain", "Back soon. Bye"), ("text/html", "<p>Back <b>soon</b>.</p>\r\n<p>Bye</p>")],
        ),
    ],
    ids=["text", "nothing", "both", "html"],
)
async def test_what_is_answered(world: FilterWorld, said: Vacation, parts: list[tuple[str, str]]) -> None:
    await say(world, said)
    for number in range(2):
        await world.receive(mail_of(f"Hello{number}"))
    (answer,) = await answers(world)
    assert (answer["To"], answer["Subject"]) == (f"Carol <{SENDER}>", "Auto: Hello0")
    assert answer["Auto-Submitted"] == "auto-replied (vacation)"
    leaves = [each for each in answer.walk() if not each.is_multipart()]
    assert [(each.get_content_type(), _lines(each.get_content())) for each in leaves] == [
        (content_type, _lines(text)) for content_type, text in parts
    ]
    assert await world.where() == {"INBOX": 2}


def _lines(text: str) -> list[str]:
    return text.splitlines()


@pytest.mark.parametrize(
    ("begins_in", "ends_in", "is_answered"),
    [
        (0, None, True),
        (SECOND_MS, None, False),
        (None, 0, False),
        (None, SECOND_MS, True),
        (-DAY_MS, HOUR_MS, True),
        (-2 * DAY_MS, -DAY_MS, False),
    ],
)
async def test_when_mail_is_answered(
    world: FilterWorld, begins_in: int | None, ends_in: int | None, is_answered: bool
) -> None:
    now = world.clock() - world.clock() % SECOND_MS
    bounds = [None if each is None else Instant(now + each) for each in (begins_in, ends_in)]
    await say(world, Vacation(is_enabled=True, begins_at=bounds[0], ends_at=bounds[1]))
    await world.receive(mail_of())
    assert len(await answers(world)) == is_answered


ELSEWHERE = "dora@elsewhere.example"


@pytest.mark.parametrize(
    ("own", "answers_of", "where"),
    [
        ('require "fileinto"; fileinto "Archive";', ["away"], {"Archive": 1}),
        ("keep;", ["away"], {"INBOX": 1}),
        ("stop;", ["away"], {"INBOX": 1}),
        ("discard;", [], {}),
        (f'redirect "{ELSEWHERE}";', ["sent on", "away"], {}),
        ('require "vacation"; vacation "own";', ["own"], {"INBOX": 1}),
        ('require ["fileinto", "vacation"]; vacation "own"; fileinto "Archive";', ["own"], {"Archive": 1}),
    ],
)
async def test_beside_the_accounts_own_script(
    world: FilterWorld, own: str, answers_of: list[str], where: dict[str, int]
) -> None:
    await world.use(own)
    await say(world, Vacation(is_enabled=True, text="away"))
    await world.receive(mail_of(body="sent on\r\n"))
    assert [each.get_content().strip() for each in await answers(world)] == answers_of
    assert await world.where() == where


async def test_what_a_script_refuses_gets_no_answer(world: FilterWorld) -> None:
    await world.use('require "ereject"; ereject "no";')
    await say(world, Vacation(is_enabled=True, text="away"))
    await world.receive(mail_of())
    assert await answers(world) == []


async def test_beside_the_specs_script_and_the_servers(world: FilterWorld) -> None:
    world.before = ('require "imap4flags"; addflag "$Before";',)
    world.after = ('require "imap4flags"; addflag "$After"; keep;',)
    await world.give('require ["imap4flags"]; addflag "$Spec";')
    await say(world, Vacation(is_enabled=True, text="away"))
    await world.receive(mail_of())
    ((_, flags),) = (await world.placed())["INBOX"]
    assert flags == {"$Before", "$Spec", "$After"}
    assert [each.get_content().strip() for each in await answers(world)] == ["away"]


async def test_what_the_servers_script_has_filed_gets_no_answer(world: FilterWorld) -> None:
    world.before = ('require "fileinto"; fileinto "Archive";',)
    await say(world, Vacation(is_enabled=True, text="away"))
    await world.receive(mail_of())
    assert await answers(world) == []


async def test_after_a_script_that_has_filed_the_mail_the_servers_last_do_not_run(world: FilterWorld) -> None:
    world.after = ("keep;",)
    await world.use('require "fileinto"; fileinto "Archive";')
    await say(world, Vacation(is_enabled=True, text="away"))
    await world.receive(mail_of())
    assert await world.where() == {"Archive": 1}
    assert len(await answers(world)) == 1


async def test_one_that_was_switched_off_answers_nobody(world: FilterWorld) -> None:
    await say(world, Vacation(is_enabled=True, text="away"))
    await say(world, Vacation(text="away"))
    await world.receive(mail_of())
    assert await answers(world) == []


async def test_a_changed_one_is_another_answer(world: FilterWorld) -> None:
    for text in ("one", "one", "two"):
        await say(world, Vacation(is_enabled=True, text=text, html=f"<p>{text}</p>"))
        await world.receive(mail_of())
    assert len(await answers(world)) == 2


async def test_it_has_a_bound(world: FilterWorld) -> None:
    account_id = (await world.account()).account_id
    for said in (Vacation(text="x" * 65_536), Vacation(html="ü" * 30_000), Vacation(subject="x" * 1_000_000)):
        with pytest.raises(TooLarge):
            await AccountVacations(world.store.vacations).replace(account_id, NO_VACATION, said)
    assert await world.store.vacations.read(account_id) == NO_VACATION
