"""PushSubscription/set. RFC 8620 §7.2.2."""

import hmac
from collections.abc import Mapping
from typing import Any

import structlog

from mailstack.formats.aes128gcm import check_keys
from mailstack.formats.web_url import WebUrl, parse_web_url
from mailstack.model.errors import DomainError, Invalid
from mailstack.model.ids import PushId
from mailstack.model.instant import Instant, iso
from mailstack.model.push import LASTS_MS, MOST_OF_ACCOUNT, PushChange, PushKeys, PushStage, PushSubscription
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.push_subscriptions import push_object, subscriptions_of, whole_push_object
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.services.push.credentials import credential_of
from mailstack.services.web_targets import WebTargets
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.push_wanted import CHANGING, PushChanging, read_new_push, read_push_change
from mailstack.wire.jmap.session import CORE

ID_OCTETS = 8
CODE_OCTETS = 16
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)
_WILL_DESTROY = SetFault(type=SetFaultType.WILL_DESTROY)
_TOO_OFTEN = SetFault(type=SetFaultType.RATE_LIMIT, description="too many were made within the last hour")

log = structlog.get_logger()


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = arguments.ids("destroy") or ()
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    answer = SetAnswer()
    for key, given in create.items():
        try:
            answer.created[key] = await _create(call, key, given)
        except (NotSet, DomainError) as fault:
            answer.not_created[key] = refusal(fault)
    going = [*dict.fromkeys(map(call.id_of, destroy))]
    for push_id, patch in {call.id_of(key): patch for key, patch in update.items()}.items():
        try:
            answer.updated[push_id] = await _update(call, push_id, patch, is_going=push_id in going)
        except (NotSet, DomainError) as fault:
            answer.not_updated[push_id] = refusal(fault)
    for push_id in going:
        try:
            await _destroy(call, push_id)
            answer.destroyed.append(push_id)
        except (NotSet, DomainError) as fault:
            answer.not_destroyed[push_id] = refusal(fault)
    return answer.as_json()


async def _create(call: Call, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the client did not send."""
    service, login, wanted = call.service, call.login, read_new_push(given)
    url = _url(wanted.url, service.push_targets)
    _check_keys(wanted.keys)
    now = service.clock()
    subscription = PushSubscription(
        push_id=PushId(service.token(ID_OCTETS).hex()),
        account_id=login.account_id,
        credential=credential_of(login),
        device_client_id=wanted.device_client_id,
        url=wanted.url,
        keys=wanted.keys,
        code=service.token(CODE_OCTETS).hex(),
        stage=PushStage.NEW,
        types=wanted.changing.types,
        expires_at=_expires_at(wanted.changing, now),
    )
    if not service.push_rate.may_ask(login.account_id):
        raise NotSet(_TOO_OFTEN)
    await service.push_subscriptions.add(subscription, now=now, at_most=MOST_OF_ACCOUNT)
    log.info("push subscription made", account=login.login, push=subscription.push_id, host=url.host)
    call.created[key] = subscription.push_id
    made = {**push_object(subscription), "keys": None}
    return {name: value for name, value in made.items() if name not in given or _differs(name, value, given)}


async def _update(call: Call, push_id: str, patch: Mapping[str, Any], *, is_going: bool) -> dict[str, Any] | None:
    """What is not as the client asked for."""
    subscription = (await subscriptions_of(call)).get(push_id)
    if subscription is None:
        raise NotSet(_NOT_FOUND)
    if is_going:
        raise NotSet(_WILL_DESTROY)
    before = whole_push_object(subscription)
    after = apply_patch(before, patch)
    fixed = {name: value for name, value in before.items() if name not in CHANGING}
    # What is null is left out, and these have no default to go back to.
    gone = [name for name in fixed if name not in after and fixed[name] is not None]
    if gone:
        raise invalid_property(gone[0], "it stays as it is")
    wanted = read_push_change(after, fixed=fixed)
    # Untouched, it stays as it is, to the millisecond.
    is_new_end = "expires" in patch
    expires_at = _expires_at(wanted, call.service.clock()) if is_new_end else subscription.expires_at
    change = PushChange(
        is_verified=_is_shown(wanted, subscription, is_given="verificationCode" in patch),
        types=wanted.types,
        expires_at=expires_at,
    )
    await call.service.push_subscriptions.change(
        call.login.account_id, subscription.credential, subscription.push_id, change
    )
    if change.is_verified and subscription.stage is not PushStage.VERIFIED:
        log.info("push subscription verified", account=call.login.login, push=push_id)
    expires = iso(expires_at)
    return {"expires": expires} if is_new_end and patch["expires"] != expires else None


async def _destroy(call: Call, push_id: str) -> None:
    login = call.login
    await call.service.push_subscriptions.remove(login.account_id, credential_of(login), PushId(push_id))
    log.info("push subscription destroyed", account=login.login, push=push_id)


def _url(text: str, targets: WebTargets) -> WebUrl:
    try:
        url = parse_web_url(text)
    except Invalid as fault:
        raise invalid_property("url", fault.detail) from None
    if not targets.may_be_given(url):
        raise invalid_property("url", "no place that this server pushes to: https, and on the Internet")
    return url


def _check_keys(keys: PushKeys | None) -> None:
    try:
        if keys is not None:
            check_keys(keys)
    except Invalid as fault:
        raise invalid_property("keys", fault.detail) from None


def _expires_at(wanted: PushChanging, now: Instant) -> Instant:
    latest = Instant(now + LASTS_MS)
    if wanted.expires_at is None:
        return latest
    if wanted.expires_at <= now:
        raise invalid_property("expires", "it is over already")
    return min(wanted.expires_at, latest)


def _is_shown(wanted: PushChanging, subscription: PushSubscription, *, is_given: bool) -> bool:
    is_verified = subscription.stage is PushStage.VERIFIED
    if not is_given:
        return is_verified
    if wanted.code is None and not is_verified:
        return False
    if wanted.code is None or not hmac.compare_digest(wanted.code.encode(), subscription.code.encode()):
        raise invalid_property("verificationCode", "not the code that was sent to the URL")
    return True


def _differs(name: str, value: object, given: Mapping[str, Any]) -> bool:
    """Whether a property that was sent is another now."""
    return name == "expires" and given[name] != value


METHOD = Method(name="PushSubscription/set", capability=CORE, run=run)
