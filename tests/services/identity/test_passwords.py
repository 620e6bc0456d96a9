"""Hashes of three kinds, ours and those of other servers. RFC 9106, RFC 8265."""

import bcrypt
import pytest

from mailstack.services.identity.passwords import MAX_PASSWORD_OCTETS, HashCost, hash_password, verify_password


@pytest.mark.parametrize("cost", list(HashCost))
def test_new_hashes_are_argon2id_and_salted(cost: HashCost) -> None:
    first, second = (hash_password("pässwort", cost=cost) for _ in range(2))
    assert first.startswith("$argon2id$v=19$")
    assert first != second
    assert verify_password(first, "pässwort")
    assert not verify_password(first, "passwort")


def bcrypt_hash(plain: bytes, prefix: str) -> str:
    return prefix + bcrypt.hashpw(plain, bcrypt.gensalt(4)).decode()[4:]


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_bcrypt_hashes_of_other_servers_work(prefix: str) -> None:
    kept = bcrypt_hash(b"correct horse", prefix)
    assert verify_password(kept, "correct horse")
    assert not verify_password(kept, "wrong horse")


def test_bcrypt_looks_at_72_octets_as_it_always_did() -> None:
    assert verify_password(bcrypt_hash(b"x" * 72, "$2y$"), "x" * 80)


@pytest.mark.parametrize("label", ["", "{SHA512-CRYPT}", "{sha512-crypt}"])
@pytest.mark.parametrize(
    ("kept", "plain"),
    [
        # Made by openssl; the other is an example of the algorithm's own specification.
        (
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            "Hello world!",
        ),
        (
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9"
            "qs/y3RnOaw5v.",
            "Hello world!",
        ),
    ],
)
def test_sha512_crypt_hashes_of_other_servers_work(label: str, kept: str, plain: str) -> None:
    assert verify_password(label + kept, plain)
    assert not verify_password(label + kept, plain + "x")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "plain",
        "$1$abc$def",
        "$argon2id$broken",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
        "$2b$04$short",
        "$2b$99$7EcfMrVCRTFqKDKtQ9gSXu5ndFyM6sexyUBLcxZwLKcSsvcsJ0ztK",
        "$6$",
        "$6$rounds=x$salt$hash",
        "{SHA512-CRYPT}",
        "{PLAIN}secret",
    ],
)
def test_what_is_no_hash_verifies_nothing(kept: str) -> None:
    for plain in ("", "plain", "secret", kept):
        assert not verify_password(kept, plain)


def test_a_password_typed_on_two_keyboards_is_the_same() -> None:
    kept = hash_password("cafe\u0301 \u00a0x", cost=HashCost.LOW)
    assert verify_password(kept, "caf\u00e9  x")


def test_overlong_passwords_are_not_hashed() -> None:
    plain = "x" * (MAX_PASSWORD_OCTETS + 1)
    assert not verify_password(hash_password(plain, cost=HashCost.LOW), plain)
