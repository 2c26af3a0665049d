"""The entry point of `pulumi-aep`. Loading the commands takes half a second, and Ctrl-C may come in it."""

import sys


def main() -> None:
    """Runs the command line."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
