"""Which mail goes first: what a person wrote to somebody."""

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.model.delivery import NULL_PATH, Priority
from mailstack.services.outbound.priority import MANY, of_envelope, of_submission


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Subject: hi\r\n", Priority.SUBMISSION),
        (b"Precedence: first-class\r\n", Priority.SUBMISSION),
        (b"Precedence: bulk\r\n", Priority.BULK),  # RFC 3834 §3.1.8
        (b"PRECEDENCE:\r\n List\r\n", Priority.BULK),
        (b"Precedence: junk\r\n", Priority.BULK),
        (b"List-Id: <news.example.com>\r\n", Priority.BULK),  # RFC 2919 §3
        (b"", Priority.SUBMISSION),
    ],
)
def test_a_header_says_what_was_sent_to_many(header: bytes, expected: Priority) -> None:
    assert of_submission(scan_fields(header + b"\r\n")) is expected


@pytest.mark.parametrize(
    ("priority", "reverse_path", "recipients", "expected"),
    [
        (Priority.SUBMISSION, "a@x.example", 1, Priority.SUBMISSION),
        (Priority.SUBMISSION, "a@x.example", MANY, Priority.SUBMISSION),
        (Priority.SUBMISSION, "a@x.example", MANY + 1, Priority.BULK),
        (Priority.SUBMISSION, NULL_PATH, 1, Priority.BOUNCE),
        (Priority.BULK, "a@x.example", 1, Priority.BULK),
        (Priority.BOUNCE, "a@x.example", MANY + 1, Priority.BOUNCE),
    ],
)
def test_an_envelope_lowers_it_and_raises_nothing(
    priority: Priority, reverse_path: str, recipients: int, expected: Priority
) -> None:
    assert of_envelope(priority, reverse_path=reverse_path, recipients=recipients) is expected
