"""What speaks most for spam and for ham, by the mail that it stands in."""

from mailstack.services.spam.tokens import top_tokens
from mailstack.spam.features import features_of
from mailstack.spam.judge import Models
from mailstack.spam.model import SHARED_BITS, Model, empty
from tests.support.spam_mail import campaign_mail, ham_mail


def test_top_tokens() -> None:
    model = Model(empty(SHARED_BITS))
    for number in range(30):
        model.learn(model.lesson(features_of(campaign_mail(number)), is_spam=True))
        model.learn(model.lesson(features_of(ham_mail(number)), is_spam=False))
    mails = [features_of(raw) for raw in (campaign_mail(99), campaign_mail(100), ham_mail(99))]
    for_spam, for_ham = top_tokens(mails, Models(shared=model), most=8)
    assert len(for_spam) == len(for_ham) == 8
    assert [token.points for token in for_spam] == sorted((token.points for token in for_spam), reverse=True)
    assert all(token.points > 0 and token.mails <= 2 for token in for_spam)
    assert all(token.points < 0 and token.mails >= 1 for token in for_ham)


def test_nothing_learned() -> None:
    assert top_tokens([features_of(ham_mail())], Models(shared=Model(empty(0))), most=8) == ([], [])
