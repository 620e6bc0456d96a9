"""Hashes told from passwords, and strong ones from weak ones."""

import argon2
import bcrypt
import pytest

from mailstack.model.password import Scheme, crypt_form, is_other_hash, scheme_of, weakness_of

SHA512 = "$6$Vj2pQ0mWc7rT4yXb$VkKo6KNj4DnmcxMpfy7o8zigqiQ4MmmkCIWVNzUzOLtAKaNBn11LVS5qxkLUkBwIfBWeeC2ESLYEisbFgRO5L0"
SHA512_ROUNDS = SHA512.replace("$6$", "$6$rounds=1000$")
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234"
SCRAM = f"SCRAM-SHA-256$4096:c2FsdA==${'A' * 43}=:{'B' * 43}="
ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b5dWRWJTmaasdasdasdasdasdasdas"


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        (ARGON2, Scheme.ARGON2ID),
        (BCRYPT, Scheme.BCRYPT),
        (BCRYPT.replace("2b", "2a"), Scheme.BCRYPT),
        (BCRYPT.replace("2b", "2y"), Scheme.BCRYPT),
        (SHA512, Scheme.SHA512_CRYPT),
        (SHA512_ROUNDS, Scheme.SHA512_CRYPT),
        ("{SHA512-CRYPT}" + SHA512, Scheme.SHA512_CRYPT),
        (SCRAM, Scheme.SCRAM_SHA_256),
        (f"{ARGON2} {SCRAM}", Scheme.ARGON2ID),
        (f"{BCRYPT} {SCRAM}", Scheme.BCRYPT),
        (f"{SCRAM} {ARGON2}", None),
        (f"{SCRAM} {SCRAM}", None),
        (f"{ARGON2} {BCRYPT}", None),
        (f"{ARGON2}  {SCRAM}", None),
        (f"{ARGON2} ", None),
        (f"{SCRAM} {ARGON2} {SCRAM}", None),
        ("", None),
        ("hunter2", None),
        ("$6$", None),
        (SHA512 + "x", None),
        (SHA512[:-1], None),
        (SHA512 + "\n", None),
        ("{SHA512-CRYPT}" + BCRYPT, None),
        ("{BLF-CRYPT}" + BCRYPT, None),
        (BCRYPT.replace("2b", "2x"), None),
        (BCRYPT[:-1], None),
        (ARGON2.replace("argon2id", "argon2i"), None),
        (ARGON2.replace("v=19", "v=16"), None),
        ("$1$abcdefgh$UUoKKmjvh8Ohn3p6U5uA70", None),
    ],
)
def test_scheme(text: str, scheme: Scheme | None) -> None:
    assert scheme_of(text) is scheme


@pytest.mark.parametrize(
    ("text", "weakness"),
    [
        (ARGON2, ""),
        (SCRAM, ""),
        (f"{ARGON2} {SCRAM}", ""),
        (SCRAM.replace("4096", "4095"), "scram-sha-256 with 4095 iterations is weak; at least 4096"),
        (
            f"{ARGON2} {SCRAM.replace('4096', '2000000')}",
            "scram-sha-256 with 2000000 iterations takes too long to check; at most 1000000",
        ),
        (BCRYPT, ""),
        (SHA512, ""),
        ("hunter2", ""),
        (BCRYPT.replace("$12$", "$09$"), "bcrypt with cost 9 is weak; at least 10"),
        (SHA512_ROUNDS, "sha512-crypt with 1000 rounds is weak; at least 5000"),
        (ARGON2.replace("m=65536", "m=1024"), "argon2id with m=1024,t=3 is weak; at least m=8192,t=1"),
        (ARGON2.replace("t=3", "t=0"), "argon2id with m=65536,t=0 is weak; at least m=8192,t=1"),
    ],
)
def test_weakness(text: str, weakness: str) -> None:
    assert weakness_of(text) == weakness


def test_what_the_libraries_write_is_recognised() -> None:
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    assert scheme_of(hasher.hash("x")) is Scheme.ARGON2ID
    assert scheme_of(bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()) is Scheme.BCRYPT


def test_the_prefix_of_dovecot_is_taken_off() -> None:
    assert crypt_form("{SHA512-CRYPT}" + SHA512) == SHA512
    assert crypt_form(ARGON2) == ARGON2


@pytest.mark.parametrize(
    "text",
    [
        "$argon2id$v=19$m=4294967295,t=3,p=4$c29tZXNhbHQ$" + "A" * 43,
        "$argon2id$v=19$m=65536,t=9999,p=4$c29tZXNhbHQ$" + "A" * 43,
        "$argon2id$v=19$m=65536,t=3,p=1000$c29tZXNhbHQ$" + "A" * 43,
        "$argon2id$v=19$m=65536,t=3,p=0$c29tZXNhbHQ$" + "A" * 43,
        "$2b$31$" + "a" * 53,
        "$6$rounds=999999999$salt$" + "a" * 86,
    ],
)
def test_a_hash_that_would_stop_the_server_is_refused(text: str) -> None:
    assert "at most" in weakness_of(text)


def test_digits_are_ascii() -> None:
    assert scheme_of("$argon2id$v=19$m=\u0668192,t=1,p=1$c29tZXNhbHQ$" + "A" * 43) is None


@pytest.mark.parametrize(
    ("text", "is_other"),
    [
        ("$y$j9T$salt$hashhashhash", True),
        ("$1$salt$hashhashhash", True),
        ("{SSHA}hashhashhash", True),
        ("$6$salt$cut off somewhere", True),
        ("$2b$12$" + "a" * 53, False),
        ("open sesame", False),
        ("$100 for {nothing}", False),
        ("{a} long enough password", False),
        ("", False),
    ],
)
def test_a_hash_of_another_kind_is_told_from_a_password(text: str, is_other: bool) -> None:
    assert is_other_hash(text) is is_other
