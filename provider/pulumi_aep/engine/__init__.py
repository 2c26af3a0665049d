"""Pulumi's side: check, diff, create, read, update and delete for every kind, and how the engine is served."""
