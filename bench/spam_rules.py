"""Rules on the learned part of the corpus: how many ham and spam each one holds of, what both come to, and the time.

What is judged is left alone, so that points may be chosen by this. Without a server there are no checks of the sender:
what rests on them is not measured here.
"""

import statistics
import time
from collections import Counter
from collections.abc import Sequence

from bench.spam_corpus import ARCHIVE, BY_DATE, Mail, corpus, splits
from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.headers import first
from mailstack.model.instant import Instant
from mailstack.model.spam import Finding
from mailstack.spam.correspondent import Standing
from mailstack.spam.features import features_in
from mailstack.spam.rules.evidence import Evidence, Ours
from mailstack.spam.rules.rule import findings_of
from mailstack.spam.rules.table import RULES
from mailstack.spam.seen import look_at

OURS = Ours(hostname="mx.example.com", domains=frozenset({"example.com"}))
REPEATED = 5
BANDS = (0.5, 1, 2, 3, 5, 15)


def main() -> None:
    if not ARCHIVE.exists():
        print(f"without {ARCHIVE} there is nothing to look at (MAILSTACK_SUITES names another folder)")
        return
    mails, _ = next(split for split in splits(corpus()) if split.name == BY_DATE).rounds[0]
    print(f"{len(mails)} mails, {sum(mail.is_spam for mail in mails)} of them spam")
    found = [(mail, findings_of(RULES, evidence_of(mail))) for mail in mails]
    hits(found)
    bands(found)
    speed(mails)


def evidence_of(mail: Mail) -> Evidence:
    seen = look_at(mail.raw)
    authors = parse_mailboxes(first(seen.root.fields, b"from") or b"")
    return Evidence(
        raw=mail.raw,
        seen=seen,
        tokens=frozenset(features_in(seen).tokens),
        authentication=None,
        author=authors[0] if authors else None,
        standing=Standing.UNPROVEN,
        peer_host="",
        ehlo_domain="",
        reverse_path="",
        received_at=Instant(mail.arrived),
        ours=OURS,
    )


def hits(found: Sequence[tuple[Mail, Sequence[Finding]]]) -> None:
    counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for mail, findings in found:
        counts[mail.is_spam].update(finding.rule for finding in findings)
    ham, spam = counts[False], counts[True]
    print(f"{'rule':28}{'points':>8}{'ham':>8}{'spam':>8}")
    for rule in RULES:
        if ham[rule.name] or spam[rule.name]:
            print(f"{rule.name:28}{rule.points:>8}{ham[rule.name]:>8}{spam[rule.name]:>8}")


def bands(found: Sequence[tuple[Mail, Sequence[Finding]]]) -> None:
    print(f"\n{'points at or over':28}" + "".join(f"{band:>8}" for band in BANDS))
    for kind in sorted({mail.kind for mail, _ in found}):
        points = [sum(finding.points for finding in findings) for mail, findings in found if mail.kind == kind]
        print(f"{kind[:27]:28}" + "".join(f"{sum(one >= band for one in points):>8}" for band in BANDS))


def speed(mails: Sequence[Mail]) -> None:
    """Of the rules alone: what others look at as well is there already."""
    usual = [mail for mail in mails if 3_600 <= len(mail.raw) <= 4_600][:200]
    taken = []
    for _ in range(REPEATED):
        looked_at = [evidence_of(mail) for mail in usual]
        begun = time.process_time()
        for evidence in looked_at:
            findings_of(RULES, evidence)
        taken.append((time.process_time() - begun) * 1_000 / len(usual))
    print(f"\nCPU ms for all rules, {len(usual)} mails of about 4 KB: {statistics.median(taken):.3f}")
