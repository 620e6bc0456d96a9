"""`python -m mailstack`, for where the script is not on the path."""

from mailstack.cli.main import main

main()
