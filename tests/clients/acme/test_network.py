"""When an authority wants to be asked again: RFC 9110 §10.2.3."""

import pytest

from mailstack.clients.acme.network import retry_after
from mailstack.model.instant import Instant

NOW = Instant(1_790_000_000_000)  # 2026-09-21 14:13:20 UTC


@pytest.mark.parametrize(
    ("text", "after_s"),
    [
        ("0", 0),
        ("120", 120),
        ("Mon, 21 Sep 2026 15:13:20 GMT", 3_600),
        ("Mon, 21 Sep 2026 13:13:20 GMT", None),
        ("99999999999", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("١٢", None),
    ],
)
def test_seconds_or_a_date_within_reason(text: str, after_s: int | None) -> None:
    expected = None if after_s is None else Instant(NOW + after_s * 1_000)
    assert retry_after(text, NOW) == expected
