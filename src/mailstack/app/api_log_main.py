"""`python -m mailstack.app.api_log_main FD`: one question to the log, whose line to the worker is descriptor FD."""

import socket
import sys

# First, for it keeps structlog from loading what no process of the server needs.
import mailstack.app.log  # noqa: F401

if __name__ == "__main__":
    from mailstack.app.api_log import obey

    obey(socket.socket(fileno=int(sys.argv[1])))
