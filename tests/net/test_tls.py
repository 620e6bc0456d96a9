"""Certificates chosen by name, and swapped under a listener that stays."""

import ssl

import pytest
import trustme

from mailstack.model.errors import Invalid
from mailstack.net.tls import Identity, NameChoice, choice_of, live_context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def identity(authority: trustme.CA, *names: str) -> Identity:
    issued = authority.issue_cert(*names)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems).decode()
    return Identity(names=names, chain=chain, key=issued.private_key_pem.bytes().decode())


def names_seen(authority: trustme.CA, front: ssl.SSLContext, server_name: str | None) -> set[str]:
    """The names in the certificate that a client gets, by a handshake in memory."""
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    client_context.check_hostname = False
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=server_name)
    server = front.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"
    certificate = client.getpeercert()
    assert certificate is not None
    alternatives = certificate["subjectAltName"]
    assert isinstance(alternatives, tuple)
    return {str(alternative[1]) for alternative in alternatives}


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("mail.example.com", "mail.example.com"),
        ("MAIL.example.com", "mail.example.com"),
        ("other.example.net", "other.example.net"),
        ("imap.example.org", "*.example.org"),
        ("a.b.example.org", "mail.example.com"),  # RFC 6125 §6.4.3: a wildcard stands for one label
        ("unknown.example", "mail.example.com"),
        (None, "mail.example.com"),
    ],
)
def test_the_certificate_is_chosen_by_name_and_the_first_is_for_all_others(
    authority: trustme.CA, asked: str | None, seen: str
) -> None:
    names = ("mail.example.com", "other.example.net", "*.example.org")
    choice = choice_of(tuple(identity(authority, name) for name in names))
    assert names_seen(authority, live_context(lambda: choice), asked) == {seen}


def test_a_new_choice_is_used_by_the_next_handshake(authority: trustme.CA) -> None:
    current: list[NameChoice] = [choice_of((identity(authority, "old.example.com"),))]
    front = live_context(lambda: current[0])
    assert names_seen(authority, front, "old.example.com") == {"old.example.com"}
    current[0] = choice_of((identity(authority, "new.example.com"),))
    assert names_seen(authority, front, "old.example.com") == {"new.example.com"}


def test_a_certificate_that_stays_keeps_its_context(authority: trustme.CA) -> None:
    kept, new = identity(authority, "kept.example.com"), identity(authority, "new.example.com")
    before = choice_of((kept,), protocols=("http/1.1",))
    after = choice_of((new, kept), protocols=("http/1.1",), before=before)
    assert after("kept.example.com") is before("kept.example.com")
    assert after(None) is after("new.example.com") is not after("kept.example.com")


def test_without_a_certificate_the_handshake_is_refused(authority: trustme.CA) -> None:
    with pytest.raises(ssl.SSLError):
        names_seen(authority, live_context(lambda: choice_of(())), "mail.example.com")


def test_old_versions_are_not_spoken() -> None:
    assert live_context(lambda: choice_of(())).minimum_version == ssl.TLSVersion.TLSv1_2  # RFC 8996


def test_a_key_of_another_certificate_is_named(authority: trustme.CA) -> None:
    one, other = identity(authority, "one.example.com"), identity(authority, "other.example.com")
    with pytest.raises(Invalid, match=r"one\.example\.com"):
        choice_of((Identity(names=one.names, chain=one.chain, key=other.key),))
    assert other.key not in repr(other)
