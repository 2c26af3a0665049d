"""An empty program: measures the start of the engine and of Python."""
