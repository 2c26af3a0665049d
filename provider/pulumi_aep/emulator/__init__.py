"""The services of Experience Platform on one local port, over SQLite. Strict wherever Adobe documents a rule.

    from pulumi_aep.emulator import create_app, serve
    serve("127.0.0.1", 8700, "emulator.db")

It imports neither Pulumi nor this package's client, so that both can be tested against it. `core` knows no service.
"""

from .app import create_app, serve

__all__ = ["create_app", "serve"]
