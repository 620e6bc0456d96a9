"""What scripts do with the mails of tests, told as it would come."""

from pathlib import Path

import pytest

from mailstack.app.spec_tests.bed import make_bed
from mailstack.app.spec_tests.letter import message_of
from mailstack.app.spec_tests.mail import Happened, hand_over, sender_of
from mailstack.spec.load import load_spec
from mailstack.spec.sections.tests import Send
from tests.support.spec_tests import write_spec

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
SENDER = "x@sender.example"
HEAD = """\
server: {hostname: mail.example.com}
domains: {example.com: }
accounts: {alice@example.com: , bob@example.com: , carol@example.com: {quota: 1KiB}}
relays: {ses: {host: relay.example.com}}
routes: [{to: "*.relayed.example", via: ses}]
"""


async def sent(tmp_path: Path, scripts: dict[str, str], *to: str, **fields: object) -> Happened:
    bed = await make_bed(load_spec(write_spec(tmp_path, "  []\n", HEAD)))
    bed.accounts.scripts.update(scripts)
    send = Send.model_validate({"from": SENDER, "to": to or (ALICE,), **fields})
    return await hand_over(bed, send, message_of(send, title="t", sender=sender_of(send)))


def notes(happened: Happened) -> list[str]:
    return [note for step in happened.story for note in step.notes if "script" in note]


async def test_a_mailbox_that_a_script_names_is_there(tmp_path: Path) -> None:
    script = 'require ["fileinto", "mailbox"]; if mailboxexists "A/B" { fileinto "A/B"; fileinto "C"; }'
    found = await sent(tmp_path, {ALICE: script}, ALICE, BOB)
    assert found.copies == {ALICE: ["A/B", "C"], BOB: ["INBOX"]}
    assert notes(found) == ["alice@example.com: script of the spec: fileinto A/B; fileinto C"]


@pytest.mark.parametrize(
    ("script", "copies"),
    [
        ('require "fileinto"; fileinto "Archive";', ["Archive"]),
        ('require ["fileinto", "mailbox"]; fileinto :create "New";', ["New"]),
        ('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Archive" "Else";', ["Archive"]),
        ('require ["fileinto", "copy"]; fileinto :copy "Archive";', ["Archive", "INBOX"]),
        ("keep; keep;", ["INBOX"]),
    ],
)
async def test_where_copies_lie(tmp_path: Path, script: str, copies: list[str]) -> None:
    found = await sent(tmp_path, {ALICE: script})
    assert sorted(found.copies[ALICE]) == copies


async def test_what_is_sent_on_leaves_by_its_route(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: 'redirect "a@x.example"; redirect "b@mx.relayed.example";'})
    assert (found.copies, found.leaving) == ({}, {"a@x.example": "direct", "b@mx.relayed.example": "ses"})
    assert list(found.scripts.discarding) == []


async def test_what_is_sent_on_to_somebody_here_meets_the_scripts_there(tmp_path: Path) -> None:
    scripts = {
        ALICE: f'redirect "{BOB}";',
        BOB: f'require ["fileinto", "copy"]; fileinto :copy "Of Alice"; redirect "{ALICE}";',
    }
    found = await sent(tmp_path, scripts)
    assert (found.copies, found.leaving) == ({ALICE: ["INBOX"], BOB: ["Of Alice"]}, {})  # and no circle
    assert [note.partition(":")[0] for note in notes(found)] == [ALICE, BOB, ALICE]


async def test_what_is_sent_on_to_a_full_mailbox_here_waits(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: f'redirect "{CAROL}";'}, body="x" * 800)
    assert (found.copies, found.leaving) == ({}, {CAROL: "later"})


async def test_what_is_thrown_away(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: "discard;"}, ALICE, BOB)
    assert (found.copies, list(found.scripts.discarding)) == ({BOB: ["INBOX"]}, [ALICE])


