"""SEARCH as dialogues: what is found, what is returned, what `$` stands for afterwards.

RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731, RFC 5032, RFC 5182, RFC 7162 §3.1.5, RFC 9394.
"""

import re

from mailstack.model.instant import DAY_MS, Instant
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap


async def test_what_is_found(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a SEARCH UNSEEN
        S: * SEARCH 1 3
        S: a OK …
        C: b UID SEARCH OR FLAGGED SUBJECT "message 1"
        S: * SEARCH 1 3
        S: b OK …
        C: c SEARCH BODY "of 2" 1:*
        S: * SEARCH 2
        S: c OK …
        C: d SEARCH * FLAGGED
        S: * SEARCH 3
        S: d OK …
        C: e SEARCH KEYWORD nothing
        S: * SEARCH
        S: e OK …
        C: g SEARCH HEADER X-Number 2 SENTBEFORE 1-Jan-2000
        S: * SEARCH 2
        S: g OK …
    """)


async def test_numbers_past_the_end_are_no_error(inbox: ImapClient) -> None:
    # RFC 7377 §2: nor are they in SEARCH
    await inbox.talk(r"""
        C: a SEARCH 4
        S: * SEARCH
        S: a OK …
        C: b SEARCH 2:100
        S: * SEARCH 2 3
        S: b OK …
        C: c SEARCH NOT 2:100
        S: * SEARCH 1
        S: c OK …
        C: d UID SEARCH UID 3:100
        S: * SEARCH 3
        S: d OK …
    """)


async def test_a_charset_that_is_not_known(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a SEARCH CHARSET X-NONE TEXT x
        S: a NO [BADCHARSET (US-ASCII UTF-8)] …
        C: b SEARCH CHARSET utf-8 SUBJECT "message 2"
        S: * SEARCH 2
        S: b OK …
    """)


async def test_result_options(inbox: ImapClient) -> None:
    # RFC 4731 §3.1
    await inbox.talk(r"""
        C: A282 SEARCH RETURN (MIN COUNT) UNSEEN
        S: * ESEARCH (TAG "A282") MIN 1 COUNT 2
        S: A282 OK SEARCH completed
        C: A283 SEARCH RETURN () ALL
        S: * ESEARCH (TAG "A283") ALL 1:3
        S: A283 OK …
        C: A284 SEARCH RETURN (MIN MAX ALL) KEYWORD nothing
        S: * ESEARCH (TAG "A284")
        S: A284 OK …
        C: A285 UID SEARCH RETURN (MIN MAX) 1:5000
        S: * ESEARCH (TAG "A285") UID MIN 1 MAX 3
        S: A285 OK …
        C: A286 SEARCH RETURN (COUNT) DELETED
        S: * ESEARCH (TAG "A286") COUNT 0
        S: A286 OK …
        C: A287 SEARCH RETURN (UPDATE) ALL
        S: A287 BAD No such result option
    """)


async def test_pages(inbox: ImapClient) -> None:
    # RFC 9394 §3.1
    await inbox.talk(r"""
        C: a UID SEARCH RETURN (PARTIAL -1:-2) ALL
        S: * ESEARCH (TAG "a") UID PARTIAL (-1:-2 2:3)
        S: a OK …
        C: b SEARCH RETURN (PARTIAL 2:500 COUNT) UNSEEN
        S: * ESEARCH (TAG "b") PARTIAL (2:500 3) COUNT 2
        S: b OK …
        C: c SEARCH RETURN (PARTIAL 24000:24500) ALL
        S: * ESEARCH (TAG "c") PARTIAL (24000:24500 NIL)
        S: c OK …
        C: d SEARCH RETURN (PARTIAL 1:2 ALL) ALL
        S: d BAD …
    """)


