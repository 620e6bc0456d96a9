"""What the spec says of spam, for the server, its domains and accounts: each as a whole, whatever it leaves out."""

from mailstack.model.resource import SpamBody, SpamPolicyBody
from mailstack.spec.model import Spec
from mailstack.spec.sections.accounts import Account
from mailstack.spec.sections.spam import OFF, OwnSpam


def spam_body(spec: Spec) -> SpamBody:
    return SpamBody(policy=_server_policy(spec))


def domain_policy(spec: Spec, own: OwnSpam | None) -> SpamPolicyBody | None:
    """None: as the server has it."""
    return None if own is None else _policy(own, _server_policy(spec))


def account_policy(spec: Spec, login: str, account: Account) -> SpamPolicyBody | None:
    """None: as its domain has it."""
    if account.spam is None:
        return None
    domain = spec.domains.get(login.rpartition("@")[2])
    above = None if domain is None else domain_policy(spec, domain.spam)
    return _policy(account.spam, above or _server_policy(spec))


def _server_policy(spec: Spec) -> SpamPolicyBody:
    own = spec.spam
    return SpamPolicyBody(is_scored=own.scoring != OFF, junk_at=own.junk_at, reject_at=own.reject_at)


def _policy(own: OwnSpam, above: SpamPolicyBody) -> SpamPolicyBody:
    """Each as it is said here, also where that is null, else as above; off and on are each section's own."""
    said = own.model_fields_set
    return SpamPolicyBody(
        is_scored=own.scoring != OFF,
        junk_at=own.junk_at if "junk_at" in said else above.junk_at,
        reject_at=own.reject_at if "reject_at" in said else above.reject_at,
    )
