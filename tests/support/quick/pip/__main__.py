"""Answers the official host's `pip list` at once: no package of the tests brings a plugin. Half a second a command."""

import sys

if sys.argv[1:2] == ["list"]:
    print("[]")
else:
    from pip._internal.cli.main import main

    sys.exit(main())
