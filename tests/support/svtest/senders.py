"""From whom mail of a script is sent, as the settings of the dialect have it."""

from mailstack.sieve.run import SieveEnvelope
from tests.support.svtest.world import World

POSTMASTER = "postmaster@mail.example.com"


def user_of(world: World, envelope: SieveEnvelope) -> str:
    return world.settings.text("sieve_user_email") or envelope.recipient


def sender_of(world: World, envelope: SieveEnvelope, setting: str) -> str:
    # What came from nobody goes on from nobody.
    if not envelope.sender:
        return ""
    match setting:
        case "sender":
            return envelope.sender
        case "recipient":
            return envelope.recipient
        case "orig_recipient":
            return world.original_recipient or envelope.recipient
        case "user_email":
            return user_of(world, envelope)
        case "postmaster":
            return POSTMASTER
        case explicit:
            return explicit.removeprefix("<").removesuffix(">")
