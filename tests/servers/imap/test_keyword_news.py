"""Keywords that come to be while a mailbox is selected: FLAGS names them first. RFC 9051 §7.3.5."""

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap

ALWAYS = r"\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MDNSent $Junk $NotJunk $Phishing"


async def test_a_new_keyword_is_named_once_before_a_message_shows_it(inbox: ImapClient) -> None:
    await inbox.talk(rf"""
        C: a STORE 1:2 +FLAGS (todo $label1)
        S: * FLAGS ({ALWAYS} $label1 todo)
        S: * 1 FETCH (UID 1 FLAGS ($label1 todo))
        S: * 2 FETCH (UID 2 FLAGS ($label1 \Seen todo))
        S: a OK STORE completed
        C: b STORE 3 +FLAGS (TODO)
        S: * 3 FETCH (UID 3 FLAGS (TODO \Flagged))
        S: b OK STORE completed
        C: c FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS ($label1 todo))
        S: c OK FETCH completed
    """)


async def test_a_silent_store_shows_nothing_yet(inbox: ImapClient) -> None:
    await inbox.talk(rf"""
        C: a STORE 1 +FLAGS.SILENT (todo)
        S: a OK STORE completed
        C: b FETCH 1 (UID)
        S: * 1 FETCH (UID 1)
        S: b OK FETCH completed
        C: c FETCH 1 (FLAGS)
        S: * FLAGS ({ALWAYS} todo)
        S: * 1 FETCH (FLAGS (todo))
        S: c OK FETCH completed
    """)


async def test_keywords_of_others_and_of_new_messages(inbox: ImapClient, server: RunningImap) -> None:
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: s SELECT INBOX\nS: ...\nS: s OK …\nC: a STORE 2 +FLAGS.SILENT (todo)\nS: a OK …")
        await other.append(b"Subject: new\r\n\r\nhi", flags="later")
    await inbox.talk(rf"""
        C: a NOOP
        S: * FLAGS ({ALWAYS} todo)
        S: * 2 FETCH (UID 2 FLAGS (\Seen todo))
        S: * 4 EXISTS
        S: a OK NOOP completed
        C: b FETCH 4 (BODY[TEXT])
        S: * FLAGS ({ALWAYS} todo later)
        S: * 4 FETCH (BODY[TEXT] {{2}}
        S: hi FLAGS (\Seen later))
        S: b OK FETCH completed
    """)


async def test_select_names_all_of_them(inbox: ImapClient) -> None:
    await inbox.talk(rf"""
        C: a STORE 1 +FLAGS.SILENT (todo)
        S: a OK STORE completed
        C: s SELECT INBOX
        S: * OK [CLOSED] …
        S: * FLAGS ({ALWAYS} todo)
        S: ...
        S: s OK …
        C: c FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS (todo))
        S: c OK FETCH completed
    """)
