"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS; GETQUOTA, GETQUOTAROOT, SETQUOTA; CREATE with USE."""

import pytest

from mailstack.model.rights import RightsOperation, parse_rights
from mailstack.wire.imap.commands.create import Create
from mailstack.wire.imap.commands.deleteacl import DeleteAcl
from mailstack.wire.imap.commands.getacl import GetAcl
from mailstack.wire.imap.commands.getquota import GetQuota
from mailstack.wire.imap.commands.getquotaroot import GetQuotaRoot
from mailstack.wire.imap.commands.listrights import ListRights
from mailstack.wire.imap.commands.myrights import MyRights
from mailstack.wire.imap.commands.setacl import SetAcl
from mailstack.wire.imap.commands.setquota import SetQuota
from mailstack.wire.imap.commands.table import Request
from tests.support.imap_events import fault_of, request_of


def set_acl(operation: RightsOperation, rights: str) -> SetAcl:
    return SetAcl(mailbox="INBOX/Drafts", identifier="David", operation=operation, rights=parse_rights(rights))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"SeTacl INBOX/Drafts David lrswida", set_acl(RightsOperation.SET, "lrswitea")),  # RFC 4314 §2.1.1
        (b"SETACL INBOX/Drafts David +cda", set_acl(RightsOperation.ADD, "kxtea")),
        (b'SETACL INBOX/Drafts "David" -w', set_acl(RightsOperation.REMOVE, "w")),
        (b'SETACL INBOX/Drafts David ""', set_acl(RightsOperation.SET, "")),
        (b"DeleteAcl INBOX -Fred", DeleteAcl(mailbox="INBOX", identifier="-Fred")),
        (b"GETACL INBOX", GetAcl(mailbox="INBOX")),
        (b"MYRIGHTS INBOX", MyRights(mailbox="INBOX")),
        (b"LISTRIGHTS ~/Mail/saved smith", ListRights(mailbox="~/Mail/saved", identifier="smith")),
        (b'GETQUOTA ""', GetQuota(root="")),
        (b"GETQUOTAROOT INBOX", GetQuotaRoot(mailbox="INBOX")),
        (b'SETQUOTA "" (STORAGE 512)', SetQuota(root="", limits=(("STORAGE", 512),))),
        (b'SETQUOTA "" ()', SetQuota(root="", limits=())),
        (b"CREATE MySpecial (USE (\\Drafts \\Sent))", Create(mailbox="MySpecial", uses=("\\Drafts", "\\Sent"))),
        (b"CREATE x (USE ())", Create(mailbox="x")),
    ],
)
def test_command(command: bytes, expected: Request) -> None:
    assert request_of(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        b"SETACL INBOX",
        b"SETACL INBOX/Drafts John lrQswicda",  # RFC 4314 §3.1
        b"SETACL INBOX/Drafts John lrqswicda",
        b'SETACL INBOX "" lr',
        b"SETACL INBOX - lr",
        b'SETACL INBOX "a\tb" lr',
        b"SETACL INBOX " + b"x" * 400 + b" lr",
        b"DELETEACL INBOX",
        b"GETACL",
        b"MYRIGHTS",
        b"LISTRIGHTS INBOX",
        b"GETQUOTA",
        b"GETQUOTAROOT",
        b'SETQUOTA ""',
        b'SETQUOTA "" (STORAGE)',
        b'SETQUOTA "" (STORAGE x)',
        b"CREATE x (USE)",
        b"CREATE x (USE (Drafts))",
        b"CREATE x (NONSENSE (\\Drafts))",
        b"CREATE x (USE (\\Drafts)",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
