"""Short texts for times, shares and values, for the terminal and the page."""

import json
from datetime import datetime, timedelta
from typing import Any

LONGEST_VALUE = 200


def span(time: timedelta | None) -> str:
    """ "12 min", "3 h", "5 days" """
    if time is None:
        return ""
    seconds = time.total_seconds()
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def ago(time: timedelta | None) -> str:
    """ "never", "just now", "3 h ago" """
    if time is None:
        return "never"
    return "just now" if time < timedelta(minutes=1) else f"{span(time)} ago"


def moment(time: datetime | None) -> str:
    """ "2026-11-23 21:33", in UTC."""
    return f"{time:%Y-%m-%d %H:%M}" if time else ""


def share(part: int, whole: int) -> str:
    """ "0.3 %", with two significant digits at most."""
    percent = part / whole * 100 if whole else 0
    return f"{percent:.0f} %" if percent >= 10 or not percent else f"{percent:.2g} %"


def value(of: Any, longest: int = LONGEST_VALUE) -> str:
    """Any value on one line, shortened; empty for None."""
    text = "" if of is None else of if isinstance(of, str) else json.dumps(of, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
