"""Several scripts over one mail, what they know, and scripts that fail. RFC 5228 §2.10.6, RFC 6609, RFC 7352."""

import pytest
from structlog.testing import capture_logs

from mailstack.services.inbound.mail import Accept
from tests.support.filter_world import ALICE, BOB, FilterWorld, mail_of

FILED = 'require "fileinto"; fileinto "Archive";'
DAY_MS = 86_400_000


async def test_the_servers_scripts_run_around_the_accounts_own(world: FilterWorld) -> None:
    world.before = ('require ["fileinto", "copy"]; fileinto :copy "Archive";',)
    world.after = ('require "imap4flags"; addflag "$After"; keep;',)
    await world.use('require "imap4flags"; setflag "$Own"; keep;')
    await world.receive(mail_of())
    placed = await world.placed()
    assert {path: len(found) for path, found in placed.items()} == {"INBOX": 1, "Archive": 1}
    # RFC 5232 §4: each goes on with the flags that those before it have set.
    assert placed["INBOX"][0][1] == {"$Own", "$After"}


async def test_flags_count_for_what_a_later_script_files(world: FilterWorld) -> None:
    world.before = ('require "imap4flags"; setflag ["$One", "$Two"];',)
    world.after = ('require "imap4flags"; removeflag "$One";', FILED)
    await world.use("keep;")
    await world.receive(mail_of())
    ((_, flags),) = (await world.placed())["Archive"]
    assert flags == {"$Two"}


async def test_what_is_not_kept_is_not_seen_by_the_next(world: FilterWorld) -> None:
    world.before = (FILED,)
    world.after = ("discard;",)
    await world.use('require ["fileinto", "mailbox"]; fileinto :create "Own";')
    await world.receive(mail_of())
    assert await world.where() == {"Archive": 1}


async def test_the_next_script_sees_what_the_one_before_made_of_the_mail(world: FilterWorld) -> None:
    world.before = ('require "editheader"; addheader "X-Seen" "yes";',)
    await world.use('require "fileinto"; if header "X-Seen" "yes" { fileinto "Archive"; }')
    await world.receive(mail_of())
    ((raw, _),) = (await world.placed())["Archive"]
    assert b"X-Seen: yes\r\n" in raw


async def test_the_specs_script_runs_in_place_of_the_users(world: FilterWorld) -> None:
    await world.use("discard;")
    await world.give(FILED)
    await world.receive(mail_of())
    assert await world.where() == {"Archive": 1}


async def test_a_script_that_was_activated_counts_at_once(world: FilterWorld) -> None:
    await world.use(FILED)
    await world.receive(mail_of())
    await world.use("discard;", name="other")
    await world.receive(mail_of("two"))
    await world.store.scripts.activate((await world.account()).account_id, None)
    await world.receive(mail_of("three"))
    assert await world.where() == {"INBOX": 1, "Archive": 1}


async def test_a_fault_keeps_the_mail_and_is_told_once(world: FilterWorld) -> None:
    await world.use('require ["fileinto", "variables", "mime", "foreverypart"];\nfileinto "Archive";\n' + _too_many())
    with capture_logs() as logged:
        for number in range(3):
            assert isinstance(await world.receive(mail_of(f"mail {number}")), Accept)
    placed = await world.placed()
    assert list(placed) == ["INBOX"]
    told = [raw for raw, _ in placed["INBOX"] if b"Your mail filter failed" in raw]
    assert len(placed["INBOX"]) == 4
    assert len(told) == 1
    assert b"actions" in told[0]
    assert b"64" in told[0]
    assert b"Auto-Submitted: auto-generated\r\n" in told[0]
    faults = [line for line in logged if line["event"] == "filter failed"]
    assert [line["account"] for line in faults] == [ALICE] * 3
    # Another script is news.
    await world.use('require "fileinto";' + _too_many(), name="new")
    await world.receive(mail_of("four"))
    assert sum(b"Your mail filter failed" in raw for raw, _ in (await world.placed())["INBOX"]) == 2


def _too_many() -> str:
    return "".join(f'fileinto "M{number}";' for number in range(65))


async def test_a_server_script_that_fails_does_not_keep_the_others_from_running(world: FilterWorld) -> None:
    world.before = ('require "fileinto";' + _too_many(), "this is no script")
    await world.use(FILED)
    with capture_logs() as logged:
        await world.receive(mail_of())
    assert await world.where() == {"Archive": 1}
    faults = [line for line in logged if line["event"] == "filter failed"]
    assert [line["origin"] for line in faults] == ["before", "before"]


async def test_a_script_from_another_version_that_no_longer_compiles_loses_nothing(world: FilterWorld) -> None:
    await world.use('require "vnd.example.gone"; discard;')
    await world.receive(mail_of())
    placed = await world.placed()
    assert len(placed["INBOX"]) == 2
    assert any(b"it does not compile" in raw for raw, _ in placed["INBOX"])


