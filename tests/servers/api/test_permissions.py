"""Which token may do what: every kind of token at every route."""

import pytest

from mailstack.model.instant import DAY_MS
from mailstack.model.token import RANDOM_OCTETS, Scope, token_text
from tests.support.api_world import ApiWorld

ROUTES = {
    "state": ("GET", "/state", {Scope.STATE}),
    "drift": ("GET", "/drift", {Scope.STATE}),
    "plan": ("POST", "/plan", {Scope.PLAN, Scope.APPLY}),
    "apply": ("POST", "/apply", {Scope.APPLY}),
    "list tokens": ("GET", "/tokens", {Scope.TOKENS}),
    "create a token": ("POST", "/tokens", {Scope.TOKENS}),
    "revoke a token": ("DELETE", "/tokens/0123456789", {Scope.TOKENS}),
}
PASSED = {200, 201, 404, 422}
"""What is said once the token was found good."""


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("route", ROUTES)
async def test_a_scope_is_good_for_its_routes_and_no_other(route: str, scope: Scope) -> None:
    world = ApiWorld()
    _, text = await world.token(scope)
    method, path, scopes = ROUTES[route]
    reply = await world.ask(method, path, text)
    if scope in scopes:
        assert reply.status_code in PASSED
    else:
        assert reply.status_code == 403
        challenge = reply.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="mailstack", error="insufficient_scope", scope="')
        assert not world.calls.asked


@pytest.mark.parametrize("kind", ["none", "unknown", "expired", "revoked", "maker expired", "maker revoked", "broken"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_token_that_is_not_good_now_is_good_for_nothing(route: str, kind: str) -> None:
    world = ApiWorld()
    maker, maker_text = await world.token(*Scope, ends_in_days=30)
    token, text = await world.token(*Scope, maker=maker_text, ends_in_days=7)
    match kind:
        case "none":
            text = ""
        case "unknown":
            text = token_text(bytes(RANDOM_OCTETS))
        case "expired":
            world.clock.advance(7 * DAY_MS)
        case "revoked":
            await world.tokens.revoke([token.token_id], at=world.clock())
        case "maker expired":
            world.clock.advance(30 * DAY_MS)
        case "maker revoked":
            await world.tokens.revoke([maker.token_id], at=world.clock())
        case "broken":
            text = text[:-1]
    method, path, _ = ROUTES[route]
    reply = await world.ask(method, path, text)
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith('Bearer realm="mailstack"')
    assert not world.calls.asked


async def test_the_description_is_for_everybody() -> None:
    reply = await ApiWorld().ask("GET", "/openapi.json")
    assert reply.status_code == 200
    assert reply.json()["openapi"] == "3.1.0"
