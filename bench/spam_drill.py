"""False positives of the whole scoring: ham that no model had learned, judged by words and rules. `docs/spam.md`.

The models learn as `mailstack spam train` teaches them. Of who brought a mail nothing is known here, and no list is
asked: rules that go by those say nothing.
"""

import asyncio
from collections.abc import Sequence

from bench.spam_corpus import ARCHIVE, Mail, corpus, splits
from mailstack.app.spam_trial import bench_with
from mailstack.model.instant import Instant
from mailstack.model.spam import JUNK_AT, REJECT_AT
from mailstack.services.spam.school import Example, teach
from mailstack.spam.judge import Models
from mailstack.spam.model import SHARED_BITS, Model, empty

HAM = 2_000
"""As many as are looked at, of each parting."""


def main() -> None:
    if not ARCHIVE.exists():
        print(f"without {ARCHIVE} there is nothing to judge")
        return
    print(f"{'':32}{'ham':>6}{'refused':>9}{'junk':>6}{'most points':>13}{'spam':>7}{'refused':>9}{'junk':>6}")
    for split in splits(corpus()):
        points = [each for learned, judged in split.rounds for each in asyncio.run(_points(learned, judged))]
        ham = [each for each, mail in points if not mail.is_spam][:HAM]
        spam = [each for each, mail in points if mail.is_spam]
        counts = [(len(kind), _over(kind, REJECT_AT), _over(kind, JUNK_AT)) for kind in (ham, spam)]
        (hams, ham_refused, ham_junk), (spams, spam_refused, spam_junk) = counts
        print(
            f"{split.name:32}{hams:>6}{ham_refused:>9}{ham_junk:>6}{max(ham):>13.1f}"
            f"{spams:>7}{spam_refused:>9}{spam_junk:>6}",
            flush=True,
        )


def _over(points: Sequence[float], bound: float) -> int:
    return sum(each >= bound for each in points)


async def _points(learned: Sequence[Mail], judged: Sequence[Mail]) -> list[tuple[float, Mail]]:
    models = Models(shared=Model(empty(SHARED_BITS)))
    examples = [Example(features=mail.features, is_spam=mail.is_spam, is_held=False) for mail in learned]
    await teach(examples, models, after_some=_nothing)
    bench = bench_with(None, models)
    found = []
    for mail in judged:
        trial = await bench.try_out(mail.raw, most=0, now=Instant(mail.arrived))
        found.append((trial.judged.score.points, mail))
    return found


async def _nothing(_given: int, _of: int) -> None: ...


if __name__ == "__main__":
    main()
