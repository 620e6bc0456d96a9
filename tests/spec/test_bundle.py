"""A spec is sent whole, and what was sent is unpacked where it cannot do harm."""

from pathlib import Path

import pytest

from mailstack.model.errors import Conflict, Invalid
from mailstack.spec.bundle import Bundle, bundle_of, references_of, unpack
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import load_spec
from mailstack.spec.secrets import resolve

SPEC = """\
server: {hostname: mail.example.com}
include: [accounts/*.yaml]
domains: {example.com: }
tls: {issuer: files, files: [{certificate: tls/mail.pem, key: file/tls/mail.key}]}
relays: {out: {host: relay.example.net, username: env/BUNDLE_USER, password: env/BUNDLE_PW}}
dns:
  providers: {ns: {class: octodns_bind.Rfc2136Provider, host: 203.0.113.53, key_name: k, key_secret: env/BUNDLE_TSIG}}
  zones: {example.com: {provider: ns}}
"""
MINIMAL = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"
ACCOUNTS = "accounts: {alice@example.com: {password: file/alice.hash}, bob@example.com: {password: env/BUNDLE_BOB}}\n"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """env/BUNDLE_BOB is not here."""
    folder = tmp_path / "here"
    for name, text in {
        "mailstack.yaml": SPEC,
        "accounts/staff.yaml": ACCOUNTS,
        "accounts/alice.hash": "$argon2id$hash of alice\n",
        "tls/mail.pem": "PEM of the certificate\n",
        "tls/mail.key": "PEM of the key\n",
        "unrelated.txt": "nobody asked for it\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("BUNDLE_USER", "BUNDLE_PW", "BUNDLE_TSIG"):
        monkeypatch.setenv(name, f"secret of {name}")
    return folder / "mailstack.yaml"


def test_it_holds_the_files_that_the_spec_reads_and_no_other(spec: Path) -> None:
    bundle = bundle_of(load_spec(spec), resolve)
    assert bundle.main == SPEC
    assert dict(bundle.files) == {"accounts/staff.yaml": ACCOUNTS, "tls/mail.pem": "PEM of the certificate\n"}


def test_it_holds_the_scripts_that_the_spec_names(tmp_path: Path) -> None:
    (tmp_path / "sieve").mkdir()
    (tmp_path / "sieve" / "all.sieve").write_bytes("# café\r\nkeep;\r\n".encode())
    (tmp_path / "here.yaml").write_text(MINIMAL + "sieve: {after: [{file: sieve/all.sieve}]}\n")
    loaded = load_spec(tmp_path / "here.yaml")
    bundle = bundle_of(loaded, resolve)
    assert dict(bundle.files) == {"sieve/all.sieve": "# café\r\nkeep;\r\n"}
    (tmp_path / "there").mkdir()
    unpacked = load_spec(unpack(Bundle.from_json(bundle.to_json()), tmp_path / "there"))
    assert (unpacked.digest, unpacked.scripts) == (loaded.digest, loaded.scripts)


def test_it_holds_nothing_that_the_server_has_its_own_storage_by(tmp_path: Path) -> None:
    keys = "access_key: env/BUNDLE_PW, secret_key: env/BUNDLE_PW"
    storage = f"storage: {{database: env/BUNDLE_PW, blobs: {{s3: {{bucket: abc, {keys}}}}}}}\n"
    (tmp_path / "mailstack.yaml").write_text(MINIMAL + storage)
    assert references_of(load_spec(tmp_path / "mailstack.yaml").spec) == frozenset()


def test_it_holds_the_secrets_that_are_here_but_none_of_dns_providers(spec: Path) -> None:
    loaded = load_spec(spec)
    assert references_of(loaded.spec) == {
        "env/BUNDLE_USER",
        "env/BUNDLE_PW",
        "env/BUNDLE_BOB",
        "file/accounts/alice.hash",
        "file/tls/mail.key",
    }
    assert dict(bundle_of(loaded, resolve).secrets) == {
        "env/BUNDLE_USER": "secret of BUNDLE_USER",
        "env/BUNDLE_PW": "secret of BUNDLE_PW",
        "file/accounts/alice.hash": "$argon2id$hash of alice",
        "file/tls/mail.key": "PEM of the key",
    }


def test_secrets_are_not_shown(spec: Path) -> None:
    assert "secret of" not in repr(bundle_of(load_spec(spec), resolve))


def test_unpacked_under_another_name_it_is_the_same_spec(spec: Path, tmp_path: Path) -> None:
    loaded = load_spec(spec)
    sent = Bundle.from_json(bundle_of(loaded, resolve).to_json())
    there = unpack(sent, tmp_path / "there")
    again = load_spec(there)
    assert again.digest == loaded.digest
    assert again.spec.accounts == loaded.spec.accounts
    assert not list((tmp_path / "there").rglob("*.key"))


def test_a_spec_that_changes_while_it_is_read_is_not_sent(spec: Path) -> None:
    loaded = load_spec(spec)
    spec.write_text(f"{SPEC}# edited\n")
    with pytest.raises(Conflict, match="changed while it was read"):
        bundle_of(loaded, resolve)


def test_a_certificate_outside_of_the_folder_is_a_fault_with_its_place(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "mail.pem").write_text("PEM")
    spec.write_text(SPEC.replace("tls/mail.pem", str(tmp_path / "mail.pem")))
    with pytest.raises(SpecInvalid) as invalid:
        bundle_of(load_spec(spec), resolve)
    assert "4:44: tls.files[0].certificate: " in str(invalid.value)
    assert "is not below the folder of the spec" in str(invalid.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up.yaml",
        "a/../../up.yaml",
        "./here.yaml",
        "a//b.yaml",
        "a/",
        ".ssh/authorized_keys",
        "a/.hidden.yaml",
        "a\0b",
        "a\nb",
        "a" * 2_000,
        "/".join("abcdefghijklmnopq"),
    ],
)
def test_a_file_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        Bundle.from_json({"main": "", "files": {name: ""}, "secrets": {}})


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"main": "", "files": {}},
        {"main": 1, "files": {}, "secrets": {}},
        {"main": "", "files": [], "secrets": {}},
        {"main": "", "files": {"a.yaml": 1}, "secrets": {}},
        {"main": "", "files": {}, "secrets": {"PATH": "x"}},
        {"main": "", "files": {}, "secrets": {}, "more": {}},
    ],
)
def test_what_is_no_bundle_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        Bundle.from_json(value)
