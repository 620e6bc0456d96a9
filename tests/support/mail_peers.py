"""Other people's mail servers, which receive what ours sends: Debian's Postfix and Exim, on loopback, in a folder of
their own, with every extension they have. Mail to refused… is refused; all else lies in one Maildir."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.leash import leashed
from tests.support.ports import free_port
from tests.support.sandbox import wait_for

START_S = 120.0
MOST_OCTETS = 20_000_000
EXIM_FOLDER = "/opt/exim4"
"""Where .ci/run unpacks it, for Debian installs one mail server only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPeer:
    port: int
    inbox: Path

    def take(self, count: int) -> list[bytes]:
        """So many mails once they are there, in no order: with LF line ends and what the server put on top."""
        new = self.inbox / "new"
        wait_for(lambda: len(list(new.iterdir())) >= count, what=f"{count} mails at the peer")
        paths = list(new.iterdir())
        found = [path.read_bytes() for path in paths]
        for path in paths:
            path.unlink()
        return found


@contextmanager
def running_postfix(*, chunking: bool = True) -> Iterator[MailPeer]:
    master = _program("Postfix", "/usr/lib/postfix/sbin/master")
    with _folder("postfix") as folder:
        port, config = free_port(), folder / "etc"
        _give(folder, "postfix", "data", *(f"queue/{name}" for name in _POSTFIX_QUEUE), *_INBOX)
        (folder / "queue" / "pid").mkdir()
        postfix = pwd.getpwnam("postfix")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": folder / "queue",
            "data_directory": folder / "data",
            "mail_owner": "postfix",
            "maillog_file": folder / "log",
            "maillog_file_prefixes": folder,
            "myhostname": "postfix.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "message_size_limit": MOST_OCTETS,
            "virtual_mailbox_limit": 0,
            "virtual_mailbox_domains": "static:all",
            "virtual_mailbox_base": folder / "mail",
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_minimum_uid": 1,
            "virtual_uid_maps": f"static:{postfix.pw_uid}",
            "virtual_gid_maps": f"static:{postfix.pw_gid}",
            "smtpd_recipient_restrictions": "check_recipient_access regexp:$config_directory/refused, permit",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_chain_files": config / "tls.pem",
            "smtpd_client_connection_count_limit": 0,
            "smtpd_discard_ehlo_keywords": "" if chunking else "chunking",
        }
        (config / "refused").write_text("/^refused/ 550 5.1.1 nobody\n")
        (config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        services = (f"127.0.0.1:{port} inet n - n - - smtpd", *_POSTFIX_SERVICES)
        (config / "master.cf").write_text("\n".join(services) + "\n")
        with _daemon([master, "-c", str(config), "-d"], port, log=folder / "log"):
            yield MailPeer(port=port, inbox=folder / "mail" / "inbox")


@contextmanager
def running_exim(*, chunking: bool = True) -> Iterator[MailPeer]:
    exim = _program("Exim", "/usr/sbin/exim4", f"{EXIM_FOLDER}/usr/sbin/exim4")
    with _folder("exim") as folder:
        port, config = free_port(), folder / "etc" / "exim.conf"
        _give(folder, "Debian-exim", "spool", *_INBOX)
        shutil.chown(folder / "etc" / "tls.pem", "Debian-exim")
        config.write_text(_EXIM.format(folder=folder, exim=exim, size=MOST_OCTETS, chunkers="*" if chunking else ""))
        command = [exim, "-C", str(config), "-bdf", "-oX", f"[127.0.0.1]:{port}", "-oP", "/dev/null"]
        with _daemon(command, port, log=folder / "spool" / "log" / "mainlog"):
            yield MailPeer(port=port, inbox=folder / "mail" / "inbox")


PEERS: Mapping[str, Callable[..., AbstractContextManager[MailPeer]]] = {
    "postfix": running_postfix,
    "exim": running_exim,
}

_INBOX = ("mail/inbox", "mail/inbox/cur", "mail/inbox/new", "mail/inbox/tmp")
_POSTFIX_QUEUE = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)
_POSTFIX_SERVICES = (
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "proxymap unix - - n - - proxymap",
    "virtual unix - n n - - virtual",
    "anvil unix - - n - 1 anvil",
    "postlog unix-dgram n - n - 1 postlogd",
)
_EXIM = """\
spool_directory = {folder}/spool
exim_path = {exim}
log_file_path = {folder}/spool/log/%slog
primary_hostname = exim.test
keep_environment =
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {folder}/etc/tls.pem
dsn_advertise_hosts = *
chunking_advertise_hosts = {chunkers}
smtputf8_advertise_hosts = *
accept_8bitmime = true
message_size_limit = {size}
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
host_lookup =
rfc1413_query_timeout = 0s
allow_utf8_domains = true
deliver_drop_privilege = true
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  deny local_parts = ^refused
       message = nobody
  accept
begin routers
all:
  driver = accept
  transport = inbox
begin transports
inbox:
  driver = appendfile
  directory = {folder}/mail/inbox
  maildir_format
  user = Debian-exim
  group = Debian-exim
"""


def _program(name: str, *paths: str) -> str:
    found = next((path for path in paths if os.access(path, os.X_OK)), None)
    if found is None or os.geteuid() != 0:
        why = f"{name} is not installed" if found is None else f"{name} is started by root only"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """Which others may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix=f"mailstack-{name}-"))
    try:
        folder.chmod(0o755)
        (folder / "etc").mkdir()
        certificate = trustme.CA().issue_cert("peer.test").private_key_and_cert_chain_pem
        certificate.write_to_path(str(folder / "etc" / "tls.pem"))
        yield folder
    finally:
        shutil.rmtree(folder)


def _give(folder: Path, user: str, *names: str) -> None:
    for name in names:
        path = folder / name
        path.mkdir(parents=True)
        path.chmod(0o700)
        shutil.chown(path, user)


@contextmanager
def _daemon(command: Sequence[str], port: int, *, log: Path) -> Iterator[None]:
    """Until it listens; with all that it has started, it ends with the block."""
    process = subprocess.Popen(leashed(command), start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_S
        while not _answers(port):
            said = log.read_text() if log.exists() else ""
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(START_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_S) as client:
            return client.recv(4) == b"220 "
    except OSError:
        return False
