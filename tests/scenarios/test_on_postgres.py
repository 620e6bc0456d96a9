"""The whole server on PostgreSQL: applied, served and looked after, also from another machine, in two folders."""

import imaplib
import shutil
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.commands import run_command
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import MAILSTACK, free_base_port, run_client, save, wait_for
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

SECRET = "never-shown-to-anybody"
SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  listeners: {{smtp: ["127.0.0.1:{smtp}"], imaps: ["127.0.0.1:{imaps}"], submission: [], submissions: [],
    managesieve: [], imap: [], http: [], https: []}}
storage: {{path: state, database: env/MAIL_DATABASE}}
tls: {{issuer: self-signed}}
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: file/password, roles: [admin]}}
"""
BOB = "  bob@example.com: {password: file/password}\n"


@dataclass(kw_only=True)
class Node:
    """A machine's folder, with the spec that all have."""

    folder: Path
    url: str
    smtp: int
    imaps: int
    said: list[str] = field(default_factory=list)

    @property
    def spec(self) -> Path:
        return self.folder / "mailstack.yaml"

    def run(self, *command: str, given: str = "", status: int = 0) -> str:
        """`mailstack` with the spec behind its words; returns its standard output."""
        words = [str(self.spec) if word == "SPEC" else word for word in command]
        if words[0] == "serve":
            ended = run_client([*MAILSTACK, *words], MAIL_DATABASE=self.url)
        else:
            ended = run_command(*words, given=given, MAIL_DATABASE=self.url)
        said = [ended.stdout.decode(), ended.stderr.decode()]
        self.said += said
        assert ended.returncode == status, said
        return said[0]

    def apply(self, text: str, *options: str) -> None:
        """Before a server's own spec says the same: that would apply it at the same time."""
        self.spec.write_text(text)
        self.run("apply", "SPEC", "--yes", "--no-dns", *options)

    def deliver(self, subject: str, to: str = "alice@example.com") -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=CLIENT_S) as client:
            client.sendmail("x@customer.example", [to], f"Subject: {subject}\r\n\r\ntext\r\n")

    def subjects(self, password: str = "open sesame", login: str = "alice@example.com") -> list[bytes]:
        """As IMAP has them; none where the login is refused."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=context, timeout=CLIENT_S)
        try:
            client.login(login, password)
            client.select()
            _, found = client.fetch("1:*", "(BODY[HEADER.FIELDS (SUBJECT)])")
            return [part[1].strip() for part in found if isinstance(part, tuple)]
        except imaplib.IMAP4.error:
            return []
        finally:
            client.shutdown()


@pytest.fixture
def node(tmp_path: Path, empty_database: str) -> Iterator[Node]:
    base = free_base_port()
    node = Node(
        folder=tmp_path / "one",
        url=empty_database.replace("mailstack@", f"mailstack:{SECRET}@"),
        smtp=base,
        imaps=base + 1,
    )
    node.folder.mkdir()
    node.spec.write_text(SPEC.format(smtp=node.smtp, imaps=node.imaps) + BOB)
    (node.folder / "password").write_text("open sesame\n")
    yield node
    assert SECRET not in "".join(node.said)
    assert SECRET not in "".join(log.read_text() for log in node.folder.glob("*.log"))


@pytest.fixture
def other(node: Node) -> Node:
    """Another machine with the same spec; it serves nothing."""
    folder = node.folder.with_name("two")
    shutil.copytree(node.folder, folder)
    return Node(folder=folder, url=node.url, smtp=0, imaps=0, said=node.said)


def test_what_is_applied_on_one_node_is_known_to_the_other(node: Node, other: Node) -> None:
    assert "nothing was applied yet" not in node.run("apply", "SPEC", "--yes", "--no-dns")
    assert "No changes" in other.run("plan", "SPEC", "--no-dns")
    assert "bob@example.com" in other.run("account", "list", "SPEC")
    assert SECRET not in other.run("status", "SPEC")
    assert not list(node.folder.rglob("system.db"))


def test_mail_is_served_and_outlives_a_server_that_is_killed(node: Node) -> None:
    with serving_spec(node.spec, MAIL_DATABASE=node.url) as process:
        node.deliver("one")
        assert node.subjects() == [b"Subject: one"]
        process.kill()
    (node.folder / "state" / "run" / "status.json").unlink()
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        node.deliver("two")
        assert node.subjects() == [b"Subject: one", b"Subject: two"]
        assert "INBOX" in node.run("account", "show", "SPEC", "alice@example.com")
        assert "2 of 2 accounts are sound" in node.run("account", "verify", "SPEC")


def test_a_start_with_a_faulty_spec_serves_what_the_database_holds(node: Node) -> None:
    node.run("apply", "SPEC", "--yes", "--no-dns")
    node.spec.write_text(node.spec.read_text() + "nonsense: 1\n")
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        node.deliver("one")
        assert node.subjects() == [b"Subject: one"]


@pytest.mark.parametrize("case", ["no yaml", "a missing password"])
def test_a_start_serves_what_the_database_holds_whatever_became_of_the_spec(node: Node, case: str) -> None:
    node.run("apply", "SPEC", "--yes", "--no-dns")
    if case == "no yaml":
        node.spec.write_text("server: }\n" + node.spec.read_text())
    else:
        node.spec.write_text(node.spec.read_text().replace("password: file/password", "password: file/gone"))
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        node.deliver("one")
        assert node.subjects() == [b"Subject: one"]
        assert "what was applied last is served" in node.spec.with_suffix(".log").read_text()


@pytest.mark.parametrize("prefix", ["", "server: }\n"], ids=["a good spec", "no yaml"])
def test_without_the_secret_of_its_database_a_start_is_refused_and_no_old_folder_is_served(
    node: Node, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    text = node.spec.read_text().replace("env/MAIL_DATABASE", "env/FORGOTTEN_DATABASE")
    node.apply(text.replace(", database: env/FORGOTTEN_DATABASE", ""))  # what it held before there was a database
    monkeypatch.setenv("FORGOTTEN_DATABASE", node.url)
    node.apply(text)
    monkeypatch.delenv("FORGOTTEN_DATABASE")
    node.spec.write_text(prefix + text)
    node.run("serve", "SPEC", status=2 if prefix else 1)
    if not prefix:
        assert "storage.database: the environment variable FORGOTTEN_DATABASE is not set" in node.said[-1]
    assert "serving" not in node.said[-1]


def test_a_server_follows_what_another_node_applies_and_writes(node: Node, other: Node) -> None:
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        node.deliver("one")
        other.run("account", "password", "SPEC", "alice@example.com", "--stdin", given="another word\n")
        wait_for(lambda: node.subjects("another word") == [b"Subject: one"], what="the new password")
        text = node.spec.read_text() + "  carol@example.com: {password: file/password}\n"
        other.apply(text)
        save(node.spec, text)
        node.deliver("hello", to="carol@example.com")
        wait_for(lambda: node.subjects(login="carol@example.com") == [b"Subject: hello"], what="a new account")


def test_a_destroyed_account_comes_back_with_its_mail(node: Node, other: Node) -> None:
    with_bob = node.spec.read_text()
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        node.deliver("kept", to="bob@example.com")
        other.apply(with_bob.removesuffix(BOB), "--allow-destroy", "bob@example.com")
        assert "bob@example.com" in other.run("restore", "list", "SPEC")
        other.apply(with_bob)
        other.run("restore", "account", "SPEC", "bob@example.com")
        wait_for(lambda: node.subjects(login="bob@example.com") == [b"Subject: kept"], what="bob's mail is back")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://mailstack:{SECRET}@127.0.0.1:1/mail", "database mail of mailstack on 127.0.0.1:1"),
        (f"nonsense://mailstack:{SECRET}", "storage.database: not an address of a PostgreSQL database"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(node: Node, url: str, told: str) -> None:
    node.url = url
    node.run("plan", "SPEC", "--no-dns", status=1)
    assert told in node.said[-1]


def test_a_secret_that_is_missing_is_named(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.spec.write_text(node.spec.read_text().replace("env/MAIL_DATABASE", "env/NO_SUCH_DATABASE"))
    node.run("account", "list", "SPEC", status=1)
    assert "storage.database: the environment variable NO_SUCH_DATABASE is not set" in node.said[-1]
