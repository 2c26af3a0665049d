"""The report on the dataflows of a stack or sandbox: its data, its charts, and the page that shows it."""

from .data import Drift, FlowReport, Problem, Report, State, collect

__all__ = ["Drift", "FlowReport", "Problem", "Report", "State", "collect"]
