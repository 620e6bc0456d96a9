"""sieve-connect and sievelib's client against a whole sandbox with two workers: STARTTLS, login, and the life of a
script."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest
from sievelib.managesieve import Client

from tests.scenarios.conftest import Inn
from tests.support.sandbox import need

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sieve_clients")]

WORK = 'require "fileinto";\r\nif header :contains "subject" "invoice" { fileinto "Invoices"; }\r\n'
Connect = Callable[..., CompletedProcess[str]]


@pytest.fixture
def connect(inn: Inn, guest: str) -> Connect:
    """`sieve-connect` with these arguments, as the guest."""
    program = need("sieve-connect")

    def called(*arguments: str, mechanism: str = "PLAIN", password: str = "pw") -> CompletedProcess[str]:
        host = ["--server", "localhost", "-4", "--port", str(inn.sandbox.port("managesieve")), "--nosrv"]
        trust = ["--tlscafile", str(inn.sandbox.ca), "--noclearchan"]
        login = ["--user", guest, "--authmech", mechanism, "--passwordfd", "0"]
        command = [program, *host, *trust, *login, *arguments]
        return run(command, input=f"{password}\n", capture_output=True, text=True, timeout=60, check=False)

    return called


def test_a_life_with_sieve_connect(connect: Connect, tmp_path: Path) -> None:
    script, fetched = tmp_path / "work.sieve", tmp_path / "fetched.sieve"
    script.write_text(WORK, newline="")

    def done(*arguments: str) -> str:
        found = connect(*arguments)
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    done("--checkscript", "--localsieve", str(script))
    done("--upload", "--localsieve", str(script), "--remotesieve", "Büro")
    done("--activate", "--remotesieve", "Büro")
    assert done("--list") == '"Büro" ACTIVE\n'
    done("--download", "--remotesieve", "Büro", "--localsieve", str(fetched))
    assert fetched.read_text() == WORK.replace("\r\n", "\n")
    done("--deactivate")
    done("--delete", "--remotesieve", "Büro")
    assert done("--list") == ""


def test_sieve_connect_shows_what_is_wrong_with_a_script(connect: Connect, tmp_path: Path) -> None:
    script = tmp_path / "bad.sieve"
    script.write_text('# the first line\nfileinto "x";\nnonsense;\n')

    found = connect("--upload", "--localsieve", str(script), "--remotesieve", "bad")

    assert found.returncode
    assert "line 2, column 1" in found.stdout + found.stderr
    assert "line 3, column 1" in found.stdout + found.stderr


def test_sieve_connect_is_told_of_a_wrong_password(connect: Connect) -> None:
    found = connect("--list", password="wrong")
    assert found.returncode
    assert "Authentication failed" in found.stdout + found.stderr


@pytest.fixture
def client(inn: Inn, guest: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Logged in after STARTTLS. It trusts whom the machine trusts, so it is told to trust the sandbox."""
    monkeypatch.setenv("SSL_CERT_FILE", str(inn.sandbox.ca))
    found = Client("127.0.0.1", inn.sandbox.port("managesieve"), srvhostname="localhost")
    assert found.connect(guest, "pw", starttls=True, authmech="PLAIN"), found.errmsg
    assert isinstance(found.sock, ssl.SSLSocket)
    yield found
    found.logout()


def test_a_life_with_sievelib(client: Client) -> None:
    assert "fileinto" in client.get_sieve_capabilities()
    assert client.havespace("one", 100)
    assert client.checkscript(WORK)
    assert client.putscript("one", WORK)
    assert client.putscript('clever"script', "keep;")
    assert client.setactive("one")
    assert client.listscripts() == ("one", ['clever"script'])
    assert client.getscript("one").split() == WORK.split()
    assert client.renamescript("one", "two")
    assert not client.deletescript("two")
    assert b"active" in client.errmsg
    assert client.setactive("")
    assert client.deletescript("two")
    assert not client.getscript("two")


def test_sievelib_shows_what_is_wrong_with_a_script(client: Client) -> None:
    assert not client.putscript("bad", "# the first line\r\nnonsense;\r\n")
    assert b"line 2, column 1" in client.errmsg
