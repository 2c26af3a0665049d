"""Time zone names: the service wants Windows names ("Pacific Standard Time"; tutorial), people write IANA names."""

from difflib import get_close_matches


def windows_name(text: str) -> str:
    """The Windows name for a Windows or IANA name. Raises ValueError that suggests a similar one."""
    from tzlocal.windows_tz import tz_win, win_tz

    if text in win_tz:
        return text
    if text in tz_win:
        return str(tz_win[text])
    similar = get_close_matches(text, [*win_tz, *tz_win], n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else ""
    raise ValueError(
        f"must be a Windows time zone name like 'Pacific Standard Time' or an IANA name like 'America/Los_Angeles'; "
        f"got {text!r}{hint}"
    )
