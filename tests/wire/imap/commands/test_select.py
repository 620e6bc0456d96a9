"""SELECT and EXAMINE with parameters. RFC 7162 §3.1.8, §3.2.5 and its examples."""

import pytest

from mailstack.model.ids import ModSeq
from mailstack.model.numset import NumSet
from mailstack.wire.imap.commands.examine import Examine
from mailstack.wire.imap.commands.select import KnownState, Parameters, Select
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        (b"", Parameters()),
        (b" (condstore)", Parameters(wants_mod_seqs=True)),
        (
            b" (QRESYNC (67890007 20050715194045000))",
            Parameters(known=KnownState(uid_validity=67890007, mod_seq=ModSeq(20050715194045000))),
        ),
        (
            b" (CONDSTORE QRESYNC (7 9 41,43:211,214:541))",
            Parameters(
                wants_mod_seqs=True,
                known=KnownState(uid_validity=7, mod_seq=ModSeq(9), uids=NumSet(((41, 41), (43, 211), (214, 541)))),
            ),
        ),
        (
            b" (QRESYNC (7 9 1:29997 (5000,9990:9991 15000,22500,27000)))",
            Parameters(
                known=KnownState(
                    uid_validity=7,
                    mod_seq=ModSeq(9),
                    uids=NumSet(((1, 29997),)),
                    matches=((5000, 15000), (9990, 22500), (9991, 27000)),
                )
            ),
        ),
        (
            b" (QRESYNC (7 9 (1 3)))",
            Parameters(known=KnownState(uid_validity=7, mod_seq=ModSeq(9), matches=((1, 3),))),
        ),
    ],
)
def test_parameters(text: bytes, parameters: Parameters) -> None:
    assert request_of(b"SELECT INBOX" + text) == Select(mailbox="INBOX", parameters=parameters)
    assert request_of(b"EXAMINE INBOX" + text) == Examine(mailbox="INBOX", parameters=parameters)


@pytest.mark.parametrize(
    "text",
    [
        b" ()",
        b" (X)",
        b" (CONDSTORE",
        b" (QRESYNC)",
        b" (QRESYNC (0 1))",
        b" (QRESYNC (1 0))",
        b" (QRESYNC (1 1 *))",
        b" (QRESYNC (1 1 1:*))",
        b" (QRESYNC (1 1 1 (1 2,3)))",
        b" (QRESYNC (1 1 1 (2,1 2,3)))",
        b" (QRESYNC (1 1 1 (1:4294967295 1:4294967295)))",
        b" (QRESYNC (1 1) QRESYNC (1 1))",
        b" (QRESYNC (1 9223372036854775808))",
    ],
)
def test_malformed(text: bytes) -> None:
    assert fault_of(b"SELECT INBOX" + text)
