"""Reverse paths of mail that goes on, there and back. Shevek, The Sender Rewriting Scheme, 2004."""

from collections.abc import Callable

import pytest

from mailstack.mailauth.srs import VALID_DAYS, is_rewritten, restore, rewrite
from mailstack.model.errors import NotFound
from mailstack.model.instant import DAY_MS, Instant

KEY = b"k" * 32
NOW = Instant(1_700_000_000_000)
OURS = "example.com"
FIRST = "SRS0=HH=TT=o.test=a@one.test"
AGES = {0: True, 1: True, VALID_DAYS: True, VALID_DAYS + 1: False, 500: False, 1022: False, -1: True, -2: False}


def local_part(path: str) -> str:
    assert path.endswith(f"@{OURS}")
    return path.removesuffix(f"@{OURS}")


def there(path: str, *, key: bytes = KEY, now: Instant = NOW) -> str:
    found = rewrite(path, OURS, key=key, now=now)
    assert found is not None
    return local_part(found)


@pytest.mark.parametrize(
    "path",
    [
        "alice@them.example",
        "Alice.Example+tag@Them.Example",
        "a=b=c@them.example",  # the domain has no "=", so the local part may
        "SRS0@them.example",
        "SRS0=short@them.example.net",
        "x@a",
        "böb@them.example",  # RFC 6531
        "böb@thém.example",
        "-x-@them.example",
    ],
)
def test_a_path_comes_back_as_it_was(path: str) -> None:
    rewritten = there(path)
    assert is_rewritten(rewritten)
    if not rewritten.startswith("SRS1"):
        assert restore(rewritten, key=KEY, now=NOW) == path


@pytest.mark.parametrize(
    ("path", "rewritten", "back"),
    [
        ("alice@them.example", "SRS0=<hash>=G3=them.example=alice", "alice@them.example"),
        # Through two servers the way back leads to the first, in one step.
        ("SRS0=HH=TT=o.test=a@one.test", "SRS1=<hash>=one.test==HH=TT=o.test=a", "SRS0=HH=TT=o.test=a@one.test"),
        ("srs0+HH=TT=o.test=a@one.test", "SRS1=<hash>=one.test=+HH=TT=o.test=a", "SRS0+HH=TT=o.test=a@one.test"),
        ("SRS1=G=one.test==HH=TT=o.test=a@two.test", "SRS1=<hash>=one.test==HH=TT=o.test=a", FIRST),
        (
            "SRS1+G=one.test=-HH=TT=o.test=a@two.test",
            "SRS1=<hash>=one.test=-HH=TT=o.test=a",
            "SRS0-" + FIRST[5:],
        ),
        # What only looks like it is a sender as any other.
        ("SRS1=broken@one.test", "SRS0=<hash>=G3=one.test=SRS1=broken", "SRS1=broken@one.test"),
        ("SRS0@one.test", "SRS0=<hash>=G3=one.test=SRS0", "SRS0@one.test"),
    ],
)
def test_forms(path: str, rewritten: str, back: str) -> None:
    found = there(path)
    digest = found.split("=")[1]
    assert found == rewritten.replace("<hash>", digest)
    assert restore(found, key=KEY, now=NOW) == back


@pytest.mark.parametrize("fold", [str.lower, str.upper, str.swapcase])
@pytest.mark.parametrize("path", ["Alice@Them.Example", "SRS0=Hh=TT=o.example=a@one.example"])
def test_servers_on_the_way_may_change_the_case(path: str, fold: Callable[[str], str]) -> None:
    assert restore(fold(there(path)), key=KEY, now=NOW).casefold() == path.casefold()


@pytest.mark.parametrize(
    "path",
    [
        "a" * 40 + "@them.example",  # 65 octets with what is added
        "é" * 20 + "@them.example",
        "bounces+1234567-0a1b-alice=them.example@mail.provider.example",
        '"quoted words"@them.example',
        "a..b@them.example",
        "ends.@them.example",
        "alice@[192.0.2.1]",
        "alice@[IPv6:2001:db8::1]",
        "nowhere",
        "@them.example",
        "a b@them.example",
        "a\r\nb@them.example",
        "a@x@them.example",
        "a>b@them.example",
    ],
)
def test_no_path_for_what_fits_in_no_local_part_that_every_server_takes(path: str) -> None:
    assert rewrite(path, OURS, key=KEY, now=NOW) is None


def test_the_longest_local_part_is_of_64_octets() -> None:
    found = there("a" * (64 - len("SRS0=HHHHHHHH=TT=them.example=")) + "@them.example")
    assert len(found) == 64
    assert restore(found, key=KEY, now=NOW).endswith("a@them.example")


@pytest.mark.parametrize("path", ["alice@them.example", "SRS0=HH=TT=o.example=a@one.example"])
def test_no_octet_may_be_another(path: str) -> None:
    """But for the case of a letter, and in what the first server has to judge for itself nothing but that."""
    true = there(path)
    for at in range(len(true)):
        for other in "A7=-.z":
            forged = true[:at] + other + true[at + 1 :]
            if forged.casefold() == true.casefold():
                continue
            with pytest.raises(NotFound):
                restore(forged, key=KEY, now=NOW)
    for cut in range(len(true)):
        with pytest.raises(NotFound):
            restore(true[:cut], key=KEY, now=NOW)
        with pytest.raises(NotFound):
            restore(true + true[cut:], key=KEY, now=NOW)


def test_the_hash_of_one_form_is_none_of_the_other() -> None:
    """Or whoever sends through us from one.example could have a path made that leads elsewhere."""
    made = there("AAAAAAAA=G3=them.example=x@one.example").split("=")[1]
    for forged in (f"SRS1={made}=one.example=AAAAAAAA=G3=them.example=x", f"SRS0={made}=G3=them.example=x"):
        with pytest.raises(NotFound):
            restore(forged, key=KEY, now=NOW)


def test_another_key_makes_other_paths() -> None:
    with pytest.raises(NotFound):
        restore(there("alice@them.example", key=b"x" * 32), key=KEY, now=NOW)


@pytest.mark.parametrize(("days", "is_valid"), AGES.items())
def test_a_path_is_good_for_three_weeks(days: int, is_valid: bool) -> None:
    """And a day ahead, for nodes whose clocks differ."""
    rewritten = there("alice@them.example")
    later = Instant(NOW + days * DAY_MS)
    if is_valid:
        assert restore(rewritten, key=KEY, now=later) == "alice@them.example"
    else:
        with pytest.raises(NotFound):
            restore(rewritten, key=KEY, now=later)


@pytest.mark.parametrize(
    "text", ["", "alice", "SRS0", "SRS0=", "SRS0=AAAAAAAA=AA=x", "SRS0=AAAAAAA1=AA=x.example=a", "ſRS0=AAAAAAAA=AA=x=a"]
)
def test_other_local_parts_are_not_taken_for_one(text: str) -> None:
    assert not is_rewritten(text)