@pytest.mark.parametrize(
    ("test", "is_true"),
    [
        ('mailboxexists "Archive"', True),
        ('mailboxexists ["Archive", "No such"]', False),
        ('mailboxexists "inbox"', True),
        ('mailboxidexists "F-1"', False),
        ('specialuse_exists "\\\\Junk"', True),
        ('specialuse_exists "Archive" "\\\\Junk"', False),
        ('specialuse_exists "Junk" "\\\\junk"', True),
        ('valid_ext_list "team@example.com"', True),
        ('valid_ext_list "mailto:team@example.com"', True),
        ('valid_ext_list "none@example.com"', False),
        ('valid_ext_list "tag:example.com,2026:book"', False),
        ('address :list "from" "team@example.com"', False),
        ('address :list "to" "team@example.com"', True),
        ('metadata "Archive" "/private/comment" "x"', False),
        ('servermetadata "/private/vendor/x" "x"', False),
        ('environment "name" "mailstack"', True),
        ('environment "remote-ip" "192.0.2.9"', True),
        ('environment "remote-host" ""', True),
        ('environment "host" "mail.example.com"', True),
        ('environment "phase" "during"', True),
        ('environment :contains "vnd.example" ""', False),
        ('envelope "from" "carol@elsewhere.example"', True),
        ('envelope "to" "alice@example.com"', True),
    ],
)
async def test_what_scripts_know(world: FilterWorld, test: str, *, is_true: bool) -> None:
    extensions = '["mailbox", "mailboxid", "special-use", "extlists", "mboxmetadata", "servermetadata", "environment",'
    await world.use(f'require {extensions} "envelope"]; if {test} {{ discard; }}')
    await world.receive(mail_of())
    assert await world.where() == ({} if is_true else {"INBOX": 1})


async def test_of_a_list_nobody_learns_who_is_not_on_it(world: FilterWorld) -> None:
    script = 'require "extlists"; if valid_ext_list "team@example.com" { discard; }'
    await world.use(script, of=BOB)
    await world.receive(mail_of(), to=[BOB])
    assert await world.where(BOB) == {"INBOX": 1}


async def test_annotations_are_seen(world: FilterWorld) -> None:
    account_id = (await world.account()).account_id
    archive = next(box for box in await world.store.mailboxes.list(account_id) if box.name == "Archive")
    entries = [("/private/comment", "grün".encode())]
    await world.store.annotations.change(account_id, archive.mailbox_id, entries, viewer=account_id, limit=9)
    await world.store.annotations.change(account_id, None, entries, viewer=account_id, limit=9)
    await world.use(
        'require ["mboxmetadata", "servermetadata"];'
        'if allof(metadata "Archive" "/private/Comment" "grün", servermetadata "/private/comment" "grün") { discard; }'
    )
    await world.receive(mail_of())
    assert await world.where() == {}


async def test_a_duplicate_is_known_for_its_time_once_the_mail_was_filed(world: FilterWorld) -> None:
    await world.use('require "duplicate"; if duplicate :seconds 86400 { discard; }')
    for _ in range(3):
        await world.receive(mail_of())
    assert await world.where() == {"INBOX": 1}
    world.clock.advance(DAY_MS + 1_000)
    await world.receive(mail_of())
    assert await world.where() == {"INBOX": 2}


async def test_included_scripts_are_the_accounts_own_or_the_servers(world: FilterWorld) -> None:
    world.named = {"shared": FILED}
    await world.use('require "include"; include :personal "mine"; include :global "shared"; include :optional "none";')
    account_id = (await world.account()).account_id
    await world.use('require "imap4flags"; addflag "$Mine";', name="mine")
    await world.store.scripts.activate(account_id, "filter")
    await world.receive(mail_of())
    placed = await world.placed()
    assert {path: flags for path, ((_, flags),) in placed.items()} == {"Archive": {"$Mine"}}


async def test_an_included_script_is_found_however_its_name_is_composed(world: FilterWorld) -> None:
    await world.use("discard;", name="m\u00fcll")
    await world.use('require "include"; include "mu\u0308ll";')
    await world.receive(mail_of())
    assert await world.where() == {}


async def test_a_missing_inclusion_is_a_fault(world: FilterWorld) -> None:
    await world.use('require "include"; include "none"; discard;')
    await world.receive(mail_of())
    assert await world.where() == {"INBOX": 2}


async def test_a_bomb_stops_at_the_budget(world: FilterWorld) -> None:
    doubled = "".join('set "a" "${a}${a}";' for _ in range(200))
    await world.use('require ["variables", "include"]; set "a" "xxxxxxxx";' + doubled + 'include "filter";')
    await world.receive(mail_of())
    assert (await world.where())["INBOX"] == 2
