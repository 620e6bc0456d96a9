"""What one value of a spec says about another. Works on raw values, so that it finds its faults beside the models'."""

from mailstack.spec.check_addresses import check_addresses
from mailstack.spec.check_asked import check_asked
from mailstack.spec.check_dkim import check_dkim
from mailstack.spec.check_least_tls import check_least_tls
from mailstack.spec.check_moved import check_moved
from mailstack.spec.check_sources import check_sources
from mailstack.spec.check_spam import check_spam
from mailstack.spec.check_storage import check_storage
from mailstack.spec.check_tests import check_tests
from mailstack.spec.check_wiring import check_wiring
from mailstack.spec.document import Document
from mailstack.spec.faults import Fault
from mailstack.spec.outline import outline


def check(document: Document) -> list[Fault]:
    spec = outline(document.values)
    return [
        *check_addresses(document, spec),
        *check_moved(document, spec),
        *check_storage(document),
        *check_wiring(document, spec),
        *check_least_tls(document),
        *check_sources(document, spec),
        *check_dkim(document),
        *check_spam(document),
        *check_asked(document),
        *check_tests(document, spec),
    ]
