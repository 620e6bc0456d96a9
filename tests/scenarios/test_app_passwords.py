"""An app password on a whole appliance: made beside it, good at every door, and ended with who came in by it."""

import imaplib
import json
import smtplib
import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from mailstack.cli.main import cli
from tests.scenarios.conftest import Inn
from tests.support.over_sockets import CLIENT_S

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("app_passwords")]


def test_a_device_comes_in_by_it_until_it_is_revoked(inn: Inn, guest: str, tmp_path: Path) -> None:
    sandbox = inn.sandbox
    spec = tmp_path / "any.yaml"
    spec.write_text("server: {hostname: mail.example.com}\nstorage: {path: nowhere}\ndomains: {example.com: }\n")

    def app_password(*arguments: str) -> Any:
        verb, *rest = arguments
        state = ("--state", str(sandbox.state))
        found = CliRunner().invoke(cli, ["app-password", verb, str(spec), guest, *rest, *state])
        assert found.exit_code == 0, found.output
        return found.stdout

    made = json.loads(app_password("create", "--name", "phone", "--format", "json"))
    secret: str = made["secret"]
    trusted = ssl.create_default_context(cafile=str(sandbox.ca))
    base_url = f"https://127.0.0.1:{sandbox.port('https')}"
    imap = imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S)
    with httpx.Client(verify=trusted, timeout=CLIENT_S, base_url=base_url) as web, closing(imap.sock):
        imap.login(guest, secret)
        assert jmap_url(imap) == f"https://mail.example.com:{sandbox.port('https')}/jmap/session"
        assert [submits(inn, guest, secret), asks(web, secret), asks(web, None, (guest, secret))] == [True, True, True]
        (listed,) = json.loads(app_password("list", "--format", "json"))
        assert listed["used_at"] is not None
        app_password("revoke", made["id"])
        assert imap.readline().startswith(b"* BYE The account has changed")
        imap.file.close()
        assert [submits(inn, guest, secret), asks(web, secret), asks(web, None, (guest, secret))] == [False] * 3
    assert secret not in sandbox.log


def jmap_url(imap: imaplib.IMAP4) -> str:
    """RFC 9698 §3."""
    imaplib.Commands["GETJMAPACCESS"] = ("AUTH", "SELECTED")
    imap._simple_command("GETJMAPACCESS")  # the only way to a command that it does not know
    (found,) = imap.response("JMAPACCESS")[1]
    return bytes(found).decode().strip('"')


def submits(inn: Inn, name: str, password: str) -> bool:
    with smtplib.SMTP("127.0.0.1", inn.sandbox.port("submission"), timeout=CLIENT_S) as smtp:
        try:
            smtp.login(name, password)
        except smtplib.SMTPAuthenticationError:
            return False
    return True


def asks(web: httpx.Client, token: str | None, auth: tuple[str, str] | None = None) -> bool:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return web.get("/jmap/session", headers=headers, auth=auth).status_code == 200
