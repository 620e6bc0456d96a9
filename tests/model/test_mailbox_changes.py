"""Which changes of a tree of mailboxes go together."""

from random import Random

import pytest

from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.mailbox_changes import MailboxChange, Misfit, Shape, misfits

INBOX, SENT, ARCHIVE = MailboxRole.INBOX, MailboxRole.SENT, MailboxRole.ARCHIVE
NOW = {
    1: (None, "INBOX", INBOX),
    2: (None, "A", None),
    3: (None, "B", SENT),
    4: (2, "C", ARCHIVE),
    5: (4, "D", None),
}
NAME, ROLE, BELOW = Misfit.NAME_IS_TAKEN, Misfit.ROLE_IS_TAKEN, Misfit.BELOW_ITSELF

CASES = {
    "nothing": ({}, {}),
    "a free name": ({2: (None, "Z", None)}, {}),
    "a taken one": ({2: (None, "B", None)}, {2: NAME}),
    "the inbox's in any case": ({2: (None, "inbox", None)}, {2: NAME}),
    "inbox below another": ({2: (3, "inbox", None)}, {}),
    "names are swapped": ({2: (None, "B", None), 3: (None, "A", SENT)}, {}),
    "roles are swapped": ({3: (None, "B", ARCHIVE), 4: (2, "C", SENT)}, {}),
    "one follows another": ({2: (None, "B", None), 3: (None, "Z", SENT)}, {}),
    "one follows who stays": ({2: (None, "B", None), 3: (None, "B", None)}, {2: NAME}),
    "two want the same": ({3: (None, "Z", SENT), 2: (None, "Z", None)}, {2: NAME}),
    "who is refused keeps others out": ({2: (None, "B", None), 3: (None, "INBOX", SENT)}, {2: NAME, 3: NAME}),
    "a role that another has": ({2: (None, "A", SENT)}, {2: ROLE}),
    "a role that another gives up": ({2: (None, "A", SENT), 3: (None, "B", None)}, {}),
    "below itself": ({2: (2, "A", None)}, {2: BELOW}),
    "below what is below it": ({2: (5, "A", None)}, {2: BELOW}),
    "below each other": ({3: (2, "B", SENT), 2: (3, "A", None)}, {2: BELOW}),
    "the tree is turned over": ({2: (4, "A", None), 4: (None, "C", ARCHIVE)}, {}),
    "over, and not fit for it": ({2: (4, "A", None), 4: (None, "B", ARCHIVE)}, {2: BELOW, 4: NAME}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_goes_together(
    case: tuple[dict[int, tuple[int | None, str, MailboxRole | None]], dict[int, Misfit]],
) -> None:
    wanted, expected = case
    assert misfits(shapes(NOW), shapes(wanted)) == expected


def shapes(given: dict[int, tuple[int | None, str, MailboxRole | None]]) -> dict[MailboxId, Shape]:
    return {
        MailboxId(number): Shape(None if parent is None else MailboxId(parent), name, role)
        for number, (parent, name, role) in given.items()
    }


@pytest.mark.parametrize("seed", range(20))
def test_what_fits_makes_a_tree(seed: int) -> None:
    chance = Random(seed)
    now = {MailboxId(number): Shape(None, str(number), None) for number in range(1, 30)}
    for number, shape in list(now.items()):
        if number > 3:
            now[number] = shape._replace(parent_id=MailboxId(chance.randrange(1, number)))
    wanted = {
        number: Shape(
            MailboxId(chance.randrange(1, 30)) if chance.random() < 0.8 else None,
            str(chance.randrange(1, 20)),
            chance.choice([None, None, SENT, ARCHIVE]),
        )
        for number in chance.sample(sorted(now), 20)
    }
    refused = misfits(now, wanted)
    after = {**now, **{number: shape for number, shape in wanted.items() if number not in refused}}
    assert len({(shape.parent_id, shape.name) for shape in after.values()}) == len(after)
    roles = [shape.role for shape in after.values() if shape.role]
    assert len(set(roles)) == len(roles)
    for number in after:
        way = [number]
        while (parent := after[way[-1]].parent_id) is not None:
            assert parent not in way
            way.append(parent)


def test_what_is_not_named_stays() -> None:
    before = Shape(MailboxId(2), "C", SENT)
    assert MailboxChange(name="Z").of(before) == Shape(MailboxId(2), "Z", SENT)
    assert MailboxChange(parent_id=None, role=None).of(before) == Shape(None, "C", None)
