"""Times, token counts and sums of money as short texts."""

from __future__ import annotations


def duration(milliseconds: int) -> str:
    """``0.4s``, ``12s``, ``2m 05s``; empty under a tenth of a second."""
    seconds = milliseconds / 1000
    if seconds < 0.1:
        return ""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    return f"{int(seconds) // 60}m {int(seconds) % 60:02d}s"


def elapsed(seconds: float) -> str:
    """``45s``, ``1m 05s``, ``1h 02m``: time that is still running, so no tenths."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3_600}h {whole % 3_600 // 60:02d}m"


def tokens(count: int) -> str:
    """``950``, ``3.4k``, ``1.2M``."""
    if count < 1_000:
        return str(count)
    if count < 1_000_000:
        return f"{count / 1_000:.1f}k" if count < 100_000 else f"{count / 1_000:.0f}k"
    return f"{count / 1_000_000:.1f}M".replace(".0M", "M")


def dollars(cost: float | None) -> str:
    """``$0.12``; small sums with three digits; nothing where the price is unknown."""
    if cost is None:
        return ""
    return f"${cost:.2f}" if cost >= 0.1 or cost == 0 else f"${cost:.3f}"