async def test_what_is_saved(inbox: ImapClient) -> None:
    # RFC 5182 §2.4, example 10, and RFC 9394 §3.2
    await inbox.talk(r"""
        C: a SEARCH RETURN (ALL SAVE) ALL
        S: * ESEARCH (TAG "a") ALL 1:3
        S: a OK …
        C: b SEARCH $
        S: * SEARCH 1 2 3
        S: b OK …
        C: c SEARCH RETURN (ALL) 1
        S: * ESEARCH (TAG "c") ALL 1
        S: c OK …
        C: d SEARCH $
        S: * SEARCH 1 2 3
        S: d OK …
        C: e SEARCH RETURN (SAVE MIN) ALL
        S: * ESEARCH (TAG "e") MIN 1
        S: e OK …
        C: f SEARCH $
        S: * SEARCH 1
        S: f OK …
        C: g SEARCH RETURN (MAX SAVE MIN) ALL
        S: * ESEARCH (TAG "g") MIN 1 MAX 3
        S: g OK …
        C: h SEARCH $
        S: * SEARCH 1 3
        S: h OK …
        C: i SEARCH RETURN (MAX SAVE COUNT) ALL
        S: * ESEARCH (TAG "i") MAX 3 COUNT 3
        S: i OK …
        C: j SEARCH $
        S: * SEARCH 1 2 3
        S: j OK …
        C: k SEARCH RETURN (PARTIAL 1:2 SAVE) ALL
        S: * ESEARCH (TAG "k") PARTIAL (1:2 1:2)
        S: k OK …
        C: l SEARCH $
        S: * SEARCH 1 2
        S: l OK …
        C: m SEARCH RETURN (PARTIAL 1:1 MAX SAVE) ALL
        S: * ESEARCH (TAG "m") MAX 3 PARTIAL (1:1 1)
        S: m OK …
        C: n SEARCH $
        S: * SEARCH 1 3
        S: n OK …
    """)


