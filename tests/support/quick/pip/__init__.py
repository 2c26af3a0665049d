"""pip, but for its quick list: what is not here comes from the real one, further down the path."""

from pathlib import Path
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
exec(Path(__path__[1], "__init__.py").read_text(encoding="utf-8"))
