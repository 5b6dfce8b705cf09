"""ExitPlanMode: puts the plan before the user, who approves it, edits it, or sends it back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from core.host.exact import ANYTHING
from core.host.files import TextFile
from core.permissions.access import Access
from core.permissions.paths import resolve
from core.protocol.ops import AnswerPlan
from core.protocol.views import PermissionMode, ToolDisplay
from core.tools.base import DeclinedError, Tool, ToolError, ToolInput, ToolResult
from core.tools.context import FileStamp, ToolContext, ToolState
from core.tools.text_files import Place, load, save

MODES: dict[str, tuple[PermissionMode, str, str]] = {
    "accept_edits": ("acceptEdits", "Edits in the working folder are accepted.", "approved, edits accepted"),
    "ask_edits": ("default", "They are asked about each edit.", "approved"),
}
"""By answer: the mode that follows, how the model is told of it, and the window."""


class ExitPlanModeInput(ToolInput):
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """The plan file as it is now. The file is the plan: what the user changes in it is what they approve."""

    text: str
    stamp: FileStamp


class ExitPlanMode(Tool[ExitPlanModeInput]):
    """A message that the user sends instead of an answer withdraws the question; it is then their comment."""

    name = "ExitPlanMode"
    input_type = ExitPlanModeInput
    interrupt_behavior = "cancel"
    always_load = True
    max_result_size_chars = None

    def touches(self, arguments: ExitPlanModeInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="it asks for approval itself")

    async def run(self, arguments: ExitPlanModeInput, context: ToolContext) -> ToolResult:
        path = context.services.plan_file
        if context.mode != "plan":
            raise ToolError("Plan mode is not on: there is nothing to approve.", "Go on with the work.")
        if context.asker is None:
            raise ToolError("Nobody can approve a plan in this run.", "End the turn with the plan as your answer.")
        given = (arguments.plan or "").strip()
        if given:
            await asyncio.to_thread(_write, path, f"{given}\n")
        proposed = await asyncio.to_thread(_read, path)
        if not proposed.text.strip():
            raise ToolError("There is no plan yet.", f"Write it to {path} or give it as `plan`, then call again.")
        reply = await context.asker.propose(proposed.text, str(path))
        plan = await asyncio.to_thread(_read, path)
        known = proposed.stamp if given else context.state.seen.get(resolve(path))
        return _result(reply, plan, path, is_known=plan.stamp == known)


def _result(reply: AnswerPlan, plan: _Plan, path: Path, *, is_known: bool) -> ToolResult:
    """What the answer means. A plan that the model does not know as it is goes along."""
    if reply.answer == "keep_planning" and not reply.comment:
        raise DeclinedError("The user did not approve the plan; plan mode stays on.", ends_turn=True)
    mode = None
    if reply.answer == "keep_planning":
        parts, summary = [f"Not approved: plan mode stays on. The user says: {reply.comment}"], "sent back"
    else:
        mode, told, summary = MODES[reply.answer]
        parts = [f"The user approved the plan in {path}. Plan mode is off, begin. {told}"]
        if reply.comment:
            parts.append(f"They add: {reply.comment}")
    if not is_known:
        parts.append(f"The plan was edited. As it is now:\n\n{plan.text}")
    target, stamp = resolve(path), plan.stamp
    return ToolResult(
        content="\n\n".join(parts),
        mode=mode,
        modify=lambda state: state.with_seen(target, stamp),
        display=ToolDisplay(
            summary=f"{summary}, as you edited it" if not is_known else summary,
            details={"plan": plan.text, "comment": reply.comment},
        ),
    )


def _read(path: Path) -> _Plan:
    """Raises ``ToolError`` for what cannot be read; a missing file is an empty plan."""
    if not path.exists():
        return _Plan("", FileStamp(""))
    file = load(Place(path, resolve(path)))
    return _Plan(file.text, FileStamp(file.digest))


def _write(path: Path, plan: str) -> None:
    """Make this the plan. Raises ``ToolError``."""
    if path.is_symlink():
        raise ToolError(f"{path} is a link and is not written.", "Tell the user; they can remove it.")
    save(Place(path, resolve(path)), None, TextFile(plan, stamp=ANYTHING), "")
