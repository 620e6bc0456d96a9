"""What is left of a spec when it is made harmless."""

import json
from pathlib import Path

import pytest

from mailstack.app.sandbox import SandboxJob, account_passwords, harmless
from mailstack.app.sandbox_state import write_ca
from mailstack.spec.load import LoadedSpec, load_spec

SPEC = """\
server: {hostname: mail.example.com, listeners: {smtp: [":25"]}, limits: {recipients: 7}}
storage: {path: /var/lib/mailstack}
tls: {issuer: files, files: [{certificate: mail.pem, key: env/KEY}]}
domains: {example.com: {}}
accounts: {alice@example.com: {password: env/ALICE}}
relays: {ses: {host: relay.example, username: env/USER, password: env/PASSWORD}}
routes: [{via: ses}]
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedSpec:
    file = tmp_path / "mail.yaml"
    file.write_text(SPEC)
    return load_spec(file)


def test_nothing_of_the_outside_world_is_left(loaded: LoadedSpec, tmp_path: Path) -> None:
    spec = harmless(loaded, SandboxJob(state=str(tmp_path / "state"), base_port=20_000)).spec
    assert spec.storage.path == tmp_path / "state"
    assert spec.server.listeners.smtp == ("127.0.0.1:20025",)
    assert spec.server.listeners.imaps == ("127.0.0.1:20993",)
    assert spec.server.listeners.http == ("127.0.0.1:20080",)
    assert spec.server.listeners.https == ("127.0.0.1:20443",)
    assert (spec.tls.issuer, spec.tls.files, spec.relays, spec.routes) == ("self-signed", (), {}, ())
    assert spec.server.limits.recipients == 7


def test_outbound_goes_to_the_smart_host_alone(loaded: LoadedSpec, tmp_path: Path) -> None:
    job = SandboxJob(state=str(tmp_path), base_port=20_000, outbound=("127.0.0.1", 1025))
    spec = harmless(loaded, SandboxJob.from_json(json.loads(json.dumps(job.to_json())))).spec
    (relay,) = spec.relays.values()
    assert (relay.host, relay.port, relay.tls, relay.username) == ("127.0.0.1", 1025, "none", None)
    assert [route.to for route in spec.routes] == ["*"]


def test_passwords_are_given_then_kept_then_made_up(tmp_path: Path) -> None:
    made_up = account_passwords(["a@x.example", "b@x.example"], SandboxJob(state=str(tmp_path), base_port=1))
    assert len(set(made_up.values())) == 2
    given = SandboxJob(state=str(tmp_path), base_port=1, passwords={"a@x.example": "mine"})
    assert account_passwords(made_up, given) == {"a@x.example": "mine", "b@x.example": made_up["b@x.example"]}
    assert (tmp_path / "passwords.json").stat().st_mode & 0o077 == 0


def test_the_authority_is_the_last_certificate_of_the_chain(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\n{0}\n-----END CERTIFICATE-----\n"
    write_ca(tmp_path, pem.format("leaf") + pem.format("authority"))
    assert (tmp_path / "ca.pem").read_text() == pem.format("authority")
