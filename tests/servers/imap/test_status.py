"""STATUS: all items. RFC 9051 §6.3.11, RFC 7889, RFC 8438, RFC 8474 §4.2, RFC 9208 §4.1.4."""

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient


async def test_every_item(client: ImapClient) -> None:
    await client.append(message(1), flags="\\Deleted")
    await client.append(message(2), flags="\\Seen")
    size = len(message(1))
    await client.talk(f"""
        C: a STATUS INBOX (MESSAGES RECENT UIDNEXT UNSEEN DELETED SIZE DELETED-STORAGE APPENDLIMIT)
        S: * STATUS "INBOX" (MESSAGES 2 RECENT 0 UIDNEXT 3 UNSEEN 1 DELETED 1 SIZE {2 * size} DELETED-STORAGE {size} …)
        S: a OK …
        C: b STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ MAILBOXID)
        S: * STATUS "INBOX" (UIDVALIDITY … HIGHESTMODSEQ … MAILBOXID (F…-1))
        S: b OK …
        C: c STATUS inbox (NONSENSE)
        S: c BAD …
        C: d STATUS nothing (MESSAGES)
        S: d NO [NONEXISTENT] …
        C: e STATUS inbox (MESSAGES)
        S: * STATUS "INBOX" (MESSAGES 2)
        S: e OK …
    """)
