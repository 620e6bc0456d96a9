"""Updates of models as octets, to be kept with the lesson that they came of: that one can be taken back by them."""

import struct
import zlib
from array import array
from itertools import accumulate, pairwise

from mailstack.model.errors import Damaged
from mailstack.spam.features import VERSION
from mailstack.spam.model import Update

# Version of the features, what is added to weights and counts, how many slots of text and of facts.
_HEAD = struct.Struct("<Hiibbii")
_SLOT_OCTETS = 4
_MOST_SLOTS = 1 << 16


def packed(update: Update) -> bytes:
    """Some two octets for each slot. In which order slots stand is not kept, for it means nothing."""
    slots = _gaps(update.text) + _gaps(update.facts)
    return _HEAD.pack(
        VERSION,
        update.text_delta,
        update.facts_delta,
        update.ham,
        update.spam,
        len(update.text),
        len(update.facts),
    ) + zlib.compress(struct.pack(f"<{len(slots)}I", *slots))


def unpacked(octets: bytes) -> Update:
    """Raises Damaged; so it does for features of another version, whose slots mean other things now."""
    try:
        version, text_delta, facts_delta, ham, spam, text, facts = _HEAD.unpack_from(octets)
        if version != VERSION:
            raise Damaged("a spam lesson of another version")
        if not (0 <= text <= _MOST_SLOTS and 0 <= facts <= _MOST_SLOTS):
            raise Damaged("a spam lesson says that it has more slots than there are")
        inflated = zlib.decompressobj()
        slots = struct.unpack(
            f"<{text + facts}I", inflated.decompress(octets[_HEAD.size :], _SLOT_OCTETS * (text + facts) + 1)
        )
    except (struct.error, zlib.error) as fault:
        raise Damaged("a spam lesson cannot be read") from fault
    if not inflated.eof:
        raise Damaged("a spam lesson is cut short")
    return Update(
        text=array("I", accumulate(slots[:text])),
        text_delta=text_delta,
        facts=array("I", accumulate(slots[text:])),
        facts_delta=facts_delta,
        ham=ham,
        spam=spam,
    )


def _gaps(slots: "array[int]") -> list[int]:
    ordered = sorted(slots)
    return ordered[:1] + [two - one for one, two in pairwise(ordered)]
