"""Who scores mail in one generation, and what follows for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.app.blueprint import Blueprint
from mailstack.model.ids import AccountId
from mailstack.model.resource import OwnRuleBody, spam_policy_of
from mailstack.services.spam.experience import Experience
from mailstack.services.spam.judging import Judging
from mailstack.services.spam.named_senders import NamedSenders
from mailstack.services.spam.policies import Policies
from mailstack.services.spam.rules import RuleSource
from mailstack.services.spam.scoring import AccountSource, Scans, Scoring, Source, SpamModels
from mailstack.spam.model import Model, empty
from mailstack.spam.rules.evidence import Ours
from mailstack.spam.rules.own import OwnRule, OwnRules
from mailstack.spam.rules.own_text import read_condition


class Untaught:
    """Works as services.spam.scoring.SpamModels, where nothing was learned."""

    def __init__(self) -> None:
        self._shared = Model(empty(0))

    @property
    def shared(self) -> Model:
        return self._shared

    async def of_account(self, account_id: AccountId) -> Model | None:  # noqa: ARG002  # the port has it
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamKnowledge:
    """What a server knows besides its spec: what it was taught, and whom it can ask. sources, elsewhere: as Scoring has
    them. experience: None where nobody remembers senders."""

    models: SpamModels
    sources: Sequence[Source] = ()
    elsewhere: Sequence[Source] = ()
    account_sources: Sequence[AccountSource] = ()
    experience: Experience | None = None
    engines: Sequence[Scans] = ()


def judging_of(blueprint: Blueprint, known: SpamKnowledge | None = None) -> Judging | None:
    """known: None where the spec alone counts. None where the spec wants no mail scored."""
    server, policies = blueprint.server, policies_of(blueprint)
    if server is None or not policies.server.is_scored:
        return None
    known = SpamKnowledge(models=Untaught()) if known is None else known
    ours = ours_of(blueprint)
    rules = RuleSource(ours=ours, own=OwnRules([_own_rule(body) for body in blueprint.spam.rules]))
    sources, account_sources, experience = [rules, *known.sources], [*known.account_sources], known.experience
    if experience is not None:
        sources.append(experience.reputation)
        account_sources.append(experience.acquainted)
    scoring = Scoring(
        models=known.models,
        sources=sources,
        elsewhere=known.elsewhere,
        account_sources=account_sources,
        engines=known.engines,
    )
    return Judging(
        hostname=server.hostname,
        policies=policies,
        scoring=scoring,
        named=NamedSenders(policies=policies, ours=ours),
        experience=experience,
    )


def _own_rule(body: OwnRuleBody) -> OwnRule:
    return OwnRule(name=body.name, points=body.points, condition=read_condition(body.condition))


def ours_of(blueprint: Blueprint) -> Ours:
    hostname = "" if blueprint.server is None else blueprint.server.hostname
    return Ours(hostname=hostname, domains=frozenset(blueprint.domains))


def policies_of(blueprint: Blueprint) -> Policies:
    return Policies(
        server=spam_policy_of(blueprint.spam.policy),
        domains={name: spam_policy_of(body.spam) for name, body in blueprint.domains.items() if body.spam is not None},
    )
