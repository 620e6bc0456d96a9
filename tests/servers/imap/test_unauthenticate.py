"""UNAUTHENTICATE: the next client finds nothing of the one before. RFC 8437."""

from tests.support.imap_dialogue import ImapClient


async def test_everything_but_the_connection_is_forgotten(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a ENABLE QRESYNC
        S: ...
        S: a OK …
        C: b UNAUTHENTICATE
        S: b OK [CAPABILITY …AUTH=PLAIN…] UNAUTHENTICATE completed
        C: c NOOP
        S: c OK …
        C: d SELECT INBOX
        S: d BAD Not in this state: not authenticated
        C: e LOGIN u0 pw
        S: e OK …
        C: f FETCH 1 FLAGS
        S: f BAD Not in this state: authenticated
        C: g SELECT INBOX (QRESYNC (1 1))
        S: g BAD …
        C: h ENABLE QRESYNC
        S: * ENABLED QRESYNC
        S: h OK …
    """)


async def test_a_stranger_has_nothing_to_give_up(stranger: ImapClient) -> None:
    await stranger.talk("C: a UNAUTHENTICATE\nS: a BAD …")
