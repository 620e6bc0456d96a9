"""Base64 on a line, and nothing that only looks like it."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.wire.sasl.encoding import MAX_RESPONSE_OCTETS, decode_initial, decode_response, encode_challenge


@pytest.mark.parametrize(("line", "data"), [(b"", b""), (b"AHRpbQBwdw==", b"\0tim\0pw")])
def test_response(line: bytes, data: bytes) -> None:
    assert decode_response(line) == data


def test_an_equals_sign_is_an_empty_initial_response() -> None:
    assert decode_initial(b"=") == b""


@pytest.mark.parametrize(
    "line", [b"=", b"A", b"AHRp bQ==", b"AHRpbQBwdw", b"AAAA====", b"!", b"A" * (MAX_RESPONSE_OCTETS + 4)]
)
def test_what_is_not_base64_is_invalid(line: bytes) -> None:
    with pytest.raises(Invalid):
        decode_response(line)


def test_challenge() -> None:
    assert encode_challenge(b"Username:") == b"VXNlcm5hbWU6"
