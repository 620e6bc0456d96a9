"""What the server has seen of a sender before speaks for its mail or against it.

Who says so are accounts, by what they teach, and the filter itself where it is sure without this. All fades within
weeks. Of what is known, that counts which says most of the mail: its address, its domain, the machine that brought it,
the network of that.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.reputation import Counts, log_odds
from mailstack.model.spam import Finding, Score
from mailstack.services.spam.correspondents import Arrived
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.gathered import VOICE_MOST, GatheredReputation
from mailstack.services.spam.keys import SenderKeys
from mailstack.services.spam.named_senders import ALLOWED, BLOCKED
from mailstack.services.spam.scoring import OWN_WORDS
from mailstack.spam.correspondent import Subject, SubjectKind

RULE = "sender-reputation"
LESSON = 5.0
"""Mails that the filter judged by itself, which one person's word weighs up."""
ENOUGH = 2.5
"""Mails of a sender from which on it is known; before, it counts what is known of those around it."""
SURE_SPAM, SURE_HAM = 8.0, -2.0
"""Points without ours: so many say something of the sender too."""
_NOT_EVIDENCE = (RULE, OWN_WORDS, ALLOWED, BLOCKED)
"""What was once believed of a sender must not be what it is believed for, nor does it count for all what one account
taught, and whom it lets in or keeps out."""
_FILTER = 0
_NAMED = (SubjectKind.ADDRESS, SubjectKind.DOMAIN)
_MOST = {
    SubjectKind.ADDRESS: (-3.0, 4.0),
    SubjectKind.DOMAIN: (-3.0, 4.0),
    SubjectKind.SIGNER: (0.0, 4.0),
    SubjectKind.HOST: (-1.5, 3.0),
    SubjectKind.NETWORK: (-1.0, 2.0),
}
"""At the least and at the most: neighbours of a machine are others, and a network has many."""
_WHAT = {
    SubjectKind.ADDRESS: "this address",
    SubjectKind.DOMAIN: "this domain",
    SubjectKind.SIGNER: "the domain that signed it",
    SubjectKind.HOST: "the machine that brought it",
    SubjectKind.NETWORK: "the network it came from",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReputation:
    """Works as services.spam.scoring.Source."""

    gathered: GatheredReputation
    keys: SenderKeys

    async def findings(self, mail: Examined) -> Sequence[Finding]:
        subjects = mail.correspondent.subjects
        if not subjects:
            return ()
        keys = [self.keys.of_subject(*subject) for subject in subjects]
        found = await self.gathered.find(keys)
        for (kind, _), key in zip(subjects, keys, strict=True):
            counts = found[key]
            # Whoever signs for many vouches for none of them, but may be the sender of much junk.
            is_told = kind is not SubjectKind.SIGNER or counts.spam > counts.ham
            if is_told and counts.ham + counts.spam >= ENOUGH:
                return _finding(kind, counts)
        return ()

    def judged(self, mail: Examined, scores: Collection[Score]) -> None:
        """What the mail came to, for all who would get it."""
        points = [_points_of_others(score) for score in scores]
        if not points:
            return
        subjects = mail.correspondent.subjects
        if any(score.virus for score in scores) or min(points) >= SURE_SPAM:
            self._say_what_is_new(subjects, Counts(ham=0.0, spam=1.0), at=mail.received_at)
        elif max(points) <= SURE_HAM:
            # Most mail is such, and its sender has a name: what brought it need not be written.
            named = [subject for subject in subjects if subject[0] in _NAMED]
            self._say_what_is_new(named or subjects, Counts(ham=1.0, spam=0.0), at=mail.received_at)

    def learn(self, whose: AccountId, arrived: Arrived, *, is_spam: bool) -> None:
        """Old mail says less of its sender."""
        self._say_of(arrived, whose, _lesson(is_spam=is_spam))

    def unlearn(self, whose: AccountId, arrived: Arrived, *, is_spam: bool) -> None:
        """As if it had never been learned, told in the same words."""
        self._say_of(arrived, whose, _lesson(is_spam=is_spam).times(-1.0))

    def _say_what_is_new(self, subjects: Sequence[Subject], counts: Counts, *, at: Instant) -> None:
        """Of most mail the sender is well known, and of a flood soon: then there is nothing to write."""
        keys = [self.keys.of_subject(*subject) for subject in subjects]
        new = [key for key in keys if not _has_enough(self.gathered.last_found(key), counts)]
        self.gathered.say(_FILTER, new, counts, at=at)

    def _say_of(self, arrived: Arrived, whose: AccountId, counts: Counts) -> None:
        keys = [self.keys.of_subject(*subject) for subject in arrived.sent_by.subjects]
        self.gathered.say(self.keys.voice_of(whose), keys, counts, at=arrived.received_at)


def _lesson(*, is_spam: bool) -> Counts:
    return Counts(ham=0.0, spam=LESSON) if is_spam else Counts(ham=LESSON, spam=0.0)


def _has_enough(known: Counts, new: Counts) -> bool:
    """With what is new it would be more than one voice counts for."""
    both = known + new
    return (both.spam if new.spam else both.ham) > VOICE_MOST


def _points_of_others(score: Score) -> float:
    return sum(finding.points for finding in score.findings if finding.rule not in _NOT_EVIDENCE)


def _finding(kind: SubjectKind, counts: Counts) -> Sequence[Finding]:
    least, most = _MOST[kind]
    points = round(max(least, min(most, log_odds(counts))), 1)
    if not points:
        return ()
    what = "was junk" if points > 0 else "was wanted"
    return (Finding(rule=RULE, points=points, why=f"mail of {_WHAT[kind]} {what} before"),)
