"""What is asked before the engine runs, as lines."""

from __future__ import annotations

import contextlib

from core.protocol.errors import AgentError
from tui.bridge import Bridge
from tui.dialogs.question import Question
from tui.dialogs.start import bypass_question, credentials_question, trust_question
from tui.plain.keyboard import Keyboard
from tui.plain.paper import Paper
from tui.plain.questions import Given, Wanted, print_keys, print_question, read_answer


class PlainOpening:
    """Goes from question to question until the engine can run."""

    def __init__(self, bridge: Bridge, paper: Paper, keyboard: Keyboard) -> None:
        self._bridge = bridge
        self._paper = paper
        self._keyboard = keyboard

    async def ask(self) -> bool:
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
