"""Mailboxes as other programs read them."""

import mailbox
from contextlib import closing
from pathlib import Path

from mailstack.formats.mbox import mbox_entry
from mailstack.model.instant import Instant

RAW = b"Subject: x\r\n\r\nFrom here\r\n>From there\r\nFromage\r\nlast"


def test_an_entry_has_a_separator_quoted_lines_and_an_empty_line() -> None:
    assert mbox_entry(RAW, Instant(1_700_000_000_000)) == (
        b"From MAILER-DAEMON Tue Nov 14 22:13:20 2023\nSubject: x\n\n>From here\n>>From there\nFromage\nlast\n\n"
    )


def test_another_program_finds_each_message(tmp_path: Path) -> None:
    file = tmp_path / "x.mbox"
    file.write_bytes(b"".join(mbox_entry(RAW, Instant(number)) for number in range(3)))
    with closing(mailbox.mbox(file)) as found:
        assert [each["Subject"] for each in found] == ["x"] * 3
