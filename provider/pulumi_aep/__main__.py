"""The entry point of `pulumi-aep`. Loading the commands takes half a second, and Ctrl-C may come in it."""

import os
import sys

CTRL_C = 130


def main() -> None:
    """Runs the command line."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        sys.exit(CTRL_C)
    try:
        run()
    except SystemExit as end:
        if end.code == CTRL_C:  # leaves at once: Python waits for its threads, and for ever if one was just starting
            sys.stdout.flush()
            os._exit(CTRL_C)
        raise


if __name__ == "__main__":
    main()
