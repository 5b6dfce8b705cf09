"""Bash: one shell command, watched while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from core.host.git_hazards import repository_hazards
from core.permissions.access import Access
from core.permissions.paths import is_inside, resolve
from core.permissions.shell_access import shell_access
from core.protocol.views import ToolDisplay
from core.tools.base import CallInterrupted, Tool, ToolError, ToolInput, ToolResult
from core.tools.confining import SandboxRules, explain_refusal, tell_put_aside
from core.tools.context import ToolContext, ToolState
from core.tools.shells import Shell
from core.tools.spool import INLINE_CHARS

DEFAULT_TIMEOUT_MS = 120_000
MAX_TIMEOUT_MS = 600_000
NOTE_CHARS = 5_000
"""Room for what is said beside the output, which is bounded by itself."""
LIVE_LINES = 12
"""Lines of the output that are shown while it runs."""

QUIET_EXITS = {1: ("grep", "rg", "find", "diff", "test", "[")}
"""Commands for which this exit code is an answer, not a failure: alone, or as the last of a pipe."""

MOVES = frozenset(("cd", "pushd", "popd"))

QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", re.DOTALL)
REDIRECTION = re.compile(r"\d?[<>]&\d|&>")
LISTS = re.compile(r"\|\||[;&\n]")
"""Where there are several commands the exit code may be of any of them."""


class BashInput(ToolInput):
    command: str = Field(min_length=1)
    description: str = Field("", description="What it does, in 5-10 words")
    timeout: int = Field(DEFAULT_TIMEOUT_MS, ge=1, le=MAX_TIMEOUT_MS, description="Milliseconds")
    run_in_background: bool = False
    wants_out: SkipJsonSchema[bool] = Field(default=False, alias="dangerouslyDisableSandbox")
    """Told of only where something is confined: in the note on a command that was stopped by that."""


class ConfinedBashInput(BashInput):
    wants_out: bool = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default=False, alias="dangerouslyDisableSandbox", description="Run unconfined; the user is always asked"
    )


class Bash(Tool[BashInput]):
    """Runs a command in a shell of its own; only the working directory carries over to the next."""

    name = "Bash"
    input_type = BashInput
    max_result_size_chars = INLINE_CHARS + NOTE_CHARS

    def __init__(self, sandbox: SandboxRules | None = None) -> None:
        self._sandbox = sandbox or SandboxRules()
        self.input_type = ConfinedBashInput if self._sandbox.is_enabled else BashInput

    @cached_property
    def description(self) -> str:
        text = super().description
        if self._sandbox.is_enabled:
            text += "\n" + Path(__file__).with_name("confined.md").read_text("utf-8").strip()
            text += "" if self._sandbox.network else " They reach no network."
        return text

    def is_read_only(self, arguments: BashInput, state: ToolState) -> bool:
        return self.touches(arguments, state).is_read_only

    def is_concurrency_safe(self, arguments: BashInput, state: ToolState) -> bool:
        shell = shell_access(arguments.command, state.cwd)
        # What a command does to the working directory counts from the next call on.
        stays = all(command.name not in MOVES for command in shell.script.all_commands())
        return stays and self.is_read_only(arguments, state)

    def touches(self, arguments: BashInput, state: ToolState) -> Access:
        shell = shell_access(arguments.command, state.cwd)
        if shell.script.refusal:
            return Access(shell=shell, verdict="deny", reason=shell.script.refusal)
        stays = not (arguments.run_in_background or arguments.wants_out)
        return Access(shell=shell, is_read_only=stays and shell.judged.is_read_only)

    def check_permissions(self, arguments: BashInput, context: ToolContext) -> Access:
        access = self.touches(arguments, context.state)
        sandbox = context.services.host.sandbox
        if access.verdict != "pass" or access.shell is None:
            return access
        if sandbox.kind is None:
            # Nothing but git's own obedience stands between a planted configuration and what it names.
            hazards = repository_hazards(context.state.cwd) if access.shell.judged.uses_git else ()
            return access.doubted(hazards) if hazards else access
        if context.mode in ("plan", "bypassPermissions"):
            return access
        verdict, reason = self._sandbox.opinion(wants_out=arguments.wants_out)
        if verdict != "pass":
            return replace(access, verdict=verdict, reason=reason)
        return replace(access, is_held=self._sandbox.holds(arguments.command, sandbox))

    async def run(self, arguments: BashInput, context: ToolContext) -> ToolResult:
        services = context.services
        cwd = context.state.cwd if context.state.cwd.is_dir() else services.root
        folders = (services.root, *context.folders)
        is_held = context.is_unasked or context.only_reads
        try:
            shell = await services.shells.start(
                arguments.command,
                cwd=cwd,
                description=arguments.description,
                owner=context.publisher.agent_id,
                in_background=arguments.run_in_background,
                on_output=lambda spool: context.report(spool.last_lines(LIVE_LINES), spool.total_lines),
                confinement=self._sandbox.choose(
                    arguments.command, folders, is_unasked=is_held, wants_out=arguments.wants_out
                ),
                unasked_in=folders if is_held else None,
            )
        except OSError as error:
            raise ToolError(f"The command could not be started: {error}.") from error
        if arguments.run_in_background:
            return _in_background(shell, "runs in the background")
        try:
            finished = await _wait(shell, arguments.timeout / 1000)
        except asyncio.CancelledError as interrupt:
            await asyncio.shield(services.shells.drop(shell))
            raise CallInterrupted(shell.spool.text().rstrip()) from interrupt
        if finished and not shell.in_background:
            return _finished(shell, cwd, arguments, context, self._sandbox)
        if shell.in_background:
            return _in_background(shell, "was moved to the background by the user and goes on")
        await services.shells.drop(shell)
        note = f"[Killed: it did not end within {arguments.timeout / 1000:g} s.]"
        return ToolResult(
            content=f"{shell.spool.text().rstrip()}\n{note}".lstrip("\n"),
            is_error=True,
            display=ToolDisplay(summary=f"killed after {arguments.timeout / 1000:g} s", saved_to=shell.spool.saved_to),
        )


async def _wait(shell: Shell, seconds: float) -> bool:
    """Whether the command ended in time; also returns when it was moved to the background."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await shell.released.wait()
    return shell.done.is_set()


