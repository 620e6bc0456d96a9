"""A mail that a command is given in a file, or on standard input."""

import sys
from pathlib import Path

from mailstack.cli.screen import EXIT_FAULTS, fail
from mailstack.model.errors import Invalid

STANDARD_INPUT = "-"


def read_mail(file: Path) -> bytes:
    """With CRLF. One that cannot be read ends the command."""
    from mailstack.app.explain.envelope import as_mail
    from mailstack.app.spec_tests.letter import why_unreadable

    try:
        if str(file) == STANDARD_INPUT:
            return as_mail(sys.stdin.buffer.read())[0]
        if reason := why_unreadable(file):
            fail(reason, code=EXIT_FAULTS)
        return as_mail(file.read_bytes())[0]
    except Invalid as fault:
        fail(f"{file}: {fault.detail}", code=EXIT_FAULTS)
