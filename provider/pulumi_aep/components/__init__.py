"""Whole chains of resources as one."""

from .mixpanel_source import MixpanelSource

__all__ = ["MixpanelSource"]
