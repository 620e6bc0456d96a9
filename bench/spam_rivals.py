"""Other programs over the same mail, where they are installed (Debian's packages; ../shared/peers/install has them).

With the settings that they come with. They read the raw messages, trace fields and all.
"""

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from shutil import which

from bench.spam_corpus import Mail
from bench.spam_designs import Design, Scores
from bench.spam_rspamd import Rspamd, running_rspamd, score_of

CUTOFFS = {"bogofilter": 0.99, "SpamAssassin's Bayes": 0.99, "rspamd's Bayes": score_of(0.99)}
"""From where on each is sure that it is spam: bogofilter's spam_cutoff, SpamAssassin's BAYES_99; rspamd has no such
point, and is taken likewise."""

_PERL = Path(__file__).with_name("spam_assassin.pl")


@contextmanager
def rivals() -> Iterator[Sequence[Callable[[], Design]]]:
    """Each may be made as often as its turn comes; the last one made counts. Says which are missing."""
    found: list[Callable[[], Design]] = []
    with ExitStack() as running:
        if _has("bogofilter", "bogofilter"):
            found.append(Bogofilter)
        if _has("SpamAssassin", "perl", "spamassassin"):
            found.append(SpamAssassin)
        if _has("rspamd", "rspamd", "redis-server", "setpriv"):
            found.append(partial(Rspamd, running.enter_context(running_rspamd())))
        yield found


class Bogofilter:
    def __init__(self) -> None:
        self._files = _Files()

    def learn(self, mails: Sequence[Mail]) -> None:
        for option, is_spam in (("-s", True), ("-n", False)):
            self._run([mail for mail in mails if mail.is_spam is is_spam], option)

    def score(self, mails: Sequence[Mail]) -> Scores:
        # A line for each: the name of the file, and the number.
        return {"bogofilter": [float(line.split()[-1]) for line in self._run(mails, "-TT")]}

    def _run(self, mails: Sequence[Mail], option: str) -> list[str]:
        # It ends with the verdict of the last: 0 to 2.
        return _lines(["bogofilter", "-C", "-d", self._files.name, option, "-b"], map(self._files.path, mails), most=2)


class SpamAssassin:
    """Its Bayes, that is, without its rules."""

    def __init__(self) -> None:
        self._files = _Files()

    def learn(self, mails: Sequence[Mail]) -> None:
        self._run(f"{'spam' if mail.is_spam else 'ham'} {self._files.path(mail)}" for mail in mails)

    def score(self, mails: Sequence[Mail]) -> Scores:
        lines = self._run(f"score {self._files.path(mail)}" for mail in mails)
        return {"SpamAssassin's Bayes": list(map(float, lines))}

    def _run(self, lines: Iterable[str]) -> list[str]:
        return _lines(["perl", str(_PERL), self._files.name], lines)


class _Files:
    """A folder for what a program learned, and the mails in it as files with lines as Unix has them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mailstack-bench-")
        self.name = self._folder.name

    def path(self, mail: Mail) -> Path:
        path = Path(self.name, mail.name.replace("/", "-").removeprefix(".-"))
        path.write_bytes(mail.raw.replace(b"\r\n", b"\n"))
        return path


def _lines(program: Sequence[str], asked: Iterable[object], *, most: int = 0) -> list[str]:
    """What a program says; most: of its exit codes, above which it failed."""
    text = "".join(f"{line}\n" for line in asked)
    done = subprocess.run(program, input=text, capture_output=True, text=True, check=False)
    if not 0 <= done.returncode <= most:
        raise RuntimeError(f"{program[0]}: {done.stderr}")
    return done.stdout.splitlines()


def _has(name: str, *programs: str) -> bool:
    missing = [program for program in programs if which(program) is None]
    if missing:
        print(f"{name} is not measured: there is no {', '.join(missing)}")
    return not missing
