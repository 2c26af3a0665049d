"""Adobe Experience Platform dataflows as Pulumi resources. `__init__.pyi` lists the public names.

A name is imported when it is first used: the emulator and the client, parts of this package, start without Pulumi.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
