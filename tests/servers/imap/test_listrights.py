"""LISTRIGHTS and MYRIGHTS. RFC 4314 §3.4, §3.5."""

from tests.support.imap_dialogue import ImapClient


async def test_every_right_can_be_given_alone_and_to_whoever(client: ImapClient) -> None:
    """CVE-2026-47083: LISTRIGHTS told who exists."""
    await client.talk("""
        C: a LISTRIGHTS INBOX anyone
        S: * LISTRIGHTS "INBOX" "anyone" "" "l" "r" "s" "w" "i" "p" "k" "x" "t" "e" "a" "c" "d"
        S: a OK …
        C: b LISTRIGHTS INBOX nobody@elsewhere.example
        S: * LISTRIGHTS "INBOX" "nobody@elsewhere.example" "" "l" "r" "s" "w" "i" "p" "k" "x" "t" "e" "a" "c" "d"
        S: b OK …
        C: c LISTRIGHTS INBOX u0
        S: * LISTRIGHTS "INBOX" "u0" "lrswipkxteacd"
        S: c OK …
    """)


async def test_the_owner_may_everything(client: ImapClient) -> None:
    await client.talk("""
        C: a MYRIGHTS inbox
        S: * MYRIGHTS "INBOX" "lrswipkxteacd"
        S: a OK …
        C: b MYRIGHTS nothing
        S: b NO [NONEXISTENT] …
    """)
