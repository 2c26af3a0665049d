"""pip, but for its quick list: what is not here comes from the real one, further down the path."""

from importlib.metadata import version
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
__version__ = version("pip")
