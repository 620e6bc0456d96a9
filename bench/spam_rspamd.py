"""rspamd's Bayes alone, without its rules, over the same mail: a controller and a Redis, on sockets in a folder.

Which words and fields it takes, and how many messages it wants to have seen, is as in Debian's settings.
"""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.spam_corpus import Mail
from bench.spam_designs import Scores
from tests.support.leash import leashed

START_S = 120.0
STOP_S = 30.0
# So that the score of a symbol, which has six digits behind the point, tells one probability from another.
WEIGHT = 1_000
SETTINGS = """
options {{
  tempdir = "{folder}"; pidfile = "{folder}/pid"; rrd = "{folder}/rrd"; hs_cache_dir = "{folder}";
  control_socket = "{folder}/control mode=0600"; url_tld = "/usr/share/rspamd/effective_tld_names.dat";
  filters = ""; words_decay = 600; classify_headers = ["User-Agent", "X-Mailer", "Content-Type", "X-MimeOLE"];
  dns {{ nameserver = ["127.0.0.1:9"]; }}
}}
logging {{ type = "file"; filename = "{folder}/log"; level = "warning"; }}
redis {{ servers = "{folder}/redis"; }}
worker "controller" {{ bind_socket = "{folder}/controller mode=0600"; count = 1; }}
classifier "bayes" {{
  tokenizer {{ name = "osb"; }}
  cache {{ }}
  backend = "redis"; new_schema = true; min_tokens = 11; min_learns = 200;
  statfile {{ symbol = "BAYES_HAM"; spam = false; }}
  statfile {{ symbol = "BAYES_SPAM"; spam = true; }}
}}
group "statistics" {{ symbols {{
  "BAYES_SPAM" {{ weight = {weight}; }}
  "BAYES_HAM" {{ weight = -{weight}; }}
}} }}
"""


def score_of(probability: float) -> float:
    """As a symbol has it for spam, where the log has the probability."""
    return WEIGHT * float(probability**8)


class Rspamd:
    """Of a server that runs, whose memory it empties."""

    def __init__(self, folder: Path) -> None:
        self._controller = _Connection(folder / "controller")
        with socket.socket(socket.AF_UNIX) as redis:
            redis.connect(str(folder / "redis"))
            redis.sendall(b"FLUSHALL\r\n")
            if not redis.recv(64).startswith(b"+OK"):
                raise RuntimeError("Redis does not forget")

    def learn(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            # As rspamc does: else it passes over what it judges well already.
            status, answer = self._ask("learnspam" if mail.is_spam else "learnham", mail, {"Learn-Type": "bulk"})
            # 208: it was learned before, by another copy; 204: of so few words it learns nothing.
            if status not in (200, 204, 208):
                raise RuntimeError(f"{mail.name}: {status} {answer}")

    def score(self, mails: Sequence[Mail]) -> Scores:
        return {"rspamd's Bayes": [self._score(mail) for mail in mails]}

    def _score(self, mail: Mail) -> float:
        """Nothing where it says nothing."""
        _, answer = self._ask("checkv2", mail, {})
        return sum(float(symbol["score"]) for symbol in answer["symbols"].values())

    def _ask(self, what: str, mail: Mail, fields: Mapping[str, str]) -> tuple[int, Any]:
        self._controller.request("POST", f"/{what}", mail.raw, dict(fields))
        response = self._controller.getresponse()
        return response.status, json.loads(response.read())


@contextmanager
def running_rspamd() -> Iterator[Path]:
    """The folder of its sockets."""
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as name, ExitStack() as running:
        folder = Path(name)
        (folder / "settings").write_text(SETTINGS.format(folder=folder, weight=WEIGHT))
        for program, socket_name in (
            (["redis-server", "--port", "0", "--unixsocket", f"{folder}/redis", "--save", "", "--dir", name], "redis"),
            # It is told that root may run it: it serves nobody but us.
            (["rspamd", "--no-fork", "--insecure", "--config", f"{folder}/settings"], "controller"),
        ):
            running.enter_context(_running(program, folder))
            _wait_for(folder / socket_name)
        yield folder


@contextmanager
def _running(program: Sequence[str], folder: Path) -> Iterator[None]:
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(leashed(program, "TERM"), stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_S)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


class _Connection(http.client.HTTPConnection):
    """Over a socket in a folder."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
