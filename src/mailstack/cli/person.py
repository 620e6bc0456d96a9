"""Who types a command, for what is written down of it."""

import getpass
import os


def name_of_person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
