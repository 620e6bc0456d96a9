"""SORT as dialogues. RFC 5256 §3, RFC 5267 §3, RFC 5957, RFC 7162 §3.1.9."""

import pytest

from tests.support.imap_dialogue import ImapClient

MESSAGES = (
    b"From: Zoe <carl@a.example>\r\nTo: b@x\r\nCc: z@x\r\nSubject: re:pears\r\nDate: 3 Feb 2026 10:00:00 GMT\r\n\r\n.",
    b"From: Al <bert@a.example>\r\nTo: A@x\r\nSubject: apples\r\nDate: Sun, 1 Feb 2026 10:00:00 +0000\r\n\r\n....",
    b"From: anna@a.example\r\nTo: c@x\r\nCc: y@x\r\nSubject: Pears\r\nDate: Mon, 2 Feb 2026 23:00:00 -1100\r\n\r\n..",
    b"From: =?utf-8?q?=C3=84nn?= <dora@a.example>\r\nSubject: [list] re: APPLES (fwd)\r\n\r\n",
)


@pytest.fixture
async def fruits(client: ImapClient) -> ImapClient:
    for day, octets in enumerate(MESSAGES, start=10):
        await client.append(octets + b"\r\n", mailbox="Archive", received=f"{day}-Feb-2026 10:00:00 +0000")
    await client.talk("""
        C: s SELECT Archive
        S: ...
        S: s OK …
    """)
    return client


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ("ARRIVAL", "1 2 3 4"),
        ("REVERSE ARRIVAL", "4 3 2 1"),
        ("DATE", "2 1 3 4"),  # 1 and 3 in one moment; the last has no Date, so when it came in counts
        ("REVERSE DATE", "4 1 3 2"),
        ("SUBJECT", "2 4 1 3"),
        ("REVERSE SUBJECT", "1 3 2 4"),
        ("SUBJECT REVERSE ARRIVAL", "4 2 3 1"),
        ("SIZE", "4 2 3 1"),
        ("FROM", "3 2 1 4"),
        ("DISPLAYFROM", "2 3 4 1"),
        ("TO", "4 2 1 3"),
        ("DISPLAYTO", "4 2 1 3"),
        ("CC", "2 4 3 1"),
    ],
)
async def test_every_criterion(fruits: ImapClient, criteria: str, numbers: str) -> None:
    await fruits.talk(f"C: a SORT ({criteria}) UTF-8 ALL\nS: * SORT {numbers}\nS: a OK SORT completed")


async def test_only_what_is_found_is_sorted(fruits: ImapClient) -> None:
    await fruits.talk(r"""
        C: A282 SORT (SUBJECT) UTF-8 2:4 CC x
        S: * SORT 3
        S: A282 OK SORT completed
        C: A284 SORT (SUBJECT) US-ASCII TEXT "not in mailbox"
        S: * SORT
        S: A284 OK SORT completed
        C: a UID SORT (REVERSE ARRIVAL) UTF-8 UID 2:3
        S: * SORT 3 2
        S: a OK …
        C: b SORT (SUBJECT) KOI8-R ALL
        S: b NO [BADCHARSET (US-ASCII UTF-8)] …
        C: c SORT (SUBJECT) UTF-8 MODSEQ 1
        S: * OK [HIGHESTMODSEQ …
        S: * SORT 2 4 1 3 (MODSEQ …)
        S: c OK …
    """)


async def test_extended_sort(fruits: ImapClient) -> None:
    await fruits.talk(r"""
        C: E01 UID SORT RETURN () (REVERSE ARRIVAL) UTF-8 ALL
        S: * ESEARCH (TAG "E01") UID ALL 4,3,2,1
        S: E01 OK SORT completed
        C: a SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "a") MIN 2 MAX 3 COUNT 4
        S: a OK …
        C: b SORT RETURN (PARTIAL 1:2) (SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "b") PARTIAL (1:2 2,4)
        S: b OK …
        C: c SORT RETURN (PARTIAL -1:-2 SAVE) (REVERSE SUBJECT) UTF-8 ALL
        S: * ESEARCH (TAG "c") PARTIAL (-1:-2 2,4)
        S: c OK …
        C: d SEARCH $
        S: * SEARCH 2 4
        S: d OK …
        C: e SORT RETURN (ALL) (ARRIVAL) UTF-8 MODSEQ 1
        S: * OK [HIGHESTMODSEQ …
        S: * ESEARCH (TAG "e") ALL 1:4 MODSEQ …
        S: e OK …
        C: f SORT RETURN (SAVE) (ARRIVAL) UTF-8 1
        S: f OK …
        C: g SORT RETURN (COUNT) (ARRIVAL) UTF-8 $
        S: * ESEARCH (TAG "g") COUNT 1
        S: g OK …
    """)
