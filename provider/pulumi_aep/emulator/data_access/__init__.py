"""Data Access: the diagnostics of batches that lost records."""
