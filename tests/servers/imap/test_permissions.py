"""Every command against every right: with that right alone, and with all rights but that one. RFC 4314 §4's table."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailstack.model.rights import ALL_RIGHTS, Right, Rights, parse_rights, rights_text
from tests.support.two_accounts import OTHERS, TwoAccounts, two_accounts

BOX = f'"{OTHERS}/shared"'
BELOW = f'"{OTHERS}/shared/below'


@dataclass(frozen=True, slots=True)
class Rule:
    """needs: all of these; any_of: one of these beside. hidden: the answer where not even the name may be known."""

    command: str
    needs: str
    any_of: str = ""
    hidden: str = "NONEXISTENT"

    def allows(self, rights: Rights) -> bool:
        alternatives = parse_rights(self.any_of)
        return rights >= parse_rights(self.needs) and (not alternatives or bool(rights & alternatives))


AUTHENTICATED = (
    Rule(f"SELECT {BOX}", "r"),
    Rule(f"EXAMINE {BOX}", "r"),
    Rule(f"STATUS {BOX} (MESSAGES)", "r"),
    Rule(f"GETQUOTAROOT {BOX}", "r"),
    Rule(f"SUBSCRIBE {BOX}", "l"),
    Rule(f"MYRIGHTS {BOX}", "", any_of="lrikxa"),
    Rule(f"GETACL {BOX}", "a"),
    Rule(f"LISTRIGHTS {BOX} u1", "a"),
    Rule(f"SETACL {BOX} nobody lr", "a"),
    Rule(f"DELETEACL {BOX} nobody", "a"),
    Rule(f"GETMETADATA {BOX} /shared/x", "l", any_of="rswip"),
    Rule(f'SETMETADATA {BOX} (/private/x "1")', "l", any_of="rswip"),
    Rule(f'SETMETADATA {BOX} (/shared/x "1")', "lw"),
    Rule(f"APPEND {BOX} {{14+}}\r\nSubject: x\r\n\r\n", "i", hidden="TRYCREATE"),
    Rule(f'CREATE {BELOW}"', "k", hidden="NOPERM"),
    Rule(f'RENAME {BELOW}" {BELOW}2"', "xk", hidden="NONEXISTENT"),
    Rule(f'DELETE {BELOW}2"', "x"),
)
SELECTED = (
    Rule("FETCH 1 (FLAGS BODY[TEXT])", ""),
    Rule("SEARCH TEXT body", ""),
    Rule("NOOP", ""),
    Rule("COPY 1 INBOX", ""),
    Rule(f"COPY 1 {BOX}", "i", hidden="TRYCREATE"),
    Rule(r"STORE 1 FLAGS.SILENT (\Flagged)", "", any_of="swt", hidden="NOPERM"),
    Rule(r"STORE 1 +FLAGS.SILENT (\Seen)", "s", hidden="NOPERM"),
    Rule(r"STORE 1 +FLAGS.SILENT (\Deleted)", "t", hidden="NOPERM"),
    Rule(r"STORE 1 +FLAGS.SILENT ($Junk)", "w", hidden="NOPERM"),
    Rule(r"STORE 1 +FLAGS.SILENT (\Seen \Deleted $Junk)", "", any_of="swt", hidden="NOPERM"),
    Rule("MOVE 1 INBOX", "te", hidden="NOPERM"),
    Rule("EXPUNGE", "e", hidden="NOPERM"),
)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with two_accounts(tmp_path) as accounts:
        yield accounts


async def check(two: TwoAccounts, rule: Rule, rights: Rights) -> None:
    said = await answer(two, rule.command)
    told = f"{rule.command} with {rights_text(rights)}: {said}"
    if rule.allows(rights):
        assert said.startswith("t OK"), told
    else:
        # Who may rename something has found it: what is refused is the place where it should go.
        is_known = Right.LOOKUP in rights or (rule.needs == "xk" and Right.DELETE_MAILBOX in rights)
        assert said.startswith(f"t NO [{'NOPERM' if is_known else rule.hidden}]"), told


async def answer(two: TwoAccounts, command: str) -> str:
    await two.other.send(f"t {command}\r\n".encode())
    while not (said := await two.other.line()).startswith("t "):
        assert said, "the server closed"
    return said


async def below(two: TwoAccounts, rights: Rights) -> None:
    """The mailboxes that CREATE, RENAME and DELETE are about, as they would be after the rule before."""
    for name in ("below", "below2"):
        await answer_owner(two, f"DELETE shared/{name}")
    await two.share(f'"{rights_text(rights)}"')


async def answer_owner(two: TwoAccounts, command: str) -> None:
    await two.owner.send(f"o {command}\r\n".encode())
    while not (await two.owner.line()).startswith("o "):
        pass


SETS = [frozenset({right}) for right in Right] + [ALL_RIGHTS - {right} for right in Right]


@pytest.mark.parametrize("rights", SETS, ids=rights_text)
async def test_without_a_mailbox_selected(two: TwoAccounts, rights: Rights) -> None:
    await below(two, rights)
    for rule in AUTHENTICATED:
        if rule.command.startswith("RENAME"):
            await below(two, rights)
            await answer_owner(two, "CREATE shared/below")
        if rule.command.startswith("DELETE "):
            await below(two, rights)
            await answer_owner(two, "CREATE shared/below2")
        await check(two, rule, rights)


@pytest.mark.parametrize("rights", SETS, ids=rights_text)
async def test_with_the_mailbox_selected(two: TwoAccounts, rights: Rights) -> None:
    rights |= {Right.READ}
    await two.share(f'"{rights_text(rights)}"')
    assert (await answer(two, f"SELECT {BOX}")).startswith("t OK")
    for rule in SELECTED:
        await check(two, rule, rights)