async def test_who_answers(tmp_path: Path) -> None:
    script = 'require "vacation"; vacation "away";'
    found = await sent(tmp_path, {ALICE: script, BOB: script}, ALICE, BOB, CAROL, headers={"To": f"{ALICE}, {CAROL}"})
    assert list(found.scripts.answering) == [ALICE]  # who is not named in it does not: RFC 5230 §4.5
    assert found.leaving == {}
    assert found.copies.keys() == {ALICE, BOB, CAROL}


async def test_a_notice_is_not_answered_and_goes_on_as_mail(tmp_path: Path) -> None:
    script = 'require ["vacation", "copy"]; vacation "away"; redirect :copy "a@x.example";'
    found = await sent(tmp_path, {ALICE: script}, **{"from": "<>"})
    assert (list(found.scripts.answering), found.leaving) == ([], {"a@x.example": "direct"})


async def test_who_is_notified(tmp_path: Path) -> None:
    script = 'require "enotify"; notify :message "mail!" "mailto:phone@x.example?to=pager@x.example";'
    found = await sent(tmp_path, {ALICE: script})
    assert (set(found.scripts.notified), found.leaving) == ({"phone@x.example", "pager@x.example"}, {})
    assert found.copies == {ALICE: ["INBOX"]}


async def test_all_refuse_while_the_sender_is_connected(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: 'require "reject"; reject "no thanks";'})
    assert found.refused is not None
    assert (found.refused.code, "no thanks" in found.refused.text) == (550, True)
    assert found.scripts.refusing[ALICE].text == "no thanks"


async def test_one_refuses_and_another_takes_it(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: 'require "reject"; reject "no thanks";'}, ALICE, BOB)
    assert (found.refused, found.copies, found.leaving) == (None, {BOB: ["INBOX"]}, {})
    assert {login: str(reply) for login, reply in found.scripts.refusing.items()} == {ALICE: "550 5.7.1 no thanks"}
    assert list(found.scripts.answering) == []


async def test_a_script_that_fails_is_told_of_and_writes_no_mail(tmp_path: Path) -> None:
    found = await sent(tmp_path, {ALICE: 'require "include"; include "none";'})
    assert found.copies == {ALICE: ["INBOX"]}
    assert list(found.scripts.failed) == [ALICE]
    assert "fails: " in found.scripts.failed[ALICE]


async def test_each_mail_begins_with_nothing_seen(tmp_path: Path) -> None:
    script = 'require "duplicate"; if duplicate { discard; }'
    for _ in range(2):
        assert (await sent(tmp_path, {ALICE: script})).copies == {ALICE: ["INBOX"]}


async def test_scripts_and_rules_of_a_spec_run_in_their_order(tmp_path: Path) -> None:
    for name, text in {
        "before.sieve": 'require ["include", "imap4flags"]; addflag "before"; include :global "big";',
        "own.sieve": 'require ["fileinto", "include"]; include :global "big"; fileinto "Own";',
        "big.sieve": 'require ["fileinto", "copy"]; if size :over 1K { fileinto :copy "Big"; }',
        "after.sieve": 'require ["fileinto", "copy"]; fileinto :copy "After";',
    }.items():
        (tmp_path / name).write_text(text)
    head = """\
server: {hostname: mail.example.com}
domains: {example.com: }
accounts:
  alice@example.com: {sieve: {file: own.sieve}}
  bob@example.com: {rules: [{name: all, if: {subject: {contains: INVOICE}}, then: {file_into: Invoices}}]}
  carol@example.com:
sieve:
  before: [{file: before.sieve}]
  after: [{file: after.sieve}]
  global: {big: {file: big.sieve}}
"""
    bed = await make_bed(load_spec(write_spec(tmp_path, "  []\n", head)))
    send = Send.model_validate({"from": SENDER, "to": (ALICE, BOB, CAROL), "subject": "Invoice 7", "body": "x" * 2_000})
    found = await hand_over(bed, send, message_of(send, title="t", sender=sender_of(send)))
    assert {login: sorted(copies) for login, copies in found.copies.items()} == {
        ALICE: ["Big", "Own"],
        BOB: ["Big", "Invoices"],
        CAROL: ["After", "Big", "INBOX"],
    }
