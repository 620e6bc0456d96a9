"""Telling spam from ham: accuracy of designs and rivals on the same mail, errors by class, speed. `make bench-spam`.

All figures of docs/spam.md. Seeds are fixed: from run to run only the times differ, and a little what rspamd says.
"""

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from bench.spam_corpus import ARCHIVE, Mail, Split, corpus, splits
from bench.spam_designs import DESIGNS, OURS, POINTS, Design, Ours
from bench.spam_modern import examples
from bench.spam_rivals import CUTOFFS, rivals
from mailstack.spam.features import features_of
from mailstack.spam.judge import Models, judge, reasons
from mailstack.spam.model import SHARED_BITS, Model, empty

RECALLS = (0.95, 0.99)
JUNK_AT = 5.0
TRAINED = 1_000
REPEATED = 5
LINE = b"The quick brown fox number %d jumps over the lazy dog, and so on, until www%d.\r\n"
CELL = (
    b'<tr><td style="color:red">Row %d: <a href="http://www.example.com/%d">click <b>here</b></a> for it.</td></tr>\r\n'
)

Scored = Sequence[tuple[float, Mail]]


def main() -> None:
    if not ARCHIVE.exists():
        print(f"without {ARCHIVE} there is nothing to learn from (MAILSTACK_SUITES names another folder)")
        return
    mails = corpus()
    print(f"{len(mails)} mails, {sum(mail.is_spam for mail in mails)} of them spam")
    with rivals() as others:
        found = {split.name: accuracy(split, (*DESIGNS, *others)) for split in splits(mails)}
    operating_points(found)
    classes({name: scores[POINTS] for name, scores in found.items()})
    taught = Ours()
    taught.learn(mails)
    models = Models(shared=taught.model)
    modern(models)
    speed(mails, models)


def accuracy(split: Split, designs: Sequence[Callable[[], Design]]) -> dict[str, Scored]:
    """Prints the figures of all; returns what they were made of."""
    judged = [mail for _, others in split.rounds for mail in others]
    spam = sum(mail.is_spam for mail in judged)
    heading = f"{split.name}: {len(judged) - spam} ham and {spam} spam"
    table(heading, "ROC AUC", *(f"FP at {recall * 100:.0f} % recall" for recall in RECALLS))
    all_scores: dict[str, Scored] = {}
    for design in designs:
        for name, scored in judge_all(split, design).items():
            all_scores[name] = scored
            if name != POINTS:
                row(name, f"{roc_auc(scored):.5f}", *(false_positives(scored, recall) for recall in RECALLS))
    return all_scores


def operating_points(found: Mapping[str, Mapping[str, Scored]]) -> None:
    """Of each rival, where it says spam by itself; and of ours, where it finds as much."""
    table("where a rival says spam", "recall", "its FP", "FP of mailstack at that recall")
    for split, scores in found.items():
        for rival in sorted(CUTOFFS.keys() & scores.keys()):
            scored, cutoff = scores[rival], CUTOFFS[rival]
            sure = [mail.is_spam for score, mail in scored if score >= cutoff]
            recall = sum(sure) / sum(mail.is_spam for _, mail in scored)
            ours = false_positives(scores[OURS], recall)
            row(f"{split}: {rival}", f"{recall * 100:.1f} %", len(sure) - sum(sure), ours)


def table(*heading: str) -> None:
    """In Markdown, as docs/spam.md has it."""
    print()
    row(*heading)
    row(*("---" for _ in heading))


def row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def judge_all(split: Split, design: Callable[[], Design]) -> dict[str, list[tuple[float, Mail]]]:
    found: dict[str, list[tuple[float, Mail]]] = {}
    for learned, judged in split.rounds:
        taught = design()
        taught.learn(learned)
        for name, scores in taught.score(judged).items():
            found.setdefault(name, []).extend(zip(scores, judged, strict=True))
    return found


