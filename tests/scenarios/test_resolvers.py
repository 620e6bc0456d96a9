"""The resolvers that a spec names are those that are asked, and a reload changes whom."""

import smtplib
from pathlib import Path

import pytest

from tests.support.dns_server import dns_server_beside
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, save, wait_for

pytestmark = pytest.mark.slow

MESSAGE = "From: x@sender.test\r\nSubject: hello\r\n\r\nhello\r\n"


def names(policy: str) -> dict[str, dict[str, list[str]]]:
    return {"sender.test": {"TXT": [f'"v=spf1 {policy}"']}}


def spec_of(resolver: str) -> str:
    return f"""\
server: {{hostname: mail.example.com, workers: 1}}
domains: {{example.com: {{}}}}
accounts: {{alice@example.com: {{}}}}
dns: {{resolvers: ["{resolver}"]}}
receiving: {{spf_fail: reject, trusted_peers: [192.0.2.1]}}
"""


def is_taken(sandbox: Sandbox) -> bool:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), timeout=CLIENT_S) as client:
        try:
            client.sendmail("x@sender.test", ["alice@example.com"], MESSAGE)
        except smtplib.SMTPDataError as refusal:
            return refusal.smtp_code != 550
        return True


def test_the_resolver_that_the_spec_names_is_asked_and_another_after_a_reload(tmp_path: Path) -> None:
    with dns_server_beside(names("-all")) as strict, dns_server_beside(names("+all")) as lax:
        spec = tmp_path / "mailstack.yaml"
        spec.write_text(spec_of(strict.endpoint))
        with running_sandbox(spec, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
            assert not is_taken(sandbox)
            assert "sender.test TXT" in strict.asked
            assert lax.asked == []
            save(spec, spec_of(lax.endpoint))
            wait_for(lambda: is_taken(sandbox), what="the other resolver is asked")
            assert "sender.test TXT" in lax.asked
