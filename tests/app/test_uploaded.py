"""A spec that was sent reads nothing of the machine it came to, and has it ask nobody new."""

from pathlib import Path

import pytest

from mailstack.app.uploaded import Sent, load_uploaded
from mailstack.spec.bundle import Bundle, unpack
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing

OWN = """\
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
dns:
  providers: {ns: {class: octodns_bind.Rfc2136Provider, host: 203.0.113.53, key_secret: env/TSIG}}
  zones: {example.com: {provider: ns, nameservers: ["127.0.0.1:5353"]}}
"""
SENT = OWN.replace("mail.example.com", "mx.example.com")


@pytest.fixture
def own(tmp_path: Path) -> LoadedSpec:
    path = tmp_path / "etc" / "server.yaml"
    path.parent.mkdir()
    path.write_text(OWN)
    return load_spec(path)


def sent(text: str, own: LoadedSpec, folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> LoadedSpec:
    work = folder / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    main = unpack(Bundle(main=text, files={f"{name}.pem": file for name, file in files.items()}, secrets={}), Path())
    return load_uploaded(main, own, is_sandbox=False)


def test_it_is_as_if_it_lay_in_the_place_of_the_servers_own(
    own: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = sent(SENT, own, tmp_path, monkeypatch)
    assert (loaded.path, loaded.spec.storage) == (own.path, own.spec.storage)
    assert loaded.spec.server.hostname == "mx.example.com"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("203.0.113.53", "198.51.100.1", "dns.providers.ns: is not among the providers of the server's own spec"),
        ("octodns_bind.Rfc2136Provider", "os.system", "dns.providers.ns: is not among the providers"),
        ("env/TSIG", "file//etc/shadow", "dns.providers.ns: is not among the providers"),
        ("127.0.0.1:5353", "198.51.100.1:53", "dns.zones[example.com].nameservers: are not those"),
        ("path: state", "path: /srv/other", "storage.path: a server that runs keeps its storage"),
        ("path: state", "path: ../state", "storage.path: a server that runs keeps its storage"),
        (
            "domains:",
            "tls: {issuer: acme, acme: {directory: 'https://ca.evil.example/d'}}\ndomains:",
            "tls.acme.directory: is not the one of the server's own spec",
        ),
        (
            "domains:",
            "tls: {issuer: acme, acme: {eab: {key_id: k, key: file//etc/shadow}}}\ndomains:",
            "tls.acme.directory: is not the one of the server's own spec",
        ),
        (
            "domains:",
            "tls: {issuer: files, files: [{certificate: /etc/shadow, key: env/K}]}\ndomains:",
            "tls.files[0].certificate: a path of the server's own",
        ),
        (
            "domains:",
            "tls: {issuer: files, files: [{certificate: ../../etc/shadow, key: env/K}]}\ndomains:",
            "tls.files[0].certificate: a path of the server's own",
        ),
    ],
)
def test_what_would_reach_further_is_a_fault_with_its_place(
    own: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, told: str
) -> None:
    with pytest.raises(SpecInvalid) as invalid:
        sent(SENT.replace(old, new), own, tmp_path, monkeypatch)
    assert told in str(invalid.value)
    assert str(invalid.value).startswith(".main.yaml:")


def test_a_provider_may_have_another_name_and_a_zone_may_leave_name_servers_out(
    own: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SENT.replace("providers: {ns:", "providers: {other:")
    text = text.replace("{provider: ns", "{provider: other").replace(', nameservers: ["127.0.0.1:5353"]', "")
    assert list(sent(text, own, tmp_path, monkeypatch).spec.dns.providers) == ["other"]


def test_a_well_known_authority_may_be_asked(own: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"tls: {{issuer: acme, acme: {{directory: letsencrypt-staging}}}}\n{SENT}"
    assert sent(text, own, tmp_path, monkeypatch).spec.tls.acme.directory == "letsencrypt-staging"


def test_a_certificate_that_was_sent_along_is_read(
    own: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"tls: {{issuer: files, files: [{{certificate: mail.pem, key: env/K}}]}}\n{SENT}"
    loaded = sent(text, own, tmp_path, monkeypatch, mail="PEM")
    assert loaded.spec.tls.files[0].certificate.read_text() == "PEM"


def test_references_lead_to_what_was_sent_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "a secret of this machine")
    resolve = Sent(Bundle(main="", files={}, secrets={"env/SENT": "sent"}))
    assert resolve("env/SENT", Path("/")) == "sent"
    for reference in ("env/HERE", "file//etc/hostname", "file/etc/hostname"):
        with pytest.raises(SecretMissing, match="was not sent"):
            resolve(reference, Path("/"))
