"""What a mail in a file scores, by a spec or without one, and by what a storage has learned: nothing is asked of
others, and nothing is remembered of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.app.blueprint import Blueprint
from mailstack.app.build import experience_in
from mailstack.app.scoring import SpamKnowledge, Untaught, judging_of
from mailstack.app.spam_school import models_of
from mailstack.model.errors import Invalid
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.model.resource import Kind, Resource, ServerBody, fields_of
from mailstack.model.spam import Judged
from mailstack.ports.store import Store
from mailstack.services.spam.experience import Experience
from mailstack.services.spam.judging import Judging
from mailstack.services.spam.stored import examine_stored
from mailstack.spam.judge import Judgement, Models, Reason, judge, reasons
from mailstack.spam.model import Model

NOBODY = "localhost.invalid"
"""A server without a spec: it has written no fields that could be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """words: what the models say. reasons: the tokens behind that."""

    judged: Judged
    words: Judgement
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Who judges: made once, for any number of mails."""

    judging: Judging
    models: Models
    account: Account | None

    async def try_out(self, raw: RawMessage, *, most: int, now: Instant) -> Trial:
        """most: reasons. now: of a mail whose own top does not say when it came."""
        mail = examine_stored(raw, self.judging.hostname, now=now)
        found = await self.judging.judge(mail, [self.account])
        return Trial(
            judged=found[None if self.account is None else self.account.account_id],
            words=judge(mail.features, self.models),
            reasons=reasons(mail.features, self.models, most=most),
        )


async def bench_of(blueprint: Blueprint | None, store: Store | None, account: Account | None) -> Bench:
    """blueprint: None without a spec. store: None where nothing was learned. Raises Invalid where the spec wants no
    mail scored."""
    models = Models(shared=Untaught().shared) if store is None else await models_of(store, account)
    experience = None if store is None else await experience_in(store)
    return bench_with(blueprint, models, account=account, experience=experience)


def bench_with(
    blueprint: Blueprint | None,
    models: Models,
    *,
    account: Account | None = None,
    experience: Experience | None = None,
) -> Bench:
    """Likewise, with models that lie anywhere."""
    known = SpamKnowledge(models=_Fixed(models), experience=experience)
    judging = judging_of(_without_spec() if blueprint is None else blueprint, known)
    if judging is None or not judging.policies.of(account).is_scored:
        raise Invalid("the spec has this mail scored by nobody (spam: off)")
    return Bench(judging=judging, models=models, account=account)


class _Fixed:
    """Works as services.spam.scoring.SpamModels, for one account."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @property
    def shared(self) -> Model:
        return self._models.shared

    async def of_account(self, account_id: AccountId) -> Model | None:  # noqa: ARG002  # it is asked for that one only
        return self._models.account


def _without_spec() -> Blueprint:
    server = ServerBody(
        hostname=NOBODY, addresses=(), workers=1, message_size_bytes=0, recipients=0, connections_per_ip=0
    )
    resource = Resource(kind=Kind.SERVER, name="server", fields=fields_of(server), digests={})
    return Blueprint(generation=Generation(0), postmaster=None, secret_key=b"", resources=(resource,), secrets={})
