"""Whose record sets are whose: tables of a zone as it is, what is wanted, and what comes of it."""

from dataclasses import replace

import pytest

from mailstack.reconcile.dns.ownership import (
    Settled,
    Zone,
    marker_key,
    settle,
    settle_labelled,
    settle_some,
    settle_unlabelled,
)
from mailstack.reconcile.dns.record_set import Key, RecordSet

NAME = "example.test"
OURS, OTHERS = "0123456789abcdef", "fedcba9876543210"
SPF = RecordSet(name=NAME, type="TXT", values=("v=spf1 mx -all",), ttl_s=300)
MX = RecordSet(name=NAME, type="MX", values=("10 mail.example.test.",), ttl_s=300)
HOST = RecordSet(name=f"mail.{NAME}", type="A", values=("192.0.2.1",), ttl_s=300)


def zone(*live: RecordSet, owner: str = OURS, unreadable: frozenset[Key] = frozenset()) -> Zone:
    return Zone(name=NAME, owner=owner, live={record.key: record for record in live}, unreadable=unreadable)


def text(*values: str, ttl_s: int = 300) -> RecordSet:
    return replace(SPF, values=values, ttl_s=ttl_s)


def published(record: RecordSet, owner: str = OURS) -> tuple[RecordSet, RecordSet]:
    """As it and its marker are in the zone once settled in an empty one."""
    settled = settle(zone(owner=owner), [record])
    return settled.final[record.key], settled.final[marker_key(record.key)]


def marker(record: RecordSet, owner: str = OURS) -> RecordSet:
    return published(record, owner)[1]


def untouched(settled: Settled, record: RecordSet) -> bool:
    return record.key not in settled.final and record.key not in settled.dropped


@pytest.mark.parametrize("record", [SPF, MX, HOST])
def test_in_an_empty_zone_it_is_published_with_a_marker(record: RecordSet) -> None:
    settled = settle(zone(), [record])
    assert set(settled.final) == {record.key, marker_key(record.key)}
    assert settled.dropped == frozenset()


@pytest.mark.parametrize("record", [SPF, MX, HOST])
def test_once_published_nothing_changes(record: RecordSet) -> None:
    live = published(record)
    settled = settle(zone(*live), [record])
    assert settled.final == {item.key: item for item in live}


@pytest.mark.parametrize("record", [SPF, MX, HOST])
def test_no_longer_wanted_it_goes_with_its_marker(record: RecordSet) -> None:
    settled = settle(zone(*published(record)), [])
    assert settled.final == {}
    assert settled.dropped == {record.key, marker_key(record.key)}


@pytest.mark.parametrize("record", [MX, HOST])
def test_edited_by_hand_it_is_put_right(record: RecordSet) -> None:
    live = replace(record, values=("something else",))
    assert settle(zone(live, marker(record)), [record]).final[record.key] == record


@pytest.mark.parametrize("record", [MX, HOST])
def test_without_a_marker_it_is_foreign_and_left_alone(record: RecordSet) -> None:
    settled = settle(zone(replace(record, values=("something else",))), [record])
    assert untouched(settled, record)
    assert "something else" in settled.warnings[0].text


@pytest.mark.parametrize("record", [SPF, MX, HOST])
def test_already_there_by_another_hand_it_is_neither_taken_nor_a_warning(record: RecordSet) -> None:
    assert settle(zone(record), [record]) == Settled(final={}, dropped=frozenset(), warnings=())


@pytest.mark.parametrize("record", [SPF, MX, HOST])
@pytest.mark.parametrize("owner", [OURS, ""])
def test_another_servers_records_are_left_alone(record: RecordSet, owner: str) -> None:
    live = published(record, OTHERS)
    wanted = replace(record, values=("v=spf1 -all",))
    settled = settle(zone(*live, owner=owner), [wanted])
    assert (settled.final, settled.dropped) == ({}, frozenset())
    assert "another mailstack server" in settled.warnings[0].text


def test_another_servers_records_are_not_dropped() -> None:
    assert settle(zone(*published(MX, OTHERS)), []).dropped == frozenset()


def test_a_marker_in_other_words_is_not_ours() -> None:
    strange = replace(marker(MX), values=("somebody's",))
    assert settle(zone(strange), [MX]).final == {}
    assert settle(zone(strange), []).dropped == frozenset()


@pytest.mark.parametrize("name", ["_mailstack-owner.test", "_mailstack-owner", "_mailstack-owner.mx"])
def test_a_name_that_only_looks_like_a_marker_is_no_trouble(name: str) -> None:
    assert settle(zone(RecordSet(name=name, type="TXT", values=("x",))), []).dropped == frozenset()


def test_beside_a_cname_nothing_is_published() -> None:
    alias = RecordSet(name=HOST.name, type="CNAME", values=("www.example.test.",))
    settled = settle(zone(alias), [HOST])
    assert settled.final == {}
    assert "CNAME to www.example.test." in settled.warnings[0].text


