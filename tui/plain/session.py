"""A session without a screen: lines in, lines out, on the presenter that the window uses."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Collection, Coroutine, Mapping
from functools import partial
from typing import Any

from core.protocol.envelope import Envelope
from core.protocol.events import ModelChangeQuoted, PermissionExplained
from core.protocol.inquiries import Asked, PlanRequest, QuestionRequest
from core.protocol.ops import ExplainPermission, Interrupt, Op, ReportContext, ReportCosts, SubmitPrompt
from tui.bridge import Bridge, log_fault
from tui.dialogs.quote import quote_words
from tui.plain.commands import run_line
from tui.plain.consents import ConsentInquiry
from tui.plain.inquiries import Decided, FormInquiry, Inquiry, PlanInquiry
from tui.plain.keyboard import Keyboard
from tui.plain.opening import PlainOpening
from tui.plain.panels import PlainComposer, PlainFooter, PlainHeader, PlainQueue, PlainStatus, PlainTodos
from tui.plain.paper import Paper
from tui.plain.reports import PlainReports
from tui.plain.transcript import PlainTranscript
from tui.presenter.presenter import Presenter
from tui.presenter.surfaces import Asker, State, Surfaces
from tui.rendering.call_remarks import handed_off

TWICE_S = 1.5
"""How soon a second Ctrl+C must follow to leave."""
EXIT_PIPE = 128 + signal.SIGPIPE


def run_plain(flags: Mapping[str, Any], selection: Mapping[str, Any], first_prompt: str) -> int:
    """Run a session to its end; the exit code. Raises ``AgentError`` where it cannot start."""
    sys.stdout.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    code = asyncio.run(_main(Bridge.open(flags, selection), first_prompt))
    if code:
        # Python would try once more to write what is left, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


async def _main(bridge: Bridge, first_prompt: str) -> int:
    return await PlainSession(bridge, Paper(sys.stdout), Keyboard()).run(first_prompt)


class PlainSession:
    """Reads lines and says what they mean: a prompt, or the answer to the question that is open."""

    def __init__(self, bridge: Bridge, paper: Paper, keyboard: Keyboard) -> None:
        self._bridge = bridge
        self._paper = paper
        self._keyboard = keyboard
        self._transcript = PlainTranscript(paper)
        self._presenter = self._present()
        self._questions: list[Inquiry] = []
        self._is_busy = False
        self._free = asyncio.Event()
        """Set while a line is waited for: nothing runs, or something is asked."""
        self._free.set()
        self._code = 0
        self._leave_by = 0.0
        self._has_ended = False
        """Whether there will be no further line: then nobody can answer."""
        self._showing: asyncio.Task[None] | None = None
        self._going: asyncio.Task[None] | None = None
        """Goes over to another session."""
        self._work: asyncio.Task[None] | None = None

    async def run(self, first_prompt: str) -> int:
        """From the questions of the start to the end of input; nothing runs afterwards. Raises ``AgentError``."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, partial(self._stop, 128 + number))
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        self._keyboard.start()
        self._work = asyncio.create_task(self._session(first_prompt), name="plain")
        try:
            await self._work
        except asyncio.CancelledError:
            pass
        except OSError:
            self._code = self._code or EXIT_PIPE
        finally:
            await self._bridge.close()
        return self._code

    async def _session(self, first_prompt: str) -> None:
        if not await PlainOpening(self._bridge, self._paper, self._keyboard).ask():
            return
        await self._bridge.run()
        self._showing = _soon(self._show(self._presenter))
        try:
            if first_prompt:
                await self._submit(first_prompt, is_echoed=False)
            await self._converse()
            if not self._keyboard.is_terminal:
                # What was told last is printed too.
                await self._bridge.close()
                await self._showing
        finally:
            self._showing.cancel()

    def _present(self) -> Presenter:
        paper = self._paper
        self._transcript = PlainTranscript(paper)
        presenter = Presenter(
            Surfaces(
                header=PlainHeader(paper),
                transcript=self._transcript,
                todos=PlainTodos(paper),
                status=PlainStatus(),
                queue=PlainQueue(paper),
                composer=PlainComposer(),
                footer=PlainFooter(paper),
                ask=self._ask,
                withdraw=lambda request_id: self._withdraw((request_id,)),
                explain=self._explain,
                look_at=lambda _block: None,
                signal=self._signal,
                quote=self._quote,
                go_over=self._go_over,
                recall=lambda _agent_id: None,
            )
        )
        self._reports = PlainReports(presenter.reports, paper, time.time, presenter.sidechains.label)
        return presenter

    # Out

    async def _show(self, presenter: Presenter) -> None:
        async for batch in self._bridge.batches():
            if presenter is not self._presenter:
                return
            try:
                self._show_batch(presenter, batch)
            except OSError:
                self._stop(EXIT_PIPE)
                return

    def _show_batch(self, presenter: Presenter, batch: list[Envelope]) -> None:
        for envelope in batch:
            try:
                presenter.show(envelope)
                # Lines cannot be put in between later: each event is printed before the next.
                presenter.flush()
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001  the wall: one event that cannot be shown costs only itself
                log_fault(error)
                self._paper.line(f"Unexpected error: {error!r}; details are in the log.")
        self._mark()

    def _mark(self) -> None:
        if self._free.is_set() and self._keyboard.is_terminal:
            self._paper.mark()

    def _signal(self, state: State) -> None:
        self._is_busy = state != "done"
        self._set_free()

    def _set_free(self) -> None:
        if self._is_busy and not self._questions:
            self._free.clear()
        else:
            self._free.set()

    def _ask(self, request: Asked, cwd: str, asker: Asker | None) -> None:
        self._questions.append(_inquiry_for(request, cwd, asker))
        if len(self._questions) == 1:
            self._show_question()
        self._set_free()
        if self._has_ended:
            _soon(self._deny())

    def _withdraw(self, request_ids: Collection[str]) -> None:
        was = self._questions[0].id if self._questions else ""
        self._questions = [question for question in self._questions if question.id not in request_ids]
        if self._questions and self._questions[0].id != was:
            self._show_question()
        self._set_free()

    def _explain(self, event: PermissionExplained) -> None:
        for question in self._questions[:1]:
            if isinstance(question, ConsentInquiry) and question.id == event.request_id:
                question.explain(event, self._paper)

    def _quote(self, quoted: ModelChangeQuoted) -> None:
        self._paper.line(f"{quote_words(quoted)} /model {quoted.model} once more does it.")

    def _go_over(self, session_id: str) -> None:
        if self._has_ended:
            self._paper.line(f"The new session waits: agent-tui --resume {session_id}")
        else:
            self._going = _soon(self._take_up(session_id))

    async def _take_up(self, session_id: str) -> None:
        """Another session takes the place of this one; where it cannot be taken up this one goes on."""
        left = self._bridge.session_id
        try:
            await self._bridge.go_on_with(session_id)
        except Exception as error:  # noqa: BLE001  the wall: whatever goes wrong there, the session here goes on
            log_fault(error)
            self._paper.line(f"The new session could not be taken up: {error}")
            self._paper.line(f"This session goes on. The brief is in the other one: agent-tui --resume {session_id}")
            return
        self._presenter = self._present()
        self._presenter.resumed = handed_off(left)
        self._signal("done")
        self._showing = _soon(self._show(self._presenter))

    def _show_question(self) -> None:
        first, *behind = self._questions
        first.show(self._paper, [question.request for question in behind])

    # In

    async def _converse(self) -> None:
        """Lines until the input ends; a pipe is read no faster than its lines are wanted."""
        self._mark()
        text = ""
        while True:
            if not self._keyboard.is_terminal:
                await self._free.wait()
            line = await self._keyboard.line()
            self._paper.typed()
            if self._going is not None:
                await self._going
            if line is None:
                await self._run_out()
                return
            if self._questions:
                await self._decide(self._questions[0].take(line, self._paper))
            elif line.endswith("\\"):
                text += line[:-1] + "\n"
            elif not text and (done := run_line(line, self._presenter, self._paper)):
                if done is not True:
                    await self._do(done)
            elif (text + line).strip():
                await self._submit(text + line, is_echoed=self._keyboard.is_terminal)
                text = ""
            self._mark()

    async def _do(self, op: Op) -> None:
        """What a command says. The next line of a pipe may be about what comes of it."""
        self._reports.expect()
        await self._bridge.send(op)
        if not self._keyboard.is_terminal:
            await self._bridge.wait_idle()
            if isinstance(op, ReportContext | ReportCosts):
                await self._reports.wait()

    async def _run_out(self) -> None:
        """The input is over. At a terminal that means: leave. Behind a pipe what runs may end; nobody can say yes."""
        if self._keyboard.is_terminal:
            return
        self._has_ended = True
        while self._questions:
            await self._deny()
        await self._bridge.wait_idle()

    async def _deny(self) -> None:
        await self._decide(self._questions[0].decline())

    async def _submit(self, text: str, *, is_echoed: bool) -> None:
        text = text.strip()
        if is_echoed and not self._is_busy:
            self._transcript.echoed.append(text)
        self._is_busy = True
        self._set_free()
        self._bridge.remember(text)
        await self._bridge.send(SubmitPrompt(text=text))

    async def _decide(self, ops: Decided) -> None:
        # Out of the list at once: the next line is for the next question.
        answered = {op.request_id for op in ops if not isinstance(op, ExplainPermission)}
        self._withdraw(answered)
        for op in ops:
            await self._bridge.send(op)

    # The end

    def _interrupt(self) -> None:
        """Ctrl+C: stop what runs; twice leaves."""
        now = time.monotonic()
        if now <= self._leave_by:
            self._stop(0)
            return
        self._leave_by = now + TWICE_S
        if self._is_busy:
            _soon(self._bridge.send(Interrupt()))
        else:
            self._paper.line("Ctrl+C once more leaves.")

    def _stop(self, code: int) -> None:
        self._code = self._code or code
        if self._work is not None:
            self._work.cancel()


def _inquiry_for(request: Asked, cwd: str, asker: Asker | None) -> Inquiry:
    """How a request is asked as lines."""
    match request:
        case QuestionRequest():
            return FormInquiry(request, asker)
        case PlanRequest():
            return PlanInquiry(request, cwd)
        case _:
            return ConsentInquiry(request, cwd, asker)


def _soon(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work)
