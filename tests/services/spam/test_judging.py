"""Mail is scored for those who want that; what fails within keeps none out."""

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.spam import SpamPolicy
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.spam.judging import Judging
from mailstack.services.spam.named_senders import NamedSenders
from mailstack.services.spam.policies import Policies
from mailstack.services.spam.scoring import Scoring
from mailstack.spam.model import Model
from mailstack.spam.rules.evidence import Ours
from tests.services.inbound.stages.test_judge import MAIL
from tests.support.judging import by_subject
from tests.support.memory_accounts import make_account

ALICE, BOB = make_account("alice@example.com"), make_account("bob@strict.example")


class Broken:
    """Works as services.spam.scoring.SpamModels, but does not."""

    @property
    def shared(self) -> Model:
        raise ZeroDivisionError("a bug")

    async def of_account(self, account_id: AccountId) -> Model | None:  # noqa: ARG002  # the port has it
        return None


def mail(body: bytes = b"") -> InboundMail:
    raw = b"From: x@y.example\r\nSubject: 6\r\n\r\n" + body
    return MAIL.holding(raw, is_8bit=False, received_at=MAIL.received_at)


async def scores(judging: Judging, given: InboundMail, *accounts: Account | None) -> dict[AccountId | None, float]:
    found = await judging.judged(given, accounts)
    return {account_id: judged.score.points for account_id, judged in found.items()}


async def test_who_has_no_account_is_scored_for_as_the_server_has_it() -> None:
    judging = by_subject(Policies(server=SpamPolicy(junk_at=7)), alice=2)
    found = await judging.judged(mail(), [ALICE, None])
    assert {name: judged.score.points for name, judged in found.items()} == {ALICE.account_id: 8.0, None: 6.0}
    assert {name: judged.is_junk for name, judged in found.items()} == {ALICE.account_id: True, None: False}


async def test_for_who_wants_no_score_nobody_looks() -> None:
    judging = by_subject(Policies(domains={"strict.example": SpamPolicy(is_scored=False)}))
    assert await scores(judging, mail(), ALICE, BOB) == {ALICE.account_id: 6.0}
    assert await scores(judging, mail(), BOB) == {}


async def test_a_large_mail_is_looked_at_as_well() -> None:
    assert await scores(by_subject(), mail(b"x" * LARGE_BYTES), ALICE) == {ALICE.account_id: 6.0}


async def test_a_bug_leaves_a_mail_without_a_score() -> None:
    named = NamedSenders(policies=Policies(), ours=Ours())
    judging = Judging(hostname="mx", policies=Policies(), scoring=Scoring(models=Broken()), named=named)
    assert await scores(judging, mail(), ALICE) == {}
