"""What `mailstack warmup` says: the values that JSON shows, and lines for people."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import Facts, told

if TYPE_CHECKING:
    from mailstack.model.instant import Instant
    from mailstack.model.resource import RouteBody
    from mailstack.model.warm_up import WarmDay, WarmUp

ANY_OTHER = "any other"
BAR = "▁▂▃▄▅▆▇█"


def warm_up_facts(route: "RouteBody", warm_up: "WarmUp", days: Sequence["WarmDay"], *, now: "Instant") -> Facts:
    """days: of all providers."""
    by_provider: dict[str, list[WarmDay]] = {}
    for day in days:
        if day.day >= warm_up.start:
            by_provider.setdefault(day.provider, []).append(day)
    return {
        "from": route.from_ or "*",
        "to": route.to,
        "mx": route.mx or "*",
        "meanwhile": None if route.warmup is None else route.warmup.meanwhile,
        "start": _date(warm_up.start),
        "days": warm_up.days,
        "any_other": stage_facts(warm_up, (), now=now),
        "providers": [
            {"provider": provider, **stage_facts(warm_up, found, now=now)} for provider, found in by_provider.items()
        ],
    }


def stage_facts(warm_up: "WarmUp", days: Sequence["WarmDay"], *, now: "Instant") -> Facts:
    """days: of one provider. all_on: if no bad day follows."""
    from mailstack.model.instant import DAY_MS, Instant
    from mailstack.model.warm_up import day_of, stage_of

    stage = stage_of(warm_up, days, now=now)
    left = warm_up.days - (stage.step or 0)
    begins = max(warm_up.start, day_of(now))
    return {
        "share": round(stage.share, 4),
        "most_today": stage.most,
        "sent_today": stage.done,
        "bad_days": stage.bad_days,
        "all_on": _date(Instant(begins + max(0, left) * DAY_MS)),
        "days": [
            {
                "day": _date(day.day),
                "share": round(stage_of(warm_up, days[: at + 1], now=day.day).share, 4),
                "taken": day.taken,
                "troubles": day.troubles,
                "is_bad": day.is_bad,
            }
            for at, day in enumerate(days)
        ],
    }


def warm_up_lines(facts: Facts) -> Iterator[str]:
    what = ", ".join(f"{key} {told(key, facts[key])}" for key in ("from", "to", "mx") if facts[key] != "*")
    yield click.style(f"Mail {what or 'to all'}: direct from {facts['start']} on, over {facts['days']} days", bold=True)
    yield f"  the rest goes by {told('relay', facts['meanwhile'])}"
    for provider in facts["providers"]:
        yield f"  {told('provider', provider['provider'])}: {stage_text(provider)}"
        shares = "".join(BAR[min(int(day["share"] * len(BAR)), len(BAR) - 1)] for day in provider["days"])
        troubles = sum(day["troubles"] for day in provider["days"])
        yield f"    {shares} took {sum(day['taken'] for day in provider['days'])}, {troubles} put off or refused"
    yield f"  {ANY_OTHER}: {stage_text(facts['any_other'])}"


def stage_text(stage: Facts) -> str:
    """stage: as of stage_facts."""
    if not stage["share"]:
        return f"nothing yet; all on {stage['all_on']}"
    if stage["share"] >= 1:
        return "all of it"
    most = "" if stage["most_today"] is None else f", {stage['sent_today']} of at most {stage['most_today']} today"
    bad = f"; bad days: {stage['bad_days']}" if stage["bad_days"] else ""
    return f"{stage['share']:.1%}{most}; all on {stage['all_on']}{bad}"


def _date(moment: "Instant") -> str:
    from mailstack.model.instant import as_datetime

    return as_datetime(moment).strftime("%Y-%m-%d")
