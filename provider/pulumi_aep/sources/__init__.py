"""Sources: previews of their data, checks of mappings against it, and their flow runs in plain terms."""