def roc_auc(scored: Scored) -> float:
    """How likely a spam has more than a ham; where both have the same, half."""
    ordered = sorted((score, mail.is_spam) for score, mail in scored)
    values = [score for score, _ in ordered]
    ranks = 0.0
    at = 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and values[end] == values[at]:
            end += 1
        ranks += sum(is_spam for _, is_spam in ordered[at:end]) * (at + end + 1) / 2
        at = end
    spam = sum(is_spam for _, is_spam in ordered)
    return (ranks - spam * (spam + 1) / 2) / (spam * (len(ordered) - spam))


def false_positives(scored: Scored, recall: float) -> int:
    """Ham that has at least as much as the weakest of that share of the spam."""
    spam = sorted((score for score, mail in scored if mail.is_spam), reverse=True)
    # A share that is a whole number of them may be a bit more, for it is a float.
    least = spam[math.ceil(recall * len(spam) - 1e-9) - 1]
    return sum(score >= least for score, mail in scored if not mail.is_spam)


def classes(found: Mapping[str, Scored]) -> None:
    table("mails", "judged", "below 0 points", "0 to 5", "5 and more")
    for name, scored in found.items():
        bands: dict[str, Counter[int]] = {}
        for points, mail in scored:
            bands.setdefault(mail.kind, Counter())[0 if points < 0 else 1 if points < JUNK_AT else 2] += 1
        for kind, band in sorted(bands.items()):
            row(f"{name}: {kind}", band.total(), band[0], band[1], band[2])


def modern(models: Models) -> None:
    table("mail of 2024, by all that was learned of 2002", "points")
    for example in examples():
        points = judge(features_of(example.raw), models).points
        row(f"{'spam' if example.is_spam else 'ham'}: {example.name}", f"{points:.1f}")


def speed(mails: Sequence[Mail], models: Models) -> None:
    usual = [mail.raw for mail in mails if 3_600 <= len(mail.raw) <= 4_600][:200]
    plain = b"Subject: x\r\n\r\n" + b"".join(LINE % (number, number) for number in range(1_250))
    markup = b"Content-Type: text/html\r\n\r\n<table>" + b"".join(CELL % (number, number) for number in range(970))
    table("CPU milliseconds", "look and judge", "with five reasons")
    for name, raws in (
        (f"{len(usual)} messages of about 4 KB of the corpus", usual),
        (f"{len(plain) // 1000} KB of plain text", [plain] * 20),
        (f"{len(markup) // 1000} KB of HTML, a table of 970 rows with links", [markup] * 20),
    ):
        judged = milliseconds(lambda raws=raws: [judge(features_of(raw), models) for raw in raws])  # type: ignore[misc]
        told = milliseconds(lambda raws=raws: [_judged_and_told(raw, models) for raw in raws])  # type: ignore[misc]
        row(name, f"{judged / len(raws):.2f}", f"{told / len(raws):.2f}")
    some = [mail for mail in mails if int(mail.name.rpartition("/")[2].partition(".")[0][-5:]) % 3 == 0][:TRAINED]
    print(f"\nCPU s to learn {len(some)} messages, looked at too: {milliseconds(lambda: learn(some)) / 1_000:.2f}")
    print(f"MiB of the table: {len(empty(SHARED_BITS)) / 2**20:.2f}")


def _judged_and_told(raw: bytes, models: Models) -> object:
    features = features_of(raw)
    return judge(features, models), reasons(features, models, most=5)


def learn(mails: Sequence[Mail]) -> None:
    model = Model(empty(SHARED_BITS))
    looked_at = [(features_of(mail.raw), mail.is_spam) for mail in mails]
    for is_repeated in (False, True, True):
        for features, is_spam in looked_at:
            model.learn(model.lesson(features, is_spam=is_spam, is_repeated=is_repeated))


def milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATED):
        begun = time.process_time()
        work()
        taken.append((time.process_time() - begun) * 1_000)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
