"""Files and folders that a prompt mentions with ``@``: attached as if the model had read them, where it may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.orchestration.call import CallEnvironment
from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.hiding import hidden_by
from core.prompt.sections import template
from core.protocol.errors import AgentError
from core.protocol.messages import Block, TextBlock, ToolResultBlock, block_from_wire
from core.tools.base import ToolError, ToolResult
from core.tools.builtin.ls.tool import LS, LSInput
from core.tools.builtin.read.tool import Read, ReadInput
from core.tools.context import ToolContext, ToolState

MAX_MENTIONS = 20
MAX_CHARS = 200_000
"""What all mentions of one prompt may bring into the context together."""
MENTION = re.compile(r"""(?:^|(?<=[\s(\[{<,;:='"`]))@(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[^\s"]+))""", re.MULTILINE)
PUNCTUATION = ".,;:!?)]}>'`"


@dataclass(slots=True)
class Attached:
    """What came of the mentions of some prompts."""

    state: ToolState
    contents: list[tuple[Block, ...]]
    """For the model, one for each file or folder: a text, and behind it what a text cannot hold."""
    names: list[str]
    """What was attached, for the user."""
    refused: list[str]
    """What was not, and why."""


async def attach_mentions(prompts: Iterable[str], calls: CallEnvironment, state: ToolState) -> Attached:
    """Read what the prompts mention. What does not exist is no mention; what would need asking is only told."""
    attached = Attached(state, [], [], [])
    paths = await asyncio.to_thread(_existing, tuple(prompts), calls.services.root)
    for path in paths[:MAX_MENTIONS]:
        await _attach(path, calls, attached)
    if len(paths) > MAX_MENTIONS:
        attached.refused.append(f"{len(paths) - MAX_MENTIONS} more mentions are not attached: {MAX_MENTIONS} at once.")
    return attached


async def _attach(path: Path, calls: CallEnvironment, attached: Attached) -> None:
    shown = path.relative_to(calls.services.root) if path.is_relative_to(calls.services.root) else path
    try:
        is_folder, result = await read_unasked(path, calls, attached.state)
    except AgentError as error:
        attached.refused.append(f"@{shown} is not attached: {error}")
        return
    content = _content(path, "LS" if is_folder else "Read", result)
    if _chars((*attached.contents, content)) > MAX_CHARS:
        attached.refused.append(f"@{shown} is not attached: together with the others it is too long.")
        return
    attached.contents.append(content)
    attached.names.append(f"{shown}/" if is_folder else f"{shown} ({result.display.summary})")
    if result.modify is not None:
        attached.state = result.modify(attached.state)


def _content(path: Path, tool: str, result: ToolResult) -> tuple[Block, ...]:
    """What the tool gave, in words that say where it comes from."""
    parts = result.content if not isinstance(result.content, str) else ()
    given = ToolResultBlock(tool_use_id="", content=result.content).shown
    text = TextBlock(text=template("mention").format(path=path, tool=tool, content=given))
    return text, *(block_from_wire(part) for part in parts if part["type"] != "text")


def _chars(contents: Iterable[tuple[Block, ...]]) -> int:
    return sum(len(block.text) for content in contents for block in content if isinstance(block, TextBlock))


async def read_unasked(path: Path, calls: CallEnvironment, state: ToolState) -> tuple[bool, ToolResult]:
    """Whether it is a folder, and what the tool for it gives. Raises ``ToolError``, also where it must be asked."""
    context = ToolContext(
        state=state,
        services=calls.services,
        tool_use_id="",
        report=_unreported,
        publisher=calls.publisher,
        hides=hidden_by(calls.policies.policy),
    )
    if path.is_dir():
        listing = LSInput(path=str(path))
        _check("LS", LS().check_permissions(listing, context), calls, context)
        return True, await LS().run(listing, context)
    reading = ReadInput(file_path=str(path), offset=None, limit=None, pages=None)
    _check("Read", Read().check_permissions(reading, context), calls, context)
    return False, await Read().run(reading, context)


def _check(tool: str, access: Access, calls: CallEnvironment, context: ToolContext) -> None:
    decision = decide(tool, context.judged.take(access), calls.policies.policy)
    if decision.behavior != "allow":
        raise ToolError(f"{decision.reason}.")


def _existing(prompts: Iterable[str], root: Path) -> list[Path]:
    """The paths that are mentioned and exist, each once, in order."""
    found: dict[Path, None] = {}
    for prompt in prompts:
        for raw in _mentioned(prompt):
            # A mention may end a sentence: the punctuation belongs to the name only where such a file exists.
            for name in dict.fromkeys((raw, raw.rstrip(PUNCTUATION))):
                path = _path(name, root)
                if path is not None:
                    found.setdefault(path)
                    break
    return list(found)


def _path(name: str, root: Path) -> Path | None:
    """The absolute path of a name; None where there is nothing."""
    try:
        path = root / Path(name).expanduser()
        return path if name and path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _mentioned(prompt: str) -> Iterator[str]:
    for match in MENTION.finditer(prompt):
        yield match["quoted"] or match["bare"]


def _unreported(_text: str, _total_lines: int) -> None:
    """Reading is over before its progress could be shown."""
