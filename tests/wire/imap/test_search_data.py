"""What is said of results. RFC 9051 §7.3.4, RFC 4731 §3.1, RFC 5256 §4, RFC 7162 §3.1, RFC 7377 §3, RFC 9394 §3.1."""

import pytest

from mailstack.model.ids import ModSeq
from mailstack.model.sorting import Forest
from mailstack.wire.imap.partial import PartialRange
from mailstack.wire.imap.search_data import EsearchData, esearch_pieces, search_pieces, sort_pieces, thread_pieces


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (EsearchData(tag="A282", is_uid=False, min=2, count=3), b'* ESEARCH (TAG "A282") MIN 2 COUNT 3'),
        (EsearchData(tag="A283", is_uid=False, all=[2, 10, 11]), b'* ESEARCH (TAG "A283") ALL 2,10:11'),
        (EsearchData(tag="A284", is_uid=False, all=[]), b'* ESEARCH (TAG "A284")'),
        (EsearchData(tag="A285", is_uid=True, min=7, max=3800), b'* ESEARCH (TAG "A285") UID MIN 7 MAX 3800'),
        (EsearchData(tag="A286", is_uid=False, count=0), b'* ESEARCH (TAG "A286") COUNT 0'),
        (
            EsearchData(tag="a", is_uid=False, all=[1, 2, 3, 5], mod_seq=ModSeq(1236)),
            b'* ESEARCH (TAG "a") ALL 1:3,5 MODSEQ 1236',
        ),
        # RFC 5267 §3.2: what does not ascend is no range
        (EsearchData(tag="a", is_uid=False, all=[5, 3, 2, 1, 2]), b'* ESEARCH (TAG "a") ALL 5,3,2,1:2'),
        (
            EsearchData(tag="B1", is_uid=False, all=[1, 5, 10], scores=[4, 99, 42]),
            b'* ESEARCH (TAG "B1") ALL 1,5,10 RELEVANCY (4 99 42)',
        ),
        (
            EsearchData(tag="A04", is_uid=True, partial=(PartialRange(first=24000, last=24500, is_from_end=False), [])),
            b'* ESEARCH (TAG "A04") UID PARTIAL (24000:24500 NIL)',
        ),
        (
            EsearchData(tag="A01", is_uid=True, partial=(PartialRange(first=1, last=3, is_from_end=True), [4, 5, 7])),
            b'* ESEARCH (TAG "A01") UID PARTIAL (-1:-3 4:5,7)',
        ),
        (
            EsearchData(tag="tag1", is_uid=True, mailbox="folder2/banana", uid_validity=503, all=[3002, 4004]),
            b'* ESEARCH (TAG "tag1" MAILBOX "folder2/banana" UIDVALIDITY 503) UID ALL 3002,4004',
        ),
        (
            EsearchData(tag="t", is_uid=True, mailbox="ä", uid_validity=1, count=1),
            b'* ESEARCH (TAG "t" MAILBOX "&AOQ-" UIDVALIDITY 1) UID COUNT 1',
        ),
    ],
)
def test_esearch(data: EsearchData, line: bytes) -> None:
    assert b"".join(esearch_pieces(data)) == line + b"\r\n"


def test_esearch_names_mailboxes_in_utf8_where_it_is_enabled() -> None:
    data = EsearchData(tag="t", is_uid=True, mailbox="ä", uid_validity=1)

    assert (
        b"".join(esearch_pieces(data, is_utf8=True)) == '* ESEARCH (TAG "t" MAILBOX "ä" UIDVALIDITY 1) UID\r\n'.encode()
    )


@pytest.mark.parametrize(
    ("numbers", "mod_seq", "rest"),
    [
        ([], None, b""),
        ([], ModSeq(5), b""),  # RFC 7162 §3.1.6
        ([2, 84, 882], None, b" 2 84 882"),
        ([2, 5], ModSeq(917162500), b" 2 5 (MODSEQ 917162500)"),
    ],
)
def test_search_and_sort(numbers: list[int], mod_seq: ModSeq | None, rest: bytes) -> None:
    assert b"".join(search_pieces(numbers, mod_seq)) == b"* SEARCH" + rest + b"\r\n"
    assert b"".join(sort_pieces(numbers, mod_seq)) == b"* SORT" + rest + b"\r\n"


@pytest.mark.parametrize(
    ("forest", "numbers", "text"),
    [
        (Forest(roots=[], children={}), [], b""),
        (
            Forest(roots=[0, 1], children={1: [2], 2: [3, 4], 3: [5], 4: [6], 6: [7]}),
            [2, 3, 6, 4, 44, 23, 7, 96],
            b" (2)(3 6 (4 23)(44 7 96))",  # RFC 5256 §4
        ),
        (Forest(roots=[2], children={2: [0, 1]}), [3, 5], b" ((3)(5))"),  # RFC 5256 §4: a parent that is not there
        (Forest(roots=[1], children={1: [2], 2: [0]}), [7, 8, 9], b" (8 9 7)"),
    ],
)
def test_thread(forest: Forest, numbers: list[int], text: bytes) -> None:
    assert b"".join(thread_pieces(forest, numbers)) == b"* THREAD" + text + b"\r\n"


def test_a_deep_thread_needs_no_recursion() -> None:
    depth = 10_000
    chain = Forest(roots=[0], children={at: [at + 1] for at in range(depth - 1)})
    ladder = Forest(roots=[0], children={at: [at + 1, at + 2] for at in range(0, depth - 2, 2)})

    assert b"".join(thread_pieces(chain, range(1, depth + 1))).count(b"(") == 1
    assert b"".join(thread_pieces(ladder, range(1, depth + 1))).count(b"(") == depth - 1


def test_long_results_come_in_bounded_pieces() -> None:
    odd = range(1, 200_000, 2)
    roots = Forest(roots=range(100_000), children={})

    for pieces in (
        search_pieces(odd),
        thread_pieces(roots, odd),
        esearch_pieces(EsearchData(tag="a", is_uid=False, all=odd)),
    ):
        sizes = [len(piece) for piece in pieces]
        assert max(sizes) < 64 * 1024 < sum(sizes)
    assert b"".join(search_pieces(odd)).split()[2:] == [b"%d" % number for number in odd]
