"""Record sets that are taken over: which, and that only a mark is written."""

from mailstack.reconcile.dns.adoption import Chosen, take_over
from mailstack.reconcile.dns.ownership import Settled, Zone, marker_key, settle
from mailstack.reconcile.dns.record_set import Key, RecordSet

NAME, OURS, OLD = "example.com", "aa" * 8, "bb" * 8
MX = RecordSet(name=NAME, type="MX", values=("10 mail.example.com.",))
SPF = RecordSet(name=NAME, type="TXT", values=("v=spf1 -all",))
FOREIGN_MX = RecordSet(name=NAME, type="MX", values=("10 old.example.com.",))
FOREIGN_TXT = RecordSet(name=NAME, type="TXT", values=("v=spf1 mx -all", "verification=1"))


def zone(*records: RecordSet, owner: str = OURS) -> Zone:
    return Zone(name=NAME, owner=owner, live={record.key: record for record in records})


def after(before: Zone, settled: Settled) -> Zone:
    live = {key: record for key, record in before.live.items() if key not in settled.dropped}
    return Zone(name=before.name, owner=before.owner, live={**live, **settled.final})


def keys(*keys: Key) -> Chosen:
    return Chosen(keys=keys)


def test_a_set_that_is_named_gets_a_mark_and_stays_as_it_is() -> None:
    before = zone(FOREIGN_MX)
    settled = take_over(before, [MX], keys(MX.key))
    assert list(settled.final) == [marker_key(MX.key)]
    assert (settled.dropped, settled.adopted) == (frozenset(), (FOREIGN_MX,))
    assert settle(after(before, settled), [MX]).final[MX.key] == MX


def test_of_a_shared_set_only_the_rival_is_taken() -> None:
    before = zone(FOREIGN_TXT)
    now = after(before, take_over(before, [SPF], keys(SPF.key)))
    assert sorted(settle(now, [SPF]).final[SPF.key].values) == ["v=spf1 -all", "verification=1"]
    # And once the spec wants none, the neighbour is what stays.
    assert settle(now, []).final[SPF.key].values == ("verification=1",)


def test_everything_of_another_owner_is_marked_anew_with_what_its_mark_says() -> None:
    old = zone(FOREIGN_TXT, owner=OLD)
    marked = after(old, take_over(old, [SPF], keys(SPF.key)))
    lost = Zone(name=NAME, owner=OURS, live=marked.live)
    assert settle(lost, [SPF]).final == {}
    now = after(lost, take_over(lost, [SPF], Chosen(owner=OLD)))
    assert sorted(settle(now, [SPF]).final[SPF.key].values) == ["v=spf1 -all", "verification=1"]
    assert take_over(now, [SPF], Chosen(owner=OLD)).final == {}


def test_all_that_is_as_wanted_and_nothing_else() -> None:
    settled = take_over(zone(MX, FOREIGN_TXT), [MX, SPF], Chosen(as_wanted=True))
    assert list(settled.final) == [marker_key(MX.key)]
    both = RecordSet(name=NAME, type="TXT", values=("verification=1", *SPF.values))
    assert list(take_over(zone(both), [SPF], Chosen(as_wanted=True)).final) == [marker_key(SPF.key)]


def test_what_cannot_be_taken_over_is_told() -> None:
    marked = after(zone(MX), take_over(zone(MX), [MX], keys(MX.key)))
    lone = RecordSet(name=NAME, type="TXT", values=("verification=1",))
    cases = [
        (zone(MX), [], MX.key, "asks for no such record"),
        (zone(), [MX], MX.key, "is not there"),
        (marked, [MX], MX.key, "is this server's already"),
        (zone(lone), [SPF], SPF.key, "apply adds to it"),
    ]
    for held, wanted, key, reason in cases:
        settled = take_over(held, wanted, keys(key))
        assert settled.final == {}
        (warning,) = settled.warnings
        assert reason in warning.text
