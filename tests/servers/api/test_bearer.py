"""How a token is shown, and what is said to one that is not good. RFC 6750."""

import pytest

from mailstack.model.instant import DAY_MS, MINUTE_MS
from mailstack.model.token import Scope
from mailstack.servers.api.failures import MOST
from tests.support.api_world import ApiWorld

REALM = 'Bearer realm="mailstack"'


async def test_who_shows_nothing_is_told_no_error_code() -> None:
    reply = await ApiWorld().ask("GET", "/state")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, REALM)  # RFC 6750 §3.1
    assert reply.json()["title"] == "A token is needed"


async def test_an_expired_token_is_told_so_in_words() -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.STATE, ends_in_days=1)
    world.clock.advance(DAY_MS)
    reply = await world.ask("GET", "/state", text)
    assert reply.headers["www-authenticate"].startswith(f'{REALM}, error="invalid_token", error_description="the token')
    assert "expired on 2023-11-15 22:13:20Z" in reply.json()["detail"]


async def test_a_revoked_token_and_an_unknown_one_are_told_apart_to_who_has_them() -> None:
    world = ApiWorld()
    token, text = await world.token(Scope.STATE)
    await world.tokens.revoke([token.token_id], at=world.clock())
    assert (await world.ask("GET", "/state", text)).json()["detail"] == "the token was revoked"
    world.tokens.kept.clear()
    assert (await world.ask("GET", "/state", text)).json()["detail"] == "the server knows no such token"


@pytest.mark.parametrize(
    "shown", ["Basic YWxpY2U6cHc=", "Bearer", "Bearer a b", 'Bearer "a"', "mst_abc", "Bearer \xfc"]
)
async def test_other_credentials_are_a_bad_request(shown: str) -> None:
    reply = await ApiWorld().ask("GET", "/state", headers={"Authorization": shown.encode("latin-1")})  # type: ignore[dict-item]  # httpx takes octets
    assert reply.status_code == 400
    assert 'error="invalid_request"' in reply.headers["www-authenticate"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer   "])
async def test_the_scheme_is_read_as_http_reads_it(scheme: str) -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.STATE)
    reply = await world.ask("GET", "/state", headers={"Authorization": f"{scheme} {text}"})
    assert reply.status_code == 200


async def test_a_token_in_the_query_is_no_token() -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.STATE)
    assert (await world.ask("GET", f"/state?access_token={text}")).status_code == 401  # RFC 6750 §2.3


async def test_an_address_that_shows_too_many_wrong_tokens_has_to_wait() -> None:
    world = ApiWorld()
    _, good = await world.token(Scope.STATE)
    for _ in range(MOST):
        assert (await world.ask("GET", "/state", "mst_wrong")).status_code == 401
    reply = await world.ask("GET", "/state", good)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "60")
    assert (await world.ask("GET", "/state", good, peer="203.0.113.8")).status_code == 200
    world.clock.advance(MINUTE_MS)
    assert (await world.ask("GET", "/state", good)).status_code == 200


async def test_addresses_of_one_ipv6_site_count_together() -> None:
    world = ApiWorld()
    for number in range(MOST):
        await world.ask("GET", "/state", "mst_wrong", peer=f"2001:db8:1:2::{number:x}")
    assert (await world.ask("GET", "/state", "mst_wrong", peer="2001:db8:1:2:ffff::1")).status_code == 429
    assert (await world.ask("GET", "/state", "mst_wrong", peer="2001:db8:1:3::1")).status_code == 401


async def test_calls_without_a_token_are_not_counted_as_guesses() -> None:
    world = ApiWorld()
    for _ in range(MOST + 1):
        assert (await world.ask("GET", "/state")).status_code == 401