def _in_background(shell: Shell, how: str) -> ToolResult:
    return ToolResult(
        content=f"The command {how} as {shell.id}. You will be told when it ends. "
        "Read its output with BashOutput, end it with KillShell.",
        display=ToolDisplay(summary=f"background {shell.id}", details={"shell_id": shell.id}),
    )


def _finished(
    shell: Shell, started_in: Path, arguments: BashInput, context: ToolContext, rules: SandboxRules
) -> ToolResult:
    text = shell.spool.text().rstrip()
    code = shell.exit_code or 0
    notes: list[str] = []
    if code < 0:
        notes.append(f"[Ended by signal {-code}.]")
    elif code:
        notes.append(f"[Exit code {code}.]")
    cwd = shell.final_cwd() or started_in
    modify = None
    if cwd != resolve(context.state.cwd) or started_in != context.state.cwd:
        if is_inside(cwd, (context.services.root,)):
            notes.append(f"[The working directory is now {cwd}.]")
        else:
            notes.append(f"[The working directory was set back to {context.services.root}: {cwd} is outside it.]")
            cwd = context.services.root
        modify = partial(ToolState.with_cwd, cwd=cwd)
    shells = context.services.shells
    kind = context.services.host.sandbox.kind
    confined = explain_refusal(shell, kind, rules, only_reads=context.only_reads)
    notes += [note for note in (confined, tell_put_aside(shell, shells.aside(shell))) if note]
    lines = shell.spool.total_lines
    shells.forget(shell)
    is_error = code != 0 and not _is_quiet(code, arguments.command)
    summary = f"exit {code}" if code else f"{lines} line{'' if lines == 1 else 's'}" if text else "no output"
    return ToolResult(
        content="\n".join([text, *notes]).strip("\n") or "[No output.]",
        is_error=is_error,
        display=ToolDisplay(summary=summary, details={"exit_code": code}, saved_to=shell.spool.saved_to),
        modify=modify,
    )


def _is_quiet(code: int, command: str) -> bool:
    bare = REDIRECTION.sub("", QUOTED.sub("_", command.strip()))
    if LISTS.search(bare):
        return False
    words = bare.rpartition("|")[2].split()
    return bool(words) and words[0] in QUIET_EXITS.get(code, ())
