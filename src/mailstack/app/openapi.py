"""The description of the API, made from the models that read its requests and the types of its replies.

Kept beside the pages that serve it (servers/api/openapi.json), for a worker loads no pydantic. OpenAPI 3.1.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

import mailstack
from mailstack.app.api_models import AppliedStep, ApplyRequest, FailedStep, PlanReply, PlanRequest
from mailstack.model.token import Scope
from mailstack.reconcile.drift import DriftDocument
from mailstack.servers.api.documents import (
    NewTokenDocument,
    ProblemDocument,
    RevokedDocument,
    StateDocument,
    TokenDocument,
    TokenRequest,
)

JSON, LINES, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"
Schema = dict[str, Any]  # a JSON document, whose depths nobody here looks into


class FaultDocument(TypedDict):
    """file: as the bundle calls it: `main`, or a path. line and column count from 1; 0: the file as a whole."""

    file: str
    line: int
    column: int
    path: str
    message: str


class FaultsDocument(ProblemDocument):
    """A problem of the spec that was sent."""

    faults: list[FaultDocument]


class ProgressStep(TypedDict):
    """What an apply tells on its way; `step` is the event's name, and its own fields stand beside it."""

    step: str


REQUESTS: tuple[type, ...] = (PlanRequest, ApplyRequest, TokenRequest)
REPLIES: tuple[type, ...] = (
    DriftDocument,
    PlanReply,
    ProgressStep,
    AppliedStep,
    FailedStep,
    StateDocument,
    TokenDocument,
    NewTokenDocument,
    RevokedDocument,
    ProblemDocument,
    FaultsDocument,
)


def openapi() -> Schema:
    refs, schemas = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mailstack",
            "version": mailstack.__version__,
            "description": "What `mailstack --server` speaks. Over TLS only; every call needs a token, made by"
            " `mailstack token create`, in the Authorization field (RFC 6750).",
        },
        "paths": {
            "/api/v1/state": {"get": _operation("Read what is applied and running.", Scope.STATE, refs[StateDocument])},
            "/api/v1/drift": {
                "get": _operation(
                    "See what is no longer as it was applied.", Scope.STATE, refs[DriftDocument], busy=True
                )
            },
            "/api/v1/plan": {
                "post": {
                    **_operation("See what a spec would change. Nothing is.", Scope.PLAN, refs[PlanReply], busy=True),
                    "requestBody": _content(refs[PlanRequest]),
                }
            },
            "/api/v1/apply": {"post": _apply(refs)},
            "/api/v1/tokens": {
                "get": _operation(
                    "List the token itself and those that were made with it.",
                    Scope.TOKENS,
                    {"type": "array", "items": refs[TokenDocument]},
                ),
                "post": {
                    **_operation(
                        "Make a token that holds no more than the one that is shown, and ends no later.",
                        Scope.TOKENS,
                        refs[NewTokenDocument],
                        status="201",
                    ),
                    "requestBody": _content(refs[TokenRequest]),
                },
            },
            "/api/v1/tokens/{token_id}": {
                "delete": {
                    **_operation("End a token, and all that were made with it.", Scope.TOKENS, refs[RevokedDocument]),
                    "parameters": [{"name": "token_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                }
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "mst_…"}},
            "responses": {"Problem": _response("Refused; detail says why.", refs[ProblemDocument], PROBLEM)},
        },
    }


def _apply(refs: Mapping[type, Schema]) -> Schema:
    steps = [refs[each] for each in (ProgressStep, AppliedStep, FailedStep)]
    found = _operation(
        "Make the server what a spec says, as it was planned, or refuse. One JSON line for each step, of which Applied"
        " or Failed is the last; a client that goes away does not stop it.",
        Scope.APPLY,
        {"oneOf": steps},
        media_type=LINES,
        busy=True,
    )
    return {**found, "requestBody": _content(refs[ApplyRequest])}


def _operation(
    summary: str,
    scope: Scope,
    reply: Schema,
    *,
    status: str = "200",
    media_type: str = JSON,
    busy: bool = False,
) -> Schema:
    refusals = ["400", "401", "403", "404", "409", "413", "422", "429", *(["503"] if busy else [])]
    return {
        "summary": summary,
        "description": f"Needs the scope {scope.value}.",
        "security": [{"token": []}],
        "responses": {
            status: _response("Done.", reply, media_type),
            **{refusal: {"$ref": "#/components/responses/Problem"} for refusal in refusals},
        },
    }


def _response(description: str, schema: Schema, media_type: str) -> Schema:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _content(schema: Schema) -> Schema:
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _schemas() -> tuple[dict[type, Schema], Schema]:
    """How each type is referred to, and what they are."""
    requests = [(each, "validation", TypeAdapter[Any](each)) for each in REQUESTS]
    replies = [(each, "serialization", TypeAdapter[Any](each)) for each in REPLIES]
    found, whole = TypeAdapter.json_schemas([*requests, *replies], ref_template="#/components/schemas/{model}")  # type: ignore[list-item]  # any hashable names a type
    refs = {each: schema for (each, _), schema in found.items()}
    return refs, whole["$defs"]
