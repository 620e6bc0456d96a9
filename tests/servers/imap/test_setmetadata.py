"""GETMETADATA and SETMETADATA after the examples of RFC 5464 §4, and RFC 6154 §5.4."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.annotation import MAX_ENTRIES, MAX_VALUE_OCTETS
from tests.support.imap_dialogue import ImapClient
from tests.support.two_accounts import OTHERS, TwoAccounts, two_accounts


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with two_accounts(tmp_path) as accounts:
        yield accounts


async def test_set_get_and_remove(client: ImapClient) -> None:
    await client.talk("""
        C: a SETMETADATA INBOX (/private/comment {33+}
        C: My new comment across
        C: two lines.)
    """)
    await client.talk("""
        S: a OK …
        C: b GETMETADATA INBOX /private/comment
        S: * METADATA "INBOX" (/private/comment {33}
        S: My new comment across
        S: two lines.)
        S: b OK …
    """)


async def test_what_is_not_set_is_nil(client: ImapClient) -> None:
    await client.talk("""
        C: a SETMETADATA INBOX (/private/comment "My comment" /shared/comment "Shared")
        S: a OK …
        C: b GETMETADATA "INBOX" (/shared/comment /private/comment /private/x)
        S: * METADATA "INBOX" (/private/comment "My comment" /shared/comment "Shared" /private/x NIL)
        S: b OK …
        C: c SETMETADATA INBOX (/private/comment NIL)
        S: c OK …
        C: d GETMETADATA INBOX /private/comment
        S: * METADATA "INBOX" (/private/comment NIL)
        S: d OK …
    """)


async def test_options(client: ImapClient) -> None:
    await client.talk("""
        C: a SETMETADATA INBOX (/private/filters/a/b "deep" /private/filters/values "bv" /private/filters "top")
        S: a OK …
        C: b GETMETADATA "INBOX" (DEPTH 1) /private/filters
        S: * METADATA "INBOX" (/private/filters "top" /private/filters/values "bv")
        S: b OK …
        C: c GETMETADATA (DEPTH infinity) "INBOX" /private/filters
        S: * METADATA "INBOX" (/private/filters "top" /private/filters/a/b "deep" /private/filters/values "bv")
        S: c OK …
        C: d GETMETADATA (MAXSIZE 3) INBOX (/private/filters /private/filters/a/b)
        S: * METADATA "INBOX" (/private/filters "top")
        S: d OK [METADATA LONGENTRIES 4] …
    """)


async def test_the_server_s_entries(client: ImapClient) -> None:
    await client.talk("""
        C: a SETMETADATA "" (/private/comment "mine")
        S: a OK …
        C: b GETMETADATA "" /private/comment
        S: * METADATA "" (/private/comment "mine")
        S: b OK …
        C: c SETMETADATA "" (/shared/comment "everybody's")
        S: c NO [NOPERM] …
        C: d SETMETADATA INBOX (/other/comment "x")
        S: d NO [CANNOT] …
    """)


async def test_limits(client: ImapClient) -> None:
    await client.talk(f"""
        C: a SETMETADATA INBOX (/private/comment "{"x" * (MAX_VALUE_OCTETS + 1)}")
        S: a NO [METADATA MAXSIZE {MAX_VALUE_OCTETS}] …
    """)
    for number in range(0, MAX_ENTRIES, 50):
        entries = " ".join(f'/private/e{number + one} "x"' for one in range(50))
        await client.talk(f"C: b SETMETADATA INBOX ({entries})\nS: b OK …")
    await client.talk("""
        C: c SETMETADATA INBOX (/private/more "x")
        S: c NO [METADATA TOOMANY] …
    """)


async def test_special_use_moves(client: ImapClient) -> None:
    await client.talk(r"""
        C: a CREATE SavedDrafts
        S: a OK …
        C: t2 GETMETADATA "Drafts" /private/specialuse
        S: * METADATA "Drafts" (/private/specialuse "\\Drafts")
        S: t2 OK …
        C: t3 SETMETADATA "SavedDrafts" (/private/specialuse "\\Drafts")
        S: t3 OK …
        C: t4 SETMETADATA "Sent" (/private/specialuse NIL)
        S: t4 OK …
        C: t5 LIST "" ("Drafts" "SavedDrafts" "Sent")
        S: * LIST (\HasNoChildren) "/" "Drafts"
        S: * LIST (\HasNoChildren \Drafts) "/" "SavedDrafts"
        S: * LIST (\HasNoChildren) "/" "Sent"
        S: t5 OK …
        C: t6 SETMETADATA INBOX (/private/specialuse "\\Junk")
        S: t6 NO [USEATTR] …
    """)


async def test_a_use_changes_with_all_the_rest_or_not_at_all(client: ImapClient) -> None:
    """RFC 5464 §4.3."""
    for number in range(0, MAX_ENTRIES, 50):
        entries = " ".join(f'/private/e{number + one} "x"' for one in range(50))
        await client.talk(f"C: a SETMETADATA Sent ({entries})\nS: a OK …")
    await client.talk(r"""
        C: b SETMETADATA Sent (/private/specialuse "\\Drafts" /private/more "x")
        S: b NO [METADATA TOOMANY] …
        C: c SETMETADATA INBOX (/private/comment "x" /private/specialuse "\\Drafts")
        S: c NO [USEATTR] …
        C: d GETMETADATA Sent /private/specialuse
        S: * METADATA "Sent" (/private/specialuse "\\Sent")
        S: d OK …
        C: e GETMETADATA INBOX /private/comment
        S: * METADATA "INBOX" (/private/comment NIL)
        S: e OK …
    """)


async def test_private_entries_are_each_viewer_s_own(two: TwoAccounts) -> None:
    await two.share("lrw")
    await two.owner.talk("""
        C: a SETMETADATA shared (/private/comment "owner's" /shared/comment "for all")
        S: a OK …
    """)
    await two.other.talk(f"""
        C: b GETMETADATA "{OTHERS}/shared" (/private/comment /shared/comment)
        S: * METADATA "{OTHERS}/shared" (/shared/comment "for all" /private/comment NIL)
        S: b OK …
        C: c SETMETADATA "{OTHERS}/shared" (/private/comment "viewer's" /shared/comment "changed")
        S: c OK …
    """)
    await two.owner.talk("""
        C: d GETMETADATA shared (/private/comment /shared/comment)
        S: * METADATA "shared" (/private/comment "owner's" /shared/comment "changed")
        S: d OK …
    """)


async def test_rights(two: TwoAccounts) -> None:
    """RFC 5464 §3.3: `l`, and one of `rswip`."""
    await two.share("lk")
    await two.other.talk(f"""
        C: a GETMETADATA "{OTHERS}/shared" /shared/comment
        S: a NO [NOPERM] …
    """)
    await two.share("lr")
    await two.other.talk(f"""
        C: a SETMETADATA "{OTHERS}/shared" (/shared/comment "x")
        S: a NO [NOPERM] …
        C: b SETMETADATA "{OTHERS}/shared" (/private/comment "x")
        S: b OK …
    """)
