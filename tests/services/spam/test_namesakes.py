"""Who has the name of somebody here, and is elsewhere."""

from dataclasses import replace

import pytest

from mailstack.formats.addresses import parse_mailboxes
from mailstack.services.spam.namesakes import Namesakes
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.examined import examined
from tests.support.memory_accounts import make_account

ALICE = replace(make_account("alice@example.com"), name="Alice M\u00fcller")
BOB = replace(make_account("bob@example.com"), name="Bob")
SOURCE = Namesakes(accounts=MemoryAccounts([ALICE, BOB]), domains={"example.com"})


@pytest.mark.parametrize(
    ("author", "is_found"),
    [
        ("Alice M\u00fcller <a@elsewhere.example>", True),
        ("=?utf-8?q?Alice__M=C3=BCller?= <a@elsewhere.example>", True),
        ('"M\u00fcller, Alice" <a@elsewhere.example>', True),
        ("Alice M\u00fcller <alice@example.com>", False),
        ("Alice Miller <a@elsewhere.example>", False),
        # One word is many people's name.
        ("Bob <b@elsewhere.example>", False),
        ("a@elsewhere.example", False),
        (f"{'Alice ' * 100} <a@elsewhere.example>", False),
        ("", False),
    ],
)
async def test_names(author: str, is_found: bool) -> None:
    mail = examined(author=next(iter(parse_mailboxes(author.encode())), None))
    found = await SOURCE.findings(mail)
    assert [one.rule for one in found] == (["name-of-ours"] if is_found else [])