def test_a_cname_is_not_published_beside_records_of_others() -> None:
    alias = RecordSet(name=f"mta-sts.{NAME}", type="CNAME", values=(f"mail.{NAME}.",))
    foreign = RecordSet(name=alias.name, type="A", values=("192.0.2.80",))
    settled = settle(zone(foreign), [alias])
    assert (settled.final, settled.dropped) == ({}, frozenset())
    assert "holds A records" in settled.warnings[0].text
    # One's own that make room for it are no obstacle.
    assert alias.key in settle(zone(*published(foreign)), [alias]).final


@pytest.mark.parametrize(
    ("record_type", "value", "other"),
    [
        ("SRV", "0 1 993 mail.example.test.", "0 1 993 elsewhere.test."),
        ("TLSA", f"3 1 1 {'ab' * 32}", f"3 1 1 {'cd' * 32}"),
        ("CAA", '0 issue "ca.test"', '0 issue "other.test"'),
    ],
)
def test_foreign_sets_of_every_type_are_told_from_equal_ones(record_type: str, value: str, other: str) -> None:
    record = RecordSet(name=NAME, type=record_type, values=(value,))
    assert settle(zone(record), [record]).warnings == ()
    settled = settle(zone(replace(record, values=(other,))), [record])
    assert untouched(settled, record)
    assert other in settled.warnings[0].text


def test_a_cname_that_took_our_name_leaves_our_marker_where_it_is() -> None:
    alias = RecordSet(name=HOST.name, type="CNAME", values=("www.example.test.",))
    settled = settle(zone(alias, marker(HOST)), [HOST])
    assert (settled.final, settled.dropped) == ({}, frozenset())


@pytest.mark.parametrize("cut", [HOST.name, "sub.example.test"])
def test_below_a_delegation_nothing_is_published(cut: str) -> None:
    below = replace(HOST, name=f"mail.{cut}")
    settled = settle(zone(RecordSet(name=cut, type="NS", values=())), [below])
    assert settled.final == {}
    assert f"{cut} is delegated" in settled.warnings[0].text


def test_the_zones_own_name_servers_are_no_delegation() -> None:
    assert HOST.key in settle(zone(RecordSet(name=NAME, type="NS", values=())), [HOST]).final


def test_text_joins_what_is_there_and_takes_its_ttl() -> None:
    settled = settle(zone(text("verify=1", ttl_s=900)), [SPF])
    assert settled.final[SPF.key] == text("verify=1", "v=spf1 mx -all", ttl_s=900)


def test_a_new_text_value_replaces_ours_and_no_other() -> None:
    live = text("verify=1", *SPF.values, "verify=2")
    settled = settle(zone(live, marker(SPF)), [text("v=spf1 -all")])
    assert settled.final[SPF.key].values == ("verify=1", "verify=2", "v=spf1 -all")


def test_a_text_value_that_goes_leaves_the_others() -> None:
    settled = settle(zone(text("verify=1", *SPF.values), marker(SPF)), [])
    assert settled.final == {SPF.key: text("verify=1")}
    assert settled.dropped == {marker_key(SPF.key)}


def test_a_text_value_edited_by_hand_is_put_right() -> None:
    settled = settle(zone(text("verify=1", "V=SPF1 +all"), marker(SPF)), [SPF])
    assert settled.final[SPF.key].values == ("verify=1", "v=spf1 mx -all")


def test_a_text_value_edited_by_hand_and_no_longer_wanted_stays() -> None:
    settled = settle(zone(text("v=spf1 +all"), marker(SPF)), [])
    assert settled.final == {}
    assert settled.dropped == {marker_key(SPF.key)}


@pytest.mark.parametrize("others", [("v=spf1 +all",), ("v=spf1 mx -all", "v=spf1 +all"), ("v=spf1 a", "v=spf1 b")])
def test_a_second_text_record_of_the_same_version_is_a_warning(others: tuple[str, ...]) -> None:
    marked = () if len(others) == 1 else (marker(SPF),)
    settled = settle(zone(text(*others), *marked), [SPF])
    assert untouched(settled, SPF)
    assert "v=spf1" in settled.warnings[0].text


@pytest.mark.parametrize("record", [MX, HOST])
def test_what_somebody_wrote_over_ours_stays_once_ours_is_not_wanted(record: RecordSet) -> None:
    theirs = replace(record, values=("something else",))
    settled = settle(zone(theirs, marker(record)), [])
    assert settled.final == {}
    assert settled.dropped == {marker_key(record.key)}


@pytest.mark.parametrize("other", ["v = spf1 a", "V\t=spf1 a"])
def test_white_space_around_a_version_hides_no_second_record(other: str) -> None:
    settled = settle(zone(text(other)), [SPF])
    assert untouched(settled, SPF)


def test_a_write_cut_off_between_text_and_marker_is_finished() -> None:
    new = text("v=spf1 -all")
    assert settle(zone(text("verify=1", *new.values), marker(SPF)), [new]).final[marker_key(SPF.key)] == marker(new)
    assert settle(zone(text("verify=1", *SPF.values), marker(new)), [new]).final[SPF.key].values[-1] == "v=spf1 -all"


