"""Many messages at once: a tenth is judged by the rest, and all are learned."""

from mailstack.services.spam.school import Example, example_of, teach
from mailstack.spam.features import features_of
from mailstack.spam.judge import Models, judge
from mailstack.spam.model import ACCOUNT_BITS, SHARED_BITS, Model, empty
from tests.support.spam_mail import campaign_mail, ham_mail


def examples(count: int) -> list[Example]:
    spam = [example_of(campaign_mail(number), None, is_spam=True) for number in range(count)]
    return spam + [example_of(ham_mail(number), None, is_spam=False) for number in range(count)]


async def test_the_shared_model_learns_all_and_counts_each_once() -> None:
    told: list[tuple[int, int]] = []

    async def after_some(given: int, of: int) -> None:
        told.append((given, of))

    models = Models(shared=Model(empty(SHARED_BITS)))
    grade = await teach(examples(100), models, after_some=after_some)
    assert (models.shared.ham, models.shared.spam) == (100, 100)
    assert told[-1] == (600, 600)
    assert len(told) > 2
    assert min(grade.ham, grade.spam) >= 2
    assert (grade.caught, grade.wrong) == (grade.spam, 0)


async def nothing(_given: int, _of: int) -> None: ...


async def test_the_same_mail_makes_the_same_model() -> None:
    tables = []
    for _ in range(2):
        models = Models(shared=Model(empty(SHARED_BITS)))
        await teach(examples(20), models, after_some=nothing)
        tables.append(models.shared.octets)
    assert tables[0] == tables[1]


async def test_an_account_learns_into_its_own() -> None:
    models = Models(shared=Model(empty(SHARED_BITS)), account=Model(empty(ACCOUNT_BITS)))
    await teach(examples(20), models, after_some=nothing)
    assert models.account is not None
    assert (models.account.ham, models.account.spam, models.shared.spam) == (20, 20, 0)
    assert judge(features_of(campaign_mail(99)), models).points >= 5
    assert judge(features_of(ham_mail(99)), models).points <= 0


async def test_nothing_to_learn() -> None:
    models = Models(shared=Model(empty(SHARED_BITS)))
    grade = await teach([], models, after_some=nothing)
    assert (grade.ham, grade.spam, models.shared.ham) == (0, 0, 0)
