"""bogofilter over the same mail, where it is installed (Debian's package; ../shared/peers/install has it)."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.spam_corpus import Mail
from bench.spam_designs import Scores


class Bogofilter:
    """As it comes, without anybody's settings. It reads the raw messages, trace fields and all."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mailstack-bench-")
        self._mails = Path(self._folder.name, "mails")
        self._mails.mkdir()

    def learn(self, mails: Sequence[Mail]) -> None:
        for option, is_spam in (("-s", True), ("-n", False)):
            self._run([mail for mail in mails if mail.is_spam is is_spam], option)

    def score(self, mails: Sequence[Mail]) -> Scores:
        # A line for each: the name of the file, and the number.
        lines = self._run(mails, "-TT").splitlines()
        return {"bogofilter": [float(line.split()[-1]) for line in lines]}

    def _run(self, mails: Sequence[Mail], option: str) -> str:
        paths = [self._path(mail) for mail in mails]
        done = subprocess.run(
            [_program(), "-C", "-d", self._folder.name, option, "-b"],
            input="".join(f"{path}\n" for path in paths),
            capture_output=True,
            text=True,
            check=False,
        )
        # 0 to 2 are verdicts.
        if done.returncode > 2:
            raise RuntimeError(done.stderr)
        return done.stdout

    def _path(self, mail: Mail) -> Path:
        path = self._mails / mail.name.replace("/", "-")
        path.write_bytes(mail.raw.replace(b"\r\n", b"\n"))
        return path


def is_installed() -> bool:
    return shutil.which("bogofilter") is not None


def _program() -> str:
    return shutil.which("bogofilter") or "bogofilter"
