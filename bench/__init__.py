"""Speed as ratios: `make bench` prints a table, docs/performance.md keeps the figures."""
