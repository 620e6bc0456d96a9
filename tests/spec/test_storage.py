"""Names and addresses of what several nodes share."""

from collections.abc import Callable

import pytest

from mailstack.spec.sections import storage


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (storage.parse_bucket, {"mail": "mail", "a-b.c1": "a-b.c1", "x" * 63: "x" * 63},
         ("", "ab", "Mail", "-mail", "mail-", "a..b", "a/b", "x" * 64)),
        (storage.parse_region, {"eu-central-1": "eu-central-1", "auto": "auto"}, ("", "EU", "a b", "-a")),
        (storage.parse_prefix, {"": "", "/": "", "mail": "mail", "/a/b/": "a/b", "a.b/c_d": "a.b/c_d"},
         ("a//b", "a b", "../a", "a/./b", "ä", "a?b", "x" * 201)),
        (storage.parse_object_endpoint,
         {"https://s3.example.net": "https://s3.example.net", "http://[::1]:9000/": "http://[::1]:9000",
          "http://127.0.0.1:9000": "http://127.0.0.1:9000"},
         ("", "s3.example.net", "ftp://s3.example.net", "https://", "https://s3.example.net/mail", "https://a:b@c.example",
          "https://s3.example.net?x=1", "https://s3.example.net#x", "https://s3.example.net:0", "https://x:99999",
          "https://s3 .example.net", "https://[::1")),
        (storage.parse_nats_server, {"nats://a": "nats://a", "tls://a.example:4222": "tls://a.example:4222"},
         ("", "a:4222", "http://a", "nats://", "nats://a/b", "nats://a:0", "nats://u:p@a", "nats://a?x")),
    ],
)  # fmt: skip
def test_names(parse: Callable[[str], str], good: dict[str, str], bad: tuple[str, ...]) -> None:
    assert {text: parse(text) for text in good} == good
    for text in bad:
        with pytest.raises(ValueError):
            parse(text)
