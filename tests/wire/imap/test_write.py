"""Every response as bytes."""

import pytest

from mailstack.model.numset import NumSet
from mailstack.wire.imap.responses import (
    AclData,
    CapabilityData,
    Condition,
    Continuation,
    EnabledData,
    Exists,
    FlagsData,
    IdData,
    ListData,
    ListRightsData,
    LsubData,
    MetadataData,
    MyRightsData,
    NamespaceData,
    QuotaData,
    QuotaRootData,
    Recent,
    Response,
    StatusData,
    Tagged,
    Untagged,
    Vanished,
)
from mailstack.wire.imap.write import expunges, write


@pytest.mark.parametrize(
    ("response", "octets"),
    [
        (Tagged(tag="a1", condition=Condition.OK, text="done"), b"a1 OK done\r\n"),
        (Tagged(tag="a", condition=Condition.NO, text="no", code="TRYCREATE"), b"a NO [TRYCREATE] no\r\n"),
        (Untagged(condition=Condition.BYE, text="bye"), b"* BYE bye\r\n"),
        (Continuation(data=b"go on"), b"+ go on\r\n"),
        (CapabilityData(names=("IMAP4rev1", "IDLE")), b"* CAPABILITY IMAP4rev1 IDLE\r\n"),
        (EnabledData(names=()), b"* ENABLED\r\n"),
        (IdData(fields=(("name", 'a"b\\'),)), b'* ID ("name" "a\\"b\\\\")\r\n'),
        (
            NamespaceData(delimiter="/", others="Other Users/"),
            b'* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL\r\n',
        ),
        (ListData(attributes=("\\Sent",), delimiter="/", name="Entwürfe"), b'* LIST (\\Sent) "/" "Entw&APw-rfe"\r\n'),
        (LsubData(attributes=(), delimiter="/", name='a"b'), b'* LSUB () "/" "a\\"b"\r\n'),
        (
            StatusData(name="INBOX", items=(("MESSAGES", 2), ("UNSEEN", 0))),
            b'* STATUS "INBOX" (MESSAGES 2 UNSEEN 0)\r\n',
        ),
        (
            ListData(attributes=(), delimiter="/", name="Foo", child_info=("SUBSCRIBED",)),
            b'* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))\r\n',
        ),
        (
            ListData(attributes=(), delimiter="/", name="new", old_name="old"),
            b'* LIST () "/" "new" ("OLDNAME" ("old"))\r\n',
        ),
        (
            AclData(name="INBOX", entries=(("Fred", "lr"), ("-é", "w"))),
            b'* ACL "INBOX" "Fred" "lr" {3}\r\n-\xc3\xa9 "w"\r\n',
        ),
        (
            ListRightsData(name="a", identifier="anyone", required="", optional=("l", "kx")),
            b'* LISTRIGHTS "a" "anyone" "" "l" "kx"\r\n',
        ),
        (MyRightsData(name="INBOX", rights="lr"), b'* MYRIGHTS "INBOX" "lr"\r\n'),
        (QuotaData(root="", resources=(("STORAGE", 10, 512),)), b'* QUOTA "" (STORAGE 10 512)\r\n'),
        (QuotaData(root="a", resources=()), b'* QUOTA "a" ()\r\n'),
        (QuotaRootData(name="INBOX", roots=("",)), b'* QUOTAROOT "INBOX" ""\r\n'),
        (QuotaRootData(name="INBOX", roots=()), b'* QUOTAROOT "INBOX"\r\n'),
        (
            MetadataData(
                name="",
                entries=(("/shared/a", None), ("/shared/b", b'x"'), ("/shared/c", b"\r\n"), ("/shared/d", b"\0")),
            ),
            b'* METADATA "" (/shared/a NIL /shared/b "x\\"" /shared/c {2}\r\n\r\n /shared/d ~{1}\r\n\0)\r\n',
        ),
        (FlagsData(flags=("\\Seen", "foo")), b"* FLAGS (\\Seen foo)\r\n"),
        (Exists(count=3), b"* 3 EXISTS\r\n"),
        (Recent(count=0), b"* 0 RECENT\r\n"),
        (Vanished(uids=NumSet(((405, 405), (407, 410)))), b"* VANISHED 405,407:410\r\n"),
        (Vanished(uids=NumSet(((41, 41),)), is_earlier=True), b"* VANISHED (EARLIER) 41\r\n"),
    ],
)
def test_response(response: Response, octets: bytes) -> None:
    assert write(response) == octets


def test_mailbox_names_are_utf8_once_that_is_switched_on() -> None:
    listed = ListData(attributes=(), delimiter="/", name='Entwürfe "a"')

    assert write(listed, is_utf8=True) == '* LIST () "/" "Entwürfe \\"a\\""\r\n'.encode()


def test_expunges() -> None:
    assert expunges([5, 3]) == b"* 5 EXPUNGE\r\n* 3 EXPUNGE\r\n"
