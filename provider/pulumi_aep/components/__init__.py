"""Whole chains of resources as one."""
