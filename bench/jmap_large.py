"""JMAP on a mailbox of 100,000 messages; filling it, and the rival's, takes minutes."""

from bench.jmap import measure


def main() -> None:
    measure(100_000)


if __name__ == "__main__":
    main()
