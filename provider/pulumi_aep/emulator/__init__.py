"""The Experience Platform services on one local port, over SQLite: strict where the sources speak.

    from pulumi_aep.emulator import create_app, serve
    serve("127.0.0.1", 8700, "emulator.db")

It imports neither pulumi nor this package's client, so that both can be judged against it.
"""

from .app import create_app, serve

__all__ = ["create_app", "serve"]
