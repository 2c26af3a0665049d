"""A report on the dataflows of a stack or a sandbox: what is read, what it means, and a page that shows it."""

from .data import Drift, FlowReport, Problem, Report, State, collect

__all__ = ["Drift", "FlowReport", "Problem", "Report", "State", "collect"]
