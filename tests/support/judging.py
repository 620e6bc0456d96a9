"""Who scores mail by what its subject says, so that a test can say what it scores."""

from collections.abc import Sequence

from mailstack.app.scoring import Untaught
from mailstack.formats.headers import first
from mailstack.model.principal import Account
from mailstack.model.spam import Finding
from mailstack.ports.scanner import Scanned
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.judging import Judging
from mailstack.services.spam.named_senders import NamedSenders
from mailstack.services.spam.policies import Policies
from mailstack.services.spam.scoring import Scoring
from mailstack.spam.rules.evidence import Ours
from tests.support.filter_world import HOSTNAME


class Subjects:
    """Works as services.spam.scoring.Source: `Subject: 7.5` is 7.5 points; `broken` is a bug."""

    async def findings(self, mail: Examined) -> Sequence[Finding]:
        subject = (first(mail.seen.root.fields, b"subject") or b"").decode()
        if subject == "broken":
            raise ZeroDivisionError("a bug")
        return (Finding(rule="subject", points=float(subject), why="it says so"),)


class Friends:
    """Works as services.spam.scoring.AccountSource: some take off points."""

    def __init__(self, points: dict[str, float]) -> None:
        self._points = points

    async def findings(self, mail: Examined, account: Account) -> Sequence[Finding]:  # noqa: ARG002  # the port has it
        points = self._points.get(account.login)
        return () if points is None else (Finding(rule="friend", points=points),)


class LooksForViruses:
    """Works as services.spam.scoring.Scans: knows those that are called so."""

    def __init__(self, *, keeps_virus: bool) -> None:
        self._keeps_virus = keeps_virus

    async def scanned(self, mail: Examined) -> Scanned:
        virus = "Eicar" if b"eicar" in mail.raw else ""
        return Scanned(virus=virus, keeps_virus=self._keeps_virus, is_virus_checked=True)


def by_subject(policies: Policies | None = None, **friends: float) -> Judging:
    """friends: by the name before the @."""
    known = Friends({f"{name}@example.com": points for name, points in friends.items()})
    scoring = Scoring(models=Untaught(), sources=(Subjects(),), account_sources=(known,))
    policies = policies or Policies()
    named = NamedSenders(policies=policies, ours=Ours(hostname=HOSTNAME))
    return Judging(hostname=HOSTNAME, policies=policies, scoring=scoring, named=named)
