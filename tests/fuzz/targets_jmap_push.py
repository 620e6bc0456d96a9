"""Push: whatever a URL says, everybody reads the same; and any JSON is a subscription or is refused."""

from contextlib import suppress

from mailstack.formats.aes128gcm import check_keys
from mailstack.formats.web_url import parse_web_url
from mailstack.model.errors import Invalid
from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.push_wanted import read_new_push, write_keys
from mailstack.wire.jmap.request import RequestProblem, parse_json
from tests.fuzz.target import Target


def run_url(data: bytes) -> None:
    with suppress(Invalid):
        found = parse_web_url(data.decode("utf-8", "replace"))
        assert found.origin.isascii()
        assert not set(found.origin + found.target) & set("@\\# \r\n\0") - set("@" * ("@" in found.target))
        assert found.host == found.host.lower()
        assert parse_web_url(found.origin + found.target) == found


def run_new(data: bytes) -> None:
    with suppress(RequestProblem, NotSet, Invalid):
        given = parse_json(data)
        if isinstance(given, dict):
            found = read_new_push(given)
            if found.keys is not None:
                check_keys(found.keys)
                assert len(write_keys(found.keys)["p256dh"]) == 87
            assert found.changing.code is None


TARGETS = [
    Target(
        "web_url",
        run_url,
        (
            b"https://example.com/push/?device=X8980fc&client=12c6d086",
            b"HTTPS://Push.Example.COM:8443/A%20b?@",
            b"http://[::ffff:127.0.0.1]:80",
            b"https://127.1/",
        ),
    ),
    Target(
        "jmap.push",
        run_new,
        (
            b'{"deviceClientId":"a","url":"https://example.com/","types":["Email"],"expires":"2999-01-01T00:00:00Z",'
            b'"verificationCode":null,"keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg","p256dh":'
            b'"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}}',
        ),
    ),
]
