"""Whether who asks takes an answer that is compressed. RFC 9110 §8.4.1.3, §12.5.3."""

import re

from starlette.requests import Request

_GZIP = re.compile(
    r"(?:^|,)[ \t]*(?:gzip|x-gzip|\*)[ \t]*(?:;[ \t]*q=(?P<weight>[0-9.]+)[ \t]*)?(?=,|$)", re.IGNORECASE
)


def takes_gzip(request: Request) -> bool:
    # RFC 9110 §12.4.2: a weight of 0 is a refusal.
    found = _GZIP.search(request.headers.get("accept-encoding", ""))
    return found is not None and (found["weight"] is None or found["weight"].strip("0.") != "")
