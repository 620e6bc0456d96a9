"""Made-up verifiers: the same for a name, another for every other, and alike to real ones. RFC 5802 §9."""

from mailstack.model.scram import DIGEST_OCTETS, NORMAL_ITERATIONS, SALT_OCTETS
from mailstack.services.identity.decoys import decoy, decoy_domain

KEY = bytes(32)


def test_a_name_has_one_verifier() -> None:
    one, again = (decoy("a@x.example", key=KEY, iterations={4096}) for _ in range(2))
    assert one == again
    assert one != decoy("b@x.example", key=KEY, iterations={4096})
    assert one.salt != decoy("a@x.example", key=bytes(range(32)), iterations={4096}).salt


def test_its_parts_are_as_long_as_real_ones_and_differ() -> None:
    made = decoy("a@x.example", key=KEY, iterations=())
    assert (len(made.salt), len(made.stored_key), len(made.server_key)) == (SALT_OCTETS, DIGEST_OCTETS, DIGEST_OCTETS)
    assert len({made.salt, made.stored_key[:SALT_OCTETS], made.server_key[:SALT_OCTETS]}) == 3
    assert made.iterations == NORMAL_ITERATIONS


def test_iterations_are_spread_over_those_that_there_are() -> None:
    found = {decoy(f"{number}@x.example", key=KEY, iterations={4096, 60_000}).iterations for number in range(50)}
    assert found == {4096, 60_000}


def test_a_name_without_a_domain_is_somewhere() -> None:
    domains = {"x.example", "y.example"}
    assert {decoy_domain(str(number), domains, key=KEY) for number in range(50)} == domains
    assert decoy_domain("a", domains, key=KEY) == decoy_domain("a", domains, key=KEY)
    assert decoy_domain("a", (), key=KEY) == ""
