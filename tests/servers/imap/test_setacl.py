"""SETACL, DELETEACL, GETACL after RFC 4314 §2.1.1, §3.1-§3.3."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.imap_dialogue import ImapClient
from tests.support.two_accounts import OTHERS, TwoAccounts, two_accounts

OWNER = '"u0@peer.test" "lrswipkxteacd"'


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with two_accounts(tmp_path) as accounts:
        yield accounts


async def test_the_obsolete_rights_expand(client: ImapClient) -> None:
    await client.talk(f"""
        C: A001 SeTacl Drafts David lrswida
        S: A001 OK …
        C: A002 getacl Drafts
        S: * ACL "Drafts" {OWNER} "david@peer.test" "lrswitead"
        S: A002 OK …
        C: A003 Setacl Drafts Byron lrswikda
        S: A003 OK …
        C: A004 getAcl Drafts
        S: * ACL "Drafts" {OWNER} "byron@peer.test" "lrswikteacd" "david@peer.test" "lrswitead"
        S: A004 OK …
    """)


async def test_rights_are_added_and_taken_away(client: ImapClient) -> None:
    await client.talk(f"""
        C: a SETACL Drafts Chris lrswi
        S: a OK …
        C: b SETACL Drafts Chris +cda
        S: b OK …
        C: c GETACL Drafts
        S: * ACL "Drafts" {OWNER} "chris@peer.test" "lrswikxteacd"
        S: c OK …
        C: d SETACL Drafts Chris -cda
        S: d OK …
        C: e GETACL Drafts
        S: * ACL "Drafts" {OWNER} "chris@peer.test" "lrswi"
        S: e OK …
        C: f SETACL Drafts Chris -lrswi
        S: f OK …
        C: g GETACL Drafts
        S: * ACL "Drafts" {OWNER}
        S: g OK …
    """)


async def test_deleteacl_leaves_the_negative_entry(client: ImapClient) -> None:
    await client.talk(f"""
        C: a SETACL INBOX Fred rwi
        S: a OK …
        C: b SETACL INBOX -Fred wetd
        S: b OK …
        C: c DeleteAcl INBOX Fred
        S: c OK …
        C: d GETACL INBOX
        S: * ACL "INBOX" {OWNER} "-fred@peer.test" "wted"
        S: d OK …
    """)


async def test_rights_that_are_none(client: ImapClient) -> None:
    await client.talk("""
        C: A035 SETACL Drafts John lrQswicda
        S: A035 BAD …
        C: A036 SETACL Drafts John lrqswicda
        S: A036 BAD …
    """)


async def test_the_owner_keeps_all_rights(client: ImapClient) -> None:
    await client.talk(f"""
        C: a SETACL INBOX u0 lr
        S: a NO [CANNOT] …
        C: b SETACL INBOX u0 -a
        S: b NO [CANNOT] …
        C: c SETACL INBOX -u0@peer.test w
        S: c NO [CANNOT] …
        C: d DELETEACL INBOX u0
        S: d NO [CANNOT] …
        C: e SETACL INBOX u0 +lr
        S: e OK …
        C: f GETACL INBOX
        S: * ACL "INBOX" {OWNER}
        S: f OK …
    """)


async def test_who_administers_gives_rights_on(two: TwoAccounts) -> None:
    await two.share("la")
    await two.other.talk(f"""
        C: a SETACL "{OTHERS}/shared" u1 +r
        S: a OK …
        C: b GETACL "{OTHERS}/shared"
        S: * ACL "{OTHERS}/shared" {OWNER} "u1@peer.test" "lra"
        S: b OK …
        C: c SETACL "{OTHERS}/shared" u0 ""
        S: c NO [CANNOT] …
    """)


async def test_a_new_mailbox_has_its_parent_s_list(two: TwoAccounts) -> None:
    """RFC 4314 §4."""
    await two.share("lr")
    await two.owner.talk(f"""
        C: a CREATE shared/a/b
        S: a OK …
        C: b GETACL shared/a/b
        S: * ACL "shared/a/b" {OWNER} "u1@peer.test" "lr"
        S: b OK …
        C: c RENAME shared/a/b elsewhere
        S: c OK …
        C: d GETACL elsewhere
        S: * ACL "elsewhere" {OWNER} "u1@peer.test" "lr"
        S: d OK …
    """)


async def test_a_login_that_is_made_later_inherits_nothing(client: ImapClient) -> None:
    """What was granted to nobody stays nobody's; GETACL shows it as it was written."""
    await client.talk(f"""
        C: a SETACL INBOX nobody@elsewhere.example lr
        S: a OK …
        C: b GETACL INBOX
        S: * ACL "INBOX" {OWNER} "nobody@elsewhere.example" "lr"
        S: b OK …
    """)
