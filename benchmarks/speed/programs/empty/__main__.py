"""Nothing at all: what the engine and Python themselves need to start."""
