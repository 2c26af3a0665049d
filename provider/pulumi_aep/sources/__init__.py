"""What a source holds: previews of its data, mappings checked against it, and its runs explained."""
