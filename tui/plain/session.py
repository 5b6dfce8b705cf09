"""A session without a screen: lines in, lines out, on the presenter that the window uses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from core.protocol.envelope import Envelope
from core.protocol.errors import AgentError
from core.protocol.events import PermissionExplained
from core.protocol.inquiries import Asked, PlanRequest, QuestionRequest
from core.protocol.ops import ExplainPermission, Interrupt, Op, SubmitPrompt
from tui.bridge import Bridge, log_fault
from tui.dialogs.question import Question
from tui.dialogs.start import bypass_question, credentials_question, trust_question
from tui.plain.commands import run_line
from tui.plain.consents import ConsentInquiry
from tui.plain.inquiries import Decided, FormInquiry, Inquiry, PlanInquiry
from tui.plain.keyboard import Keyboard
from tui.plain.panels import PlainComposer, PlainFooter, PlainHeader, PlainQueue, PlainStatus, PlainTodos
from tui.plain.paper import Paper
from tui.plain.questions import Given, Wanted, print_keys, print_question, read_answer
from tui.plain.transcript import PlainTranscript
from tui.presenter.presenter import Presenter
from tui.presenter.surfaces import State, Surfaces

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
        if not await self._ask_start():
            return
        await self._bridge.run()
        showing = asyncio.create_task(self._show(self._presenter), name="show")
        try:
            if first_prompt:
                await self._submit(first_prompt, is_echoed=False)
            await self._converse()
        finally:
            showing.cancel()

    def _present(self) -> Presenter:
        paper = self._paper
        return Presenter(
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
            )
        )

    # Out

    async def _show(self, presenter: Presenter) -> None:
        async for batch in self._bridge.batches():
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

    def _ask(self, request: Asked, cwd: str) -> None:
        self._questions.append(_inquiry_for(request, cwd))
        if len(self._questions) == 1:
            self._show_question()
        self._set_free()

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
            if line is None:
                await self._run_out()
                return
            if self._questions:
                await self._answer(line)
            elif line.endswith("\\"):
                text += line[:-1] + "\n"
            elif not text and (done := run_line(line, self._presenter, self._paper)):
                if done is not True:
                    await self._bridge.send(done)
            elif (text + line).strip():
                await self._submit(text + line, is_echoed=self._keyboard.is_terminal)
                text = ""
            self._mark()

    async def _run_out(self) -> None:
        """The input is over. At a terminal that means: leave. Behind a pipe what runs may end; nobody can say yes."""
        while self._is_busy and not self._keyboard.is_terminal:
            await self._free.wait()
            if self._questions:
                await self._deny()

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

    async def _answer(self, line: str) -> None:
        await self._decide(self._questions[0].take(line, self._paper))

    async def _decide(self, ops: Decided) -> None:
        # Out of the list at once: the next line is for the next question.
        answered = {op.request_id for op in ops if not isinstance(op, ExplainPermission)}
        self._withdraw(answered)
        for op in ops:
            await self._bridge.send(op)

    async def _ask_start(self) -> bool:
        """Credentials and trust; False where the user leaves instead. Behind a pipe nobody can be asked."""
        problem = ""
        while self._bridge.needs_credentials or self._bridge.needs_trust:
            is_trust = not self._bridge.needs_credentials
            if not self._keyboard.is_terminal:
                if not is_trust:
                    raise AgentError("There are no credentials.", "Set ANTHROPIC_API_KEY, or try --demo.")
                self._paper.line("This folder is not trusted yet: its own instructions and settings are left out.")
                break
            start = self._bridge.start
            trusting = trust_question(str(start.launch.cwd), start.untrusted, is_broad=start.is_broad)
            given = await self._put(trusting if is_trust else credentials_question(problem))
            if given is None or given.value == "quit":
                return False
            problem = self._bridge.answer_start(given.value, given.comment)
            if problem:
                self._paper.line(problem)
        if self._bridge.start.needs_bypass:
            await self._ask_bypass()
        return True

    async def _ask_bypass(self) -> None:
        """Whether really nothing is to be asked; where nobody can say so, the mode is the usual one."""
        given = await self._put(bypass_question()) if self._keyboard.is_terminal else None
        if given is None:
            self._paper.line("Nobody has agreed yet to a session that asks nothing: it asks as usual.")
        try:
            self._bridge.start.with_bypass(given is not None and given.value == "yes")
        except AgentError as error:
            self._paper.line(str(error))

    async def _put(self, question: Question) -> Given | None:
        """Ask until there is an answer; None at the end of input."""
        print_question(self._paper, question)
        while (line := await self._keyboard.line()) is not None:
            match read_answer(question, line):
                case Given() as given:
                    return given
                case Wanted(choice):
                    hiding = self._keyboard.unseen() if choice.comment == "secret" else contextlib.nullcontext()
                    with hiding:
                        self._paper.line(f"{choice.label}: type it and press Enter.")
                        comment = await self._keyboard.line()
                    if comment is not None and comment.strip():
                        return Given(choice.value, comment.strip())
                case None:
                    pass
            print_keys(self._paper, question)
        return None

    # The end

    def _interrupt(self) -> None:
        """Ctrl+C: stop what runs; twice leaves."""
        now = time.monotonic()
        if now <= self._leave_by:
            self._stop(0)
            return
        self._leave_by = now + TWICE_S
        if self._is_busy:
            self._send_soon(Interrupt())
        else:
            self._paper.line("Ctrl+C once more leaves.")

    def _send_soon(self, op: Op) -> None:
        asyncio.get_running_loop().create_task(self._bridge.send(op), name="send")

    def _stop(self, code: int) -> None:
        self._code = self._code or code
        if self._work is not None:
            self._work.cancel()


def _inquiry_for(request: Asked, cwd: str) -> Inquiry:
    """How a request is asked as lines."""
    match request:
        case QuestionRequest():
            return FormInquiry(request)
        case PlanRequest():
            return PlanInquiry(request, cwd)
        case _:
            return ConsentInquiry(request, cwd)
