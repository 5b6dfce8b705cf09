"""The conversation as lines: each block is printed when it is final, prose as its lines are complete."""

from __future__ import annotations

from collections.abc import Iterable

from tui.plain.paper import WIDE, Paper
from tui.widgets.transcript.agent_block import AgentBlock
from tui.widgets.transcript.blocks import Block, PromptBlock, TextBlock, ThinkingBlock, WelcomeBlock
from tui.widgets.transcript.compaction_block import UNDO, CompactionBlock
from tui.widgets.transcript.retry_block import RetryBlock
from tui.widgets.transcript.tool_block import ToolBlock

BROKEN_OFF = "(That broke off; it is written anew.)"

TODO_TOOL = "TodoWrite"
"""Its result is the list, which is told where it changes."""


PLAN_TOOL = "ExitPlanMode"
"""The plan was printed when it was put before the user."""


class PlainTranscript:
    """Prints what has come of the blocks at each ``flush``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._blocks: dict[str, Block] = {}
        self._changed: dict[str, Block] = {}
        self._printed: dict[str, int] = {}
        """Characters of prose that were printed, by block."""
        self._called: dict[str, int] = {}
        """The line at which a call was told, by block."""
        self._told: set[str] = set()
        """Calls whose result was printed."""
        self.echoed: list[str] = []
        """Prompts that the terminal shows already, as they were typed."""

    @property
    def blocks(self) -> Iterable[Block]:
        """In order."""
        return self._blocks.values()

    def append(self, block: Block) -> None:
        """Add a block."""
        self._blocks[block.id] = block
        self.changed(block)

    def changed(self, block: Block) -> None:
        """A block has changed."""
        if block.id in self._blocks:
            self._changed[block.id] = block

    def drop(self, block: Block) -> None:
        """A block did not survive; what was printed of it stays, and that is told."""
        self._blocks.pop(block.id, None)
        self._changed.pop(block.id, None)
        if self._printed.pop(block.id, 0):
            self._paper.line(BROKEN_OFF)

    def flush(self) -> None:
        """Print what is certain by now."""
        changed, self._changed = self._changed, {}
        for block in changed.values():
            match block:
                case TextBlock():
                    self._prose(block)
                case AgentBlock():
                    self._agent(block)
                case ToolBlock():
                    self._call(block)
                case PromptBlock():
                    self._prompt(block)
                case ThinkingBlock():
                    if block.is_complete:
                        self._paper.line(f"(Thought, {len(block.source.split())} words)")
                case RetryBlock():
                    self._paper.line(f"! {block.newest}")
                case CompactionBlock():
                    self._compaction(block)
                case WelcomeBlock():
                    pass
                case _:
                    self._paper.lines(block.lines(WIDE))

    def _prose(self, block: TextBlock) -> None:
        """The Markdown itself, not wrapped: easy to listen to and to copy."""
        source, done = block.source, self._printed.get(block.id, 0)
        end = len(source) if block.is_complete else source.rfind("\n") + 1
        fresh = source[done:end].rstrip("\n") if block.is_complete else source[done:end].removesuffix("\n")
        if end > done and (fresh or done):
            self._printed[block.id] = end
            self._paper.line(fresh if done else "\n" + fresh.lstrip("\n"))
        if block.is_complete and block.interrupted:
            self._paper.line("(cut off)")

    def _agent(self, block: AgentBlock) -> None:
        """That it starts, and how it ended, with the first of its last words: what it does between is not printed."""
        if block.info is None and not block.is_complete:
            return  # it has not started: the call waits, or is asked about
        if block.id not in self._called and block.id not in self._told:
            self._paper.line(f"* {block.headline}")
            self._called[block.id] = self._paper.count
        if block.is_complete and block.id not in self._told:
            self._told.add(block.id)
            is_next = self._called.pop(block.id, -1) == self._paper.count
            self._paper.line(f"  {block.remark}" if is_next else f"* {block.headline}: {block.remark}")
            block.has_fold_hint = False
            self._paper.lines(block.lines(WIDE)[1:])

    def _call(self, block: ToolBlock) -> None:
        if block.state == "running" and block.id not in self._called:
            self._paper.line(f"* {block.headline}")
            self._called[block.id] = self._paper.count
        if not block.is_complete or block.id in self._told:
            return
        self._told.add(block.id)
        if block.name == TODO_TOOL and block.state == "done":
            return
        has_plan = block.name == PLAN_TOOL and block.state == "done"
        # Between call and result others may have spoken: then the result names its call.
        is_next = self._called.pop(block.id, -1) == self._paper.count
        how = "failed" if block.state == "failed" else "done"
        told = " · ".join(part for part in (how, block.remark) if part)
        self._paper.line(f"  {told}" if is_next else f"* {block.headline}: {told}")
        block.has_fold_hint = False
        self._paper.lines([] if has_plan else block.lines(WIDE)[1:])

    def _compaction(self, block: CompactionBlock) -> None:
        """In full: it is what the model reads from now on, and lines cannot be unfolded."""
        if not block.is_undone:
            details = f" · {block.details}" if block.details else "…"
            self._paper.line(f"\n{block.headline}{details}" if block.is_complete else block.headline + details)
        if block.is_complete and not block.is_undone:
            self._paper.line(block.source.strip("\n"), "  ")
        if block.is_complete and block.can_undo:
            self._paper.line(f"  ({UNDO})")

    def _prompt(self, block: PromptBlock) -> None:
        if block.source in self.echoed:
            self.echoed.remove(block.source)
        else:
            self._paper.line("\n" + "\n".join(f"> {row}" for row in block.source.split("\n")))