@pytest.mark.parametrize("value", ['say "hi"', "back\\slash", "grüße"])
def test_text_that_providers_might_mangle_is_never_written_back(value: str) -> None:
    assert settle(zone(text(value)), [SPF]).final == {}
    assert settle(zone(text(value, *SPF.values), marker(SPF)), []).dropped == frozenset()
    # With nothing to write there is nothing to warn of.
    assert settle(zone(text(value, *SPF.values), marker(SPF)), [SPF]).warnings == ()


def test_names_with_unreadable_values_are_never_written() -> None:
    blocked = frozenset({SPF.key})
    assert settle(zone(unreadable=blocked), [SPF]).final == {}
    assert settle(zone(marker(SPF), unreadable=blocked), []).dropped == frozenset()


@pytest.mark.parametrize("above", [f"_dmarc.mail.{NAME}", f"mail.{NAME}", NAME])
def test_nothing_is_written_at_or_below_a_dname(above: str) -> None:
    redirect = RecordSet(name=above, type="DNAME", values=("elsewhere.test.",), ttl_s=300)
    settled = settle(zone(redirect), [replace(HOST, name=f"_dmarc.mail.{NAME}")])
    assert settled.final == {}
    assert f"below {above} is redirected" in settled.warnings[0].text


@pytest.mark.parametrize("wanted", [[MX], [replace(MX, values=("10 mx.example.test.",))], []])
def test_a_value_that_somebody_added_to_ours_would_be_lost_and_is_named(wanted: list[RecordSet]) -> None:
    live, mark = published(MX)
    added = zone(replace(live, values=(*live.values, "20 backup.example.")), mark)
    assert [record.values for record in settle(added, wanted).losing] == [("20 backup.example.",)]


def test_a_set_that_somebody_wrote_over_is_put_right_without_a_word() -> None:
    live, mark = published(MX)
    assert settle(zone(replace(live, values=("10 evil.example.",)), mark), [MX]).losing == ()
    assert settle(zone(live, mark), [MX]).losing == ()
    assert settle(zone(live, mark), []).losing == ()


def test_a_proof_comes_and_goes_and_a_record_changed_by_hand_stays_for_a_plan_to_show() -> None:
    proof = RecordSet(name=f"_acme-challenge.{HOST.name}", type="TXT", values=("proof",), ttl_s=60)
    by_hand = replace(HOST, values=("192.0.2.99",))
    there = [*published(SPF), by_hand, marker(HOST)]
    shown = settle_labelled("_acme-challenge", zone(*there), [proof])
    assert set(shown.final) == {proof.key, marker_key(proof.key)}
    assert shown.dropped == frozenset()
    taken = settle_labelled("_acme-challenge", zone(*there, *published(proof)), [])
    assert taken.final == {}
    assert taken.dropped == {proof.key, marker_key(proof.key)}


def test_an_alias_of_ours_that_nobody_wants_makes_room_for_other_records_of_the_name() -> None:
    alias = RecordSet(name=HOST.name, type="CNAME", values=("www.example.test.",), ttl_s=300)
    settled = settle(zone(*published(alias)), [HOST])
    assert HOST.key in settled.final
    assert alias.key in settled.dropped
    assert settled.warnings == ()


def test_an_alias_that_somebody_wrote_over_ours_makes_no_room() -> None:
    alias = RecordSet(name=HOST.name, type="CNAME", values=("www.example.test.",), ttl_s=300)
    theirs = replace(alias, values=("elsewhere.test.",))
    settled = settle(zone(theirs, marker(alias)), [HOST])
    assert (settled.final, alias.key in settled.dropped) == ({}, False)
    assert "CNAME to elsewhere.test." in settled.warnings[0].text


def test_an_alias_takes_no_name_at_which_a_text_of_somebody_else_stays() -> None:
    alias = RecordSet(name=NAME, type="CNAME", values=("www.example.test.",), ttl_s=300)
    settled = settle(zone(text("verify=1", *SPF.values), marker(SPF)), [alias])
    assert settled.final == {SPF.key: text("verify=1")}
    assert "holds TXT records" in settled.warnings[0].text


def test_while_an_order_is_under_way_nothing_is_done_to_proofs_and_all_the_rest_is() -> None:
    proof = RecordSet(name=f"_acme-challenge.mail.{NAME}", type="TXT", values=("abc",), ttl_s=60)
    settled = settle_unlabelled("_acme-challenge", zone(*published(SPF), *published(proof)), [HOST])
    assert set(settled.final) == {HOST.key, marker_key(HOST.key)}
    assert settled.dropped == {SPF.key, marker_key(SPF.key)}


def test_of_some_sets_alone_the_others_stay_whatever_has_become_of_them() -> None:
    by_hand = replace(HOST, values=("192.0.2.99",))
    there = zone(by_hand, marker(HOST), *published(SPF))
    settled = settle_some(lambda key: key == SPF.key, there, [HOST, replace(SPF, values=("v=spf1 -all",))])
    assert set(settled.final) == {SPF.key, marker_key(SPF.key)}
    assert settle_some(lambda key: key == SPF.key, there, [HOST]).dropped == {SPF.key, marker_key(SPF.key)}
