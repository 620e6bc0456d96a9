"""The scalar types, one by one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mailstack.spec import values


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("6h", 21_600), ("90d", 7_776_000), ("2w", 1_209_600), ("0s", 0)]
)
def test_duration(text: str, seconds: int) -> None:
    assert values.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", 30, "30 s", "-1s", "1.5h", "1h30m", "s", "11y", "999999999w", None, "１s"])
def test_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        values.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("1KiB", 1024), ("50MiB", 52_428_800), ("5GiB", 5 << 30), ("2TiB", 2 << 40)]
)
def test_size(text: str, size: int) -> None:
    assert values.parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "hint"),
    [("5GB", "5GiB"), ("5 gb", "5GiB"), ("5M", "5MiB"), ("5kb", "5KiB"), ("5 MiB", "5MiB")],
)
def test_a_size_in_another_unit_is_corrected(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"did you mean {hint}\?$"):
        values.parse_size(text)


@pytest.mark.parametrize("text", ["", "5", 5, "-5MiB", "1.5GiB", "9999999TiB", None])
def test_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="size"):
        values.parse_size(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mail.Example.COM", "mail.example.com"),
        ("example.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_domain(text: str, name: str) -> None:
    assert values.parse_domain(text) == name


@pytest.mark.parametrize(
    "text", ["", ".", "localhost", "192.0.2.1", "[192.0.2.1]", "a..b", "-a.b", "a b.c", "x" * 64 + ".com", "*.com"]
)
def test_no_domain(text: str) -> None:
    with pytest.raises(ValueError, match="domain name"):
        values.parse_domain(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Alice@Example.com", "alice@example.com"),
        ("o'brien+x@example.com", "o'brien+x@example.com"),
        ("JÜRGEN@bücher.example", "jürgen@xn--bcher-kva.example"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
    ],
)
def test_address(text: str, key: str) -> None:
    assert values.parse_address_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["", "alice", "@example.com", "alice@", "alice@localhost", "a@b@example.com", ".a@example.com", "a.@example.com",
     "a..b@example.com", '"a b"@example.com', "a,b@example.com", "<a@example.com>", "a@[192.0.2.1]", "a@192.0.2.1",
     "x" * 65 + "@example.com", "a@" + "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + "." + "w" * 60 + ".example.com",
     "a\n@example.com"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"mail address|domain name"):
        values.parse_address_key(text)


LOCAL_PARTS = st.text(alphabet="abz09._+-", max_size=66)
DOMAINS = st.lists(st.text(alphabet="abz09-", max_size=64), max_size=5).map(".".join)


@given(local_part=LOCAL_PARTS, domain=DOMAINS)
def test_plain_addresses_take_a_short_way_to_the_same(local_part: str, domain: str) -> None:
    def outcome(text: str) -> str:
        try:
            return values.parse_address_key(text)
        except ValueError as fault:
            return str(fault)

    # A capital letter is all that keeps an address from the short way.
    with_capital = f"A{local_part}@{domain}"
    assert outcome(with_capital.lower()) == outcome(with_capital)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [(":25", ":25"), (":0025", ":25"), ("192.0.2.1:25", "192.0.2.1:25"), ("[2001:DB8:0::1]:993", "[2001:db8::1]:993")],
)
def test_endpoint(text: str, endpoint: str) -> None:
    assert values.parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "value",
    ["", ":", "25", 25, True, None, ":0", ":65536", ":x", "host:25", "::1:25", "[192.0.2.1]:25", "[::1:25", "[]:25"],
)
def test_no_endpoint(value: object) -> None:
    with pytest.raises(ValueError, match="an endpoint is"):
        values.parse_endpoint(value)


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (values.parse_ip, {"192.0.2.1": "192.0.2.1", "2001:DB8:0::1": "2001:db8::1", "127.0.0.1": "127.0.0.1"},
         ("", "192.0.2", "192.0.2.256", "0.0.0.0", "::", "224.0.0.1", "fe80::1%eth0", "host")),
        (values.parse_network, {"192.0.2.1": "192.0.2.1/32", "10.0.0.0/8": "10.0.0.0/8",
                                "2001:DB8::/32": "2001:db8::/32"},
         ("10.0.0.1/8", "localhost", "", "10.0.0.0/33", "10.0.0.0-10.0.0.9")),
        (values.parse_relay_host, {"relay": "relay", "Relay.Example.": "relay.example", "192.0.2.1": "192.0.2.1",
                                   "::1": "::1"},
         ("", "a b", "[192.0.2.1]", "x:25")),
        (values.parse_nameserver, {"NS1.Example.": "ns1.example", "ns1.example:53": "ns1.example",
                                   "127.0.0.1:5353": "127.0.0.1:5353", "::1": "[::1]", "[::1]:5353": "[::1]:5353"},
         ("", "a b", "ns1.example:", "ns1.example:0", "ns1.example:65536", "[::1]5353", "[]:53", ":53", "a:b:c")),
        (values.parse_separators, {"+": "+", "": "", "+-": "+-", "=#~_": "=#~_"}, ("++", "a", ".", "@", " ", "+ ")),
        (values.parse_route_pattern, {"*": "*", "*.Example.com": "*.example.com", "example.com.": "example.com",
                                      "mail*.example": "mail*.example", "bücher.example": "xn--bcher-kva.example"},
         ("", "a b", "a@b.example", "*..com", "-a.example")),
        (values.parse_route_sender, {"*": "*", "*.Example.com": "*.example.com", "A@Example.com": "a@example.com"},
         ("", "a b", "@", "@example.com", "a@", "a@*.example.com", "*..com")),
        (values.parse_name, {"ses": "ses", "eu-1.b_2": "eu-1.b_2"}, ("", "a b", "-a", "ä", "x" * 64)),
        (values.parse_python_class, {"a.B": "a.B", "a_1.b.C2": "a_1.b.C2"}, ("", "a", "a.", ".a", "a b.C", "1.B")),
    ],
)  # fmt: skip
def test_names(parse: Callable[[str], str], good: dict[str, str], bad: tuple[str, ...]) -> None:
    assert {text: parse(text) for text in good} == good
    for text in bad:
        with pytest.raises(ValueError):
            parse(text)


@pytest.mark.parametrize("text", ["env/A", "env/_A1", "file/a", "file//etc/a", "file/a b"])
def test_reference(text: str) -> None:
    assert values.check_reference(SecretStr(text)).get_secret_value() == text
    assert values.check_password(SecretStr(text)).get_secret_value() == text


@pytest.mark.parametrize("text", ["", "env/", "env/A-B", "env/1A", "file/", "ENV/A", "hunter2", "file/a\nb"])
def test_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="plain text"):
        values.check_reference(SecretStr(text))
    with pytest.raises(ValueError, match="plain text") as caught:
        values.check_password(SecretStr(text))
    assert "hunter2" not in str(caught.value)


def test_a_policy_is_remembered_for_a_year_at_most() -> None:  # RFC 8461 §3.2
    assert values.check_max_age(timedelta(weeks=52)) == timedelta(weeks=52)
    for seconds in (0, 31_557_601):
        with pytest.raises(ValueError, match="1s to 52w"):
            values.check_max_age(timedelta(seconds=seconds))
