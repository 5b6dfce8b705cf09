"""What the terminal says of its background: asked at the start, listened to afterwards, never taken for typing.

Textual's parser turns an answer that it does not know into keys. So answers are taken out before it sees them,
however late they come and however they are cut.
"""

from __future__ import annotations

import os
import re
import selectors
from codecs import getincrementaldecoder
from collections.abc import Mapping

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

ASK = "\x1b]11;?\x1b\\"
"""What colour is the background?"""
LISTEN, STOP = "\x1b[?2031h", "\x1b[?2031l"
"""Say when the user switches between dark and light."""
TICK_S = 0.1
MAX_HELD_TICKS = 20
READ_BYTES = 4096

_REPLY = re.compile(r"\x1b\]11;([^\x07\x1b]{0,64})(?:\x07|\x1b\\)|\x1b\[\?997;([12])n")
_BEGUN = re.compile(r"\x1b(?:\](?:1(?:1(?:;[^\x07\x1b]{0,64}\x1b?)?)?)?|\[(?:\?(?:9(?:9(?:7(?:;[12]?)?)?)?)?)?)\Z")
_COLOUR = re.compile(r"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})(?:/[0-9a-fA-F]{1,4})?")
_SURE = "\x1b]11;"


class BackgroundTold(Message):
    """The terminal has said whether its background is light."""

    def __init__(self, is_light: bool) -> None:
        super().__init__()
        self.is_light = is_light


class Replies:
    """Takes answers about the background out of what comes from the terminal."""

    def __init__(self) -> None:
        self._held = ""
        self._ticks = 0

    def take(self, data: str) -> tuple[str, bool | None]:
        """What is left for the parser, and whether the background is light where an answer was in it."""
        self._ticks = 0
        data, self._held = self._held + data, ""
        is_light: bool | None = None
        for match in _REPLY.finditer(data):
            said = match[2] == "2" if match[2] else is_light_colour(match[1])
            is_light = is_light if said is None else said
        data = _REPLY.sub("", data)
        begun = _BEGUN.search(data)
        if begun:
            data, self._held = data[: begun.start()], begun[0]
        return data, is_light

    def tick(self) -> str:
        """Nothing has come for a while: what was held for the beginning of an answer, where it may be a key."""
        self._ticks += 1
        if self._held.startswith(_SURE) and self._ticks < MAX_HELD_TICKS:
            return ""
        held, self._held = self._held, ""
        return "" if held.startswith(_SURE) else held


def is_light_colour(text: str) -> bool | None:
    """Whether ``rgb:ffff/ffff/ffff`` is light; None for something else."""
    match = _COLOUR.fullmatch(text)
    if match is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in match.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


def can_be_asked(environ: Mapping[str, str]) -> bool:
    """Whether the terminal answers, or at least swallows the question: screen and the console may show it."""
    term = environ.get("TERM", "")
    return term not in ("", "dumb", "linux") and not environ.get("STY") and not term.startswith("vt")


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals, with ears for the background."""

    def start_application_mode(self) -> None:
        super().start_application_mode()
        if can_be_asked(os.environ):
            self.write(LISTEN + ASK)
            self.flush()

    def stop_application_mode(self) -> None:
        if can_be_asked(os.environ):
            self.write(STOP)
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until the end, as Textual's own does, past the answers."""
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        replies = Replies()
        try:
            while not self.exit_event.is_set():
                if selector.select(TICK_S):
                    data, is_light = replies.take(decode(os.read(self.fileno, READ_BYTES)))
                    if is_light is not None:
                        self.process_message(BackgroundTold(is_light))
                else:
                    data = replies.tick()
                if data:
                    for message in parser.feed(data):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        finally:
            selector.close()
