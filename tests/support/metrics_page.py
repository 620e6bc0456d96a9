"""docs/metrics.md, made from the lists of metrics: `make docs` writes it, a test holds it to the lists."""

from collections.abc import Iterable

from mailstack.app.metrics import readings
from mailstack.model import metrics
from mailstack.model.metric import Metric
from tests.support.protocol_table import ROOT

PAGE = ROOT / "docs" / "metrics.md"
INTRODUCTION = """# Metrics

Made from the lists in `src/mailstack/model/metrics.py` and `src/mailstack/app/metrics/readings.py` by `make docs`.

```yaml
server:
  listeners: {metrics: ["127.0.0.1:9090"]}      # off by default
```

`/metrics` on that address has the figures of all processes of the node, in Prometheus' text format, or as OpenMetrics
for who accepts it; the [probes](operations.md#the-web-side) are there too, and nothing else. There is no TLS and no
password: an address that everybody reaches is a fault of the spec, and where `:9090` listens everywhere, whoever asks
from the open Internet gets 403. The figures name certificates and DKIM keys of the spec, but nobody's address, and
nothing that strangers choose: a label has one of the values listed here, or `other`.

```yaml
# prometheus.yml
scrape_configs:
  - job_name: mailstack
    static_configs: [{targets: ["127.0.0.1:9090"]}]
rule_files: [alerts.yaml]                       # docs/examples/alerts.yaml
```

Each node answers for itself; where several share a database, the queue, bans and resources are those of all, so that
`max` is right for them and `sum` is not. Counters begin at zero when the server starts; a reload changes none of them,
and nor does a worker that dies: whoever takes its place counts on. What is counted does not depend on the log's level.
A histogram is there once it has been given something. The queue, the state and the disk are asked every 5 s at most,
and waited for 2 s: a database that hangs leaves its figures out and sets `mailstack_scrape_error`.

[examples/alerts.yaml](examples/alerts.yaml) has rules to begin with.

"""
HEAD = "| name | type | labels | what |\n|---|---|---|---|\n"
FEW = 12
"""Values of a label that a table has room for."""


def metrics_page() -> str:
    counted = "## What is counted as it happens\n\n" + HEAD + _rows(metrics.ALL)
    looked_up = "\n## What is looked up when somebody asks\n\n" + HEAD + _rows(readings.ALL)
    return INTRODUCTION + counted + looked_up


def _rows(every: Iterable[Metric]) -> str:
    return "".join(f"| `{each.full_name}` | {each.kind.value} | {_labels(each)} | {each.help} |\n" for each in every)


def _labels(metric: Metric) -> str:
    return "; ".join(f"`{name}`{_values(values)}" for name, values in metric.labels.items())


def _values(values: tuple[str, ...]) -> str:
    if not values:
        return ""
    more = f" and {len(values) - FEW} more" if len(values) > FEW else ""
    return f": {', '.join(values[:FEW])}{more}"


if __name__ == "__main__":
    PAGE.write_text(metrics_page(), encoding="utf-8")