async def test_what_empties_the_saved_result(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a SEARCH RETURN (SAVE) ALL
        S: a OK …
        C: b SEARCH RETURN (SAVE BOGUS) ALL
        S: b BAD …
        C: c SEARCH CHARSET KOI8-R TEXT x
        S: c NO [BADCHARSET …
        C: d SEARCH $
        S: * SEARCH 1 2 3
        S: d OK …
        C: e SEARCH RETURN (SAVE) CHARSET KOI8-R TEXT x
        S: e NO [BADCHARSET …
        C: f SEARCH $
        S: * SEARCH
        S: f OK …
        C: g SEARCH RETURN (SAVE) ALL
        S: g OK …
        C: h EXAMINE INBOX
        S: ...
        S: h OK …
        C: i SEARCH $
        S: * SEARCH
        S: i OK …
    """)


async def test_ages(server: RunningImap, inbox: ImapClient) -> None:
    # RFC 5032 §4
    await inbox.send(b'x APPEND INBOX "01-Jan-2020 10:00:00 +0000" {5+}\r\na: b\n\r\n')
    await inbox.talk(r"""
        S: * 4 EXISTS
        S: x OK …
        C: a SEARCH YOUNGER 259200
        S: * SEARCH 1 2 3
        S: a OK …
        C: b SEARCH OLDER 259200
        S: * SEARCH 4
        S: b OK …
        C: c SEARCH OLDER 1 YOUNGER 4294967295 SUBJECT message
        S: ...
        S: c OK …
    """)
    assert server.service.clock() > Instant(50 * 365 * DAY_MS)


async def test_mod_seqs(inbox: ImapClient) -> None:
    # RFC 7162 §3.1.5, §3.1.10, RFC 4731 §3.2
    await inbox.talk(r"""
        C: a SEARCH MODSEQ 1
        S: * OK [HIGHESTMODSEQ …
        S: * SEARCH 1 2 3 (MODSEQ …)
        S: a OK …
        C: b SEARCH OR NOT MODSEQ 1 LARGER 50000
        S: * SEARCH
        S: b OK …
        C: c SEARCH RETURN (MIN) MODSEQ "/flags/\\draft" all 1
        S: * ESEARCH (TAG "c") MIN 1 MODSEQ …
        S: c OK …
        C: d SEARCH RETURN (COUNT) MODSEQ 9223372036854775807
        S: * ESEARCH (TAG "d") COUNT 0
        S: d OK …
    """)


async def test_what_was_found_can_be_used(inbox: ImapClient) -> None:
    # RFC 5182 §2.2
    await inbox.talk(r"""
        C: a SEARCH RETURN (SAVE) UNSEEN
        S: a OK SEARCH completed
        C: b FETCH $ UID
        S: * 1 FETCH (UID 1)
        S: * 3 FETCH (UID 3)
        S: b OK …
        C: c UID SEARCH UID $ FLAGGED
        S: * SEARCH 3
        S: c OK …
        C: d SEARCH (OR $ 2) SUBJECT message
        S: * SEARCH 1 2 3
        S: d OK …
        C: e UID STORE $ +FLAGS (\Deleted)
        S: * 1 FETCH (UID 1 FLAGS (\Deleted))
        S: * 3 FETCH (UID 3 FLAGS (\Flagged \Deleted))
        S: e OK …
        C: f COPY $ Archive
        S: f OK [COPYUID … 1,3 1:2] …
        C: g SEARCH RETURN (SAVE) 1:2
        S: g OK …
        C: h UID EXPUNGE $
        S: * 1 EXPUNGE
        S: h OK …
        C: i UID FETCH $ FLAGS
        S: * 1 FETCH (UID 2 FLAGS (\Seen))
        S: i OK …
        C: j MOVE $ Trash
        S: * OK [COPYUID … 2 1] Moved
        S: * 1 EXPUNGE
        S: j OK …
        C: k FETCH $ FLAGS
        S: k OK …
        C: l SEARCH $
        S: * SEARCH
        S: l OK …
    """)


async def test_a_saved_message_that_another_session_expunged(server: RunningImap, inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a SEARCH RETURN (SAVE) 2:3
        S: a OK …
    """)
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk(r"""
            C: a SELECT INBOX
            S: ...
            S: a OK …
            C: b STORE 2 +FLAGS.SILENT (\Deleted)
            S: b OK …
            C: c EXPUNGE
            S: * 2 EXPUNGE
            S: c OK …
        """)
    await inbox.talk(r"""
        C: b NOOP
        S: * 2 EXPUNGE
        S: b OK …
        C: c FETCH $ UID
        S: * 2 FETCH (UID 3)
        S: c OK …
    """)


async def test_object_ids(inbox: ImapClient) -> None:
    # RFC 8474 §6
    await inbox.send(b"f FETCH 2 (EMAILID THREADID)\r\n")
    said = await inbox.line()
    found = re.fullmatch(r"\* 2 FETCH \(EMAILID \((.+)\) THREADID \((.+)\)\)", said)
    assert found is not None, said
    email_id, thread_id = found.groups()
    await inbox.talk(f"""
        S: f OK …
        C: a SEARCH EMAILID {email_id}
        S: * SEARCH 2
        S: a OK …
        C: b SEARCH THREADID {thread_id}
        S: * SEARCH 2
        S: b OK …
        C: c SEARCH OR EMAILID {email_id.lower()} THREADID {email_id}
        S: * SEARCH
        S: c OK …
        C: d MOVE 2 Archive
        S: * OK [COPYUID …
        S: * 2 EXPUNGE
        S: d OK …
        C: e ESEARCH IN (personal) EMAILID {email_id}
        S: * ESEARCH (TAG "e" MAILBOX "Archive" UIDVALIDITY …) UID ALL 1
        S: e OK …
    """)


async def test_when_messages_came_into_the_mailbox(inbox: ImapClient) -> None:
    # RFC 8514 §4.3: not when they were received
    await inbox.send(b'x APPEND INBOX "01-Jan-2020 10:00:00 +0000" {5+}\r\na: b\n\r\n')
    await inbox.talk(r"""
        S: * 4 EXISTS
        S: x OK …
        C: a SEARCH SAVEDSINCE 2-Jan-2020 BEFORE 2-Jan-2020
        S: * SEARCH 4
        S: a OK …
        C: b SEARCH SAVEDBEFORE 2-Jan-2020
        S: * SEARCH
        S: b OK …
        C: c SEARCH SAVEDATESUPPORTED 2:3
        S: * SEARCH 2 3
        S: c OK …
    """)


async def test_what_is_about_alike(inbox: ImapClient) -> None:
    # RFC 6203 §3
    await inbox.talk(r"""
        C: a SEARCH SUBJECT "2 message"
        S: * SEARCH
        S: a OK …
        C: b SEARCH FUZZY SUBJECT "2 mess"
        S: * SEARCH 2
        S: b OK …
        C: c SEARCH FUZZY (SUBJECT message) NOT FUZZY BODY "of 3"
        S: * SEARCH 1 2
        S: c OK …
        C: B1 SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT "message"
        S: * ESEARCH (TAG "B1") ALL 1:3 RELEVANCY (100 100 100)
        S: B1 OK …
        C: B2 SEARCH RETURN (RELEVANCY PARTIAL 1:2) OR FUZZY BODY "of 2" FUZZY SUBJECT "message 3"
        S: * ESEARCH (TAG "B2") PARTIAL (1:2 2:3) RELEVANCY (60 100)
        S: B2 OK …
        C: C1 SORT (RELEVANCY) UTF-8 OR FUZZY BODY "of 2" FUZZY SUBJECT "message 3"
        S: * SORT 3 2
        S: C1 OK …
        C: C2 SORT RETURN (RELEVANCY ALL) (REVERSE RELEVANCY) UTF-8 OR FUZZY BODY "of 2" FUZZY SUBJECT "message 3"
        S: * ESEARCH (TAG "C2") ALL 2:3 RELEVANCY (60 100)
        S: C2 OK …
        C: C3 ESEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT "message 2"
        S: * ESEARCH (TAG "C3" MAILBOX "INBOX" UIDVALIDITY …) UID ALL 2 RELEVANCY (100)
        S: C3 OK …
    """)


async def test_responses_once_rev2_is_enabled(inbox: ImapClient) -> None:
    # RFC 9051 §6.4.4
    await inbox.talk(r"""
        C: a ENABLE IMAP4rev2
        S: * ENABLED …
        S: a OK …
        C: A284 SEARCH TEXT "string not in mailbox"
        S: * ESEARCH (TAG "A284")
        S: A284 OK SEARCH completed
        C: A285 UID SEARCH UNSEEN
        S: * ESEARCH (TAG "A285") UID ALL 1,3
        S: A285 OK …
    """)


async def test_without_message_numbers(inbox: ImapClient) -> None:
    # RFC 9586 §3
    await inbox.talk(r"""
        C: a ENABLE UIDONLY
        S: * ENABLED UIDONLY
        S: a OK …
        C: b SEARCH ALL
        S: b BAD [UIDREQUIRED] …
        C: c UID SEARCH NOT 1:2
        S: c BAD [UIDREQUIRED] …
        C: d UID SORT (ARRIVAL) UTF-8 1
        S: d BAD [UIDREQUIRED] …
        C: e THREAD REFERENCES UTF-8 ALL
        S: e BAD [UIDREQUIRED] …
        C: f UID SEARCH RETURN (SAVE) UID 2:3
        S: f OK …
        C: g UID SEARCH $ FLAGGED
        S: * SEARCH 3
        S: g OK …
    """)


async def test_groups_are_found_by_their_names(inbox: ImapClient) -> None:
    # RFC 9051 §6.4.4: FROM, TO and CC look at the envelope, in which groups have their names.
    await inbox.append(b"To: friends: a@b, c@d;\r\n\r\n")
    await inbox.talk(r"""
        C: a SEARCH TO friends
        S: * SEARCH 4
        S: a OK …
        C: b SEARCH TO a@b
        S: * SEARCH 4
        S: b OK …
    """)
