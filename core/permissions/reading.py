"""What is refused to an agent that may only read, and in which words."""

from __future__ import annotations

from core.permissions.access import Access, ShellAccess
from core.permissions.decision import Decision
from core.permissions.shell_decision import as_written
from core.protocol.views import CallPart

SHOWN_CHARS = 200
"""Of the part of a shell line that is named."""
WAY_OUT = "put into your report what should be done"


def refuse_to_reader(tool: str, access: Access, name: str) -> Decision | None:
    """The refusal of a call that may do more than read; None for one that does not. ``name`` is who only reads.

    Looks at what the call does, never at what allows it. Where it reads is no matter here: that is decided as usual.
    """
    if access.is_read_only and not access.writes and (access.shell is None or access.shell.judged.is_read_only):
        return None
    parts = _parts(access.shell) if access.shell else ()
    reason = f"{name} may only read, and {_beyond(tool, access, parts)}; {WAY_OUT}"
    return Decision(behavior="deny", reason=reason, parts=parts)


def _parts(shell: ShellAccess) -> tuple[CallPart, ...]:
    """What a line consists of, with what each part is for a reader."""
    return tuple(
        CallPart(text=as_written(part), behavior="allow" if verdict.is_read_only else "deny", reason=verdict.reason)
        for part, verdict in (*shell.judged.commands, *shell.judged.redirects)
    )


def _beyond(tool: str, access: Access, parts: tuple[CallPart, ...]) -> str:
    """What the call does beyond reading, as far as that is known."""
    if access.shell is None:
        return f"this writes {access.writes[0]}" if access.writes else f"{tool} is not known to do only that"
    if access.fields.get("dangerouslyDisableSandbox"):
        return "its commands never run outside the sandbox: leave out dangerouslyDisableSandbox"
    if access.fields.get("run_in_background") and access.shell.judged.is_read_only:
        return "starts nothing in the background: leave out run_in_background"
    refused = next((part for part in parts if part.behavior == "deny"), None)
    if refused is not None:
        return f"`{_short(refused.text)}` is more than that ({refused.reason})"
    return f"this line may be more than that ({'; '.join(access.shell.judged.doubts) or 'it cannot be judged'})"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
