"""The command line: one file a command, each with `command: click.Command`; imported only when it is called."""
