"""SASL data on a protocol line: base64, `=` for empty, `*` to cancel. RFC 4954 §4, RFC 9051 §6.2.2, RFC 4648 §4."""

from binascii import Error, a2b_base64, b2a_base64

from mailstack.model.errors import Invalid

MAX_RESPONSE_OCTETS = 12_288
"""RFC 4954 §4.1: base64 strings of up to 12288 octets must be taken."""

CANCEL = b"*"
"""RFC 4954 §4, RFC 9051 §6.2.2: the client gives up."""


def decode_initial(text: bytes) -> bytes:
    """An initial response. RFC 4954 §4, RFC 4959 §3: one that is empty is written `=`. Raises Invalid."""
    return b"" if text == b"=" else decode_response(text)


def decode_response(line: bytes) -> bytes:
    """line: without CRLF. Raises Invalid."""
    if len(line) > MAX_RESPONSE_OCTETS:
        raise Invalid("a SASL response is overlong")
    try:
        data = a2b_base64(line, strict_mode=True)  # RFC 4648 §3.3: characters outside the alphabet are refused
    except Error as fault:
        raise Invalid("a SASL response is not base64") from fault
    if encode_challenge(data) != line:  # RFC 4648 §3.5: padding bits are zero, and no padding stands alone
        raise Invalid("a SASL response is not canonical base64")
    return data


def encode_challenge(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)
