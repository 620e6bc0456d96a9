"""What a mail scored in a test: the rules of the server and its spec, with nobody asked and nothing learned."""

from collections.abc import Iterator, Mapping, Sequence

from mailstack.app.blueprint import Blueprint
from mailstack.app.scoring import judging_of
from mailstack.formats.spam_fields import explanation
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.services.inbound.mail import InboundMail

OTHERS = "whoever has no account here"


class NotedJudging:
    """Works as services.inbound.stages.receiving.Judges, as the one behind it does, and remembers what it came to."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._judging = judging_of(blueprint)
        self._untold: list[str] = []
        self.judged_for: dict[str, Judged] = {}
        """By login, or OTHERS."""

    async def judged(self, mail: InboundMail, accounts: Sequence[Account | None]) -> Mapping[AccountId | None, Judged]:
        found = {} if self._judging is None else await self._judging.judged(mail, accounts)
        for account in accounts:
            judged = found.get(None if account is None else account.account_id)
            if judged is not None:
                name = OTHERS if account is None else account.login
                self.judged_for[name] = judged
                if judged.score.findings:
                    self._untold.append(f"{name}: {told(judged)}")
        return found

    def take_notes(self) -> Iterator[str]:
        """Each once."""
        yield from self._untold
        self._untold.clear()


def told(judged: Judged) -> str:
    """On one line, for people."""
    why = explanation(judged.score)
    return f"spam score {judged.score.points:.1f}{f' ({why})' if why else ''}"
