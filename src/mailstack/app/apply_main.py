"""`python -m mailstack.app.apply_main FD`: the applier process, whose line to the supervisor is file descriptor FD."""

import socket
import sys

# First, for it keeps structlog from loading what no process of the server needs.
import mailstack.app.log  # noqa: F401

if __name__ == "__main__":
    from mailstack.app.applier import obey

    obey(socket.socket(fileno=int(sys.argv[1])))
