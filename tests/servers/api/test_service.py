"""What the API answers to those who may ask."""

import json
from typing import Any

import pytest
import structlog

import mailstack
from mailstack.app.log import configure_log
from mailstack.model.ids import Generation
from mailstack.model.instant import DAY_MS, Instant, iso
from mailstack.model.resource import CertificateBody, Kind, Resource, fields_of
from mailstack.model.token import Scope, token_id_of
from mailstack.servers.api.service import BUNDLE_BYTES
from mailstack.servers.calls import CallKind
from tests.support.api_world import ApiWorld
from tests.support.stores import created


async def test_the_state_is_what_is_applied_and_running() -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.STATE)
    assert (await world.ask("GET", "/state", text)).json() == {
        "version": mailstack.__version__,
        "generation": 0,
        "applied_at": None,
        "spec_hash": "",
        "resources": {},
        "certificates": [],
        "queue": {
            "waiting": 0,
            "sending": 0,
            "held": 0,
            "due": 0,
            "mails": 0,
            "size_bytes": 0,
            "oldest_at": None,
            "priorities": {},
            "domains": {},
            "held_back": [],
        },
        "running": {"pid": 1},
    }


async def test_certificates_are_told_with_the_days_that_they_have_left() -> None:
    world = ApiWorld()
    ends = Instant(world.clock() + 30 * DAY_MS + 1_000)
    body = CertificateBody(issuer="acme", names=("mail.example.com",), certificate="PEM", not_after=iso(ends))
    resource = Resource(kind=Kind.CERTIFICATE, name="mail.example.com", fields=fields_of(body))
    await world.state.commit([created(resource)], base=Generation(0), spec_hash="s")
    _, text = await world.token(Scope.STATE)
    reply = await world.ask("GET", "/state", text)
    (told,) = reply.json()["certificates"]
    assert (told["name"], told["issuer"], told["days_left"], told["failure"]) == ("mail.example.com", "acme", 30, None)
    assert "PEM" not in reply.text


@pytest.mark.parametrize(("path", "kind"), [("/plan", CallKind.PLAN), ("/apply", CallKind.APPLY)])
async def test_a_call_is_handed_on_as_it_came_and_answered_as_it_goes(path: str, kind: CallKind) -> None:
    world = ApiWorld()
    token, text = await world.token(Scope.APPLY)
    reply = await world.ask("POST", path, text, content=b"not looked at here")
    ((call, content),) = world.calls.asked
    assert (call.kind, call.caller, content) == (kind, token.token_id, b"not looked at here")
    assert reply.content == b"".join(world.calls.chunks)
    assert world.calls.closed == 1
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert reply.headers["mailstack-version"] == mailstack.__version__


async def test_when_enough_is_under_way_it_says_so() -> None:
    world = ApiWorld()
    world.calls.is_busy = True
    _, text = await world.token(Scope.PLAN)
    reply = await world.ask("POST", "/plan", text)
    assert (reply.status_code, reply.json()["detail"]) == (503, "2 plans or applies are under way by the API already")
    assert int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize(("path", "limit"), [("/plan", BUNDLE_BYTES), ("/apply", BUNDLE_BYTES), ("/tokens", 65_536)])
async def test_a_body_that_is_too_large_is_refused_before_anything_is_done(path: str, limit: int) -> None:
    world = ApiWorld()
    _, text = await world.token(*Scope)
    reply = await world.ask("POST", path, text, content=bytes(limit + 1))
    assert reply.status_code == 413
    assert not world.calls.asked


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/plan", 405), ("PUT", "/state", 405), ("POST", "/nothing", 404), ("GET", "/state/", 404)],
)
async def test_other_ways_to_ask_are_refused(method: str, path: str, status: int) -> None:
    world = ApiWorld()
    _, text = await world.token(*Scope)
    assert (await world.ask(method, path, text)).status_code == status


