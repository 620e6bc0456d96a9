"""Signed messages of the suites: in each file first the keys, then an empty line, then the message."""

from tests.support.suites import suite_path

Records = dict[str, list[str]]


def read_signed(name: str) -> tuple[Records, bytes]:
    """TXT records by name, and the message with CRLF."""
    records, _, message = suite_path("dkim", name).read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    keys = (line.split(" ", 1) for line in records.decode("ascii").splitlines())
    return {key[0]: [key[1]] for key in keys}, message.replace(b"\n", b"\r\n")