async def test_a_token_makes_one_that_holds_less_and_its_secret_is_shown_once() -> None:
    world = ApiWorld()
    maker, text = await world.token(Scope.PLAN, Scope.TOKENS, ends_in_days=30)
    reply = await world.ask("POST", "/tokens", text, name="pull requests", can=["plan"], expires_in_s=3_600)
    made = reply.json()
    assert reply.status_code == 201
    assert (made["maker"], made["can"], made["name"]) == (maker.token_id, ["plan"], "pull requests")
    assert token_id_of(made["secret"]) == made["id"]
    assert (await world.ask("POST", "/plan", made["secret"])).status_code == 200
    listed = await world.ask("GET", "/tokens", text)
    assert {each["id"] for each in listed.json()} == {maker.token_id, made["id"]}
    assert made["secret"] not in listed.text


async def test_a_token_made_by_the_api_cannot_hold_more_than_its_maker() -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.PLAN, Scope.TOKENS)
    reply = await world.ask("POST", "/tokens", text, can=["plan", "apply"])
    assert (reply.status_code, len(world.tokens.kept)) == (403, 1)
    assert reply.json()["detail"] == "a token holds no more than its maker, which lacks apply"


async def test_a_token_made_by_the_api_ends_with_its_maker() -> None:
    world = ApiWorld()
    _, text = await world.token(Scope.PLAN, Scope.TOKENS, ends_in_days=1)
    made = (await world.ask("POST", "/tokens", text, can=["plan"], expires_in_s=30 * 86_400)).json()
    world.clock.advance(DAY_MS)
    assert (await world.ask("POST", "/plan", made["secret"])).status_code == 401


async def test_revoking_by_the_api_ends_what_was_made_and_reaches_nobody_elses() -> None:
    world = ApiWorld()
    other, _ = await world.token(Scope.PLAN)
    maker, text = await world.token(Scope.PLAN, Scope.TOKENS)
    made = (await world.ask("POST", "/tokens", text, can=["plan"])).json()
    assert (await world.ask("DELETE", f"/tokens/{other.token_id}", text)).status_code == 404
    reply = await world.ask("DELETE", f"/tokens/{maker.token_id}", text)
    assert set(reply.json()["revoked"]) == {maker.token_id, made["id"]}
    for dead in (text, made["secret"]):
        assert (await world.ask("POST", "/plan", dead)).status_code == 401
    assert world.tokens.kept[other.token_id].revoked_at is None


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"can": []},
        {"can": ["everything"]},
        {"can": "plan"},
        {"can": [["plan"]]},
        {"can": ["plan"], "name": 1},
        {"can": ["plan"], "name": "a\nb"},
        {"can": ["plan"], "expires_in_s": 0},
        {"can": ["plan"], "expires_in_s": True},
        {"can": ["plan"], "expires_in_s": 1e9},
        {"can": ["plan"], "expires_in_s": 10**12},
        {"can": ["plan"], "scope": "apply"},
    ],
)
async def test_a_faulty_order_makes_no_token(order: dict[str, Any]) -> None:
    world = ApiWorld()
    _, text = await world.token(*Scope)
    reply = await world.ask("POST", "/tokens", text, content=json.dumps(order).encode())
    assert (reply.status_code, len(world.tokens.kept)) == (422, 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000])
async def test_what_is_no_json_makes_no_token(content: bytes) -> None:
    world = ApiWorld()
    _, text = await world.token(*Scope)
    assert (await world.ask("POST", "/tokens", text, content=content)).status_code == 422


async def test_every_call_is_logged_with_the_tokens_id_and_never_with_the_token(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_log("json", "debug")
    try:
        world = ApiWorld()
        token, text = await world.token(*Scope)
        for method, path in (("POST", "/plan"), ("POST", "/apply"), ("DELETE", f"/tokens/{token.token_id}")):
            await world.ask(method, path, text)
        await world.ask("GET", "/state", text)  # which was revoked just now
        log = capsys.readouterr().err
    finally:
        structlog.reset_defaults()
    assert log.count(f'"caller":"{token.token_id}"') == 4
    assert text not in log
    assert text[14:] not in log
