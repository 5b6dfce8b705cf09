"""sed: its scripts taken apart as GNU sed does it, so that what writes, runs or reads elsewhere is found."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look
from core.permissions.readonly.options import literal

SHORT = "nErsuzl:e:b"
LONG = (
    "quiet silent regexp-extended expression: separate unbuffered null-data zero-terminated line-length: debug "
    "sandbox binary help version"
)
PLAIN_COMMANDS = "=dDgGhHnNpPxFz"
LABEL = re.compile(r"[ \t]*[A-Za-z0-9_.-]*[ \t]*(?=[;}\n]|$)")
NUMBER = re.compile(r"[ \t]*\d*")
ADDRESS_NUMBER = re.compile(r"\d+([~]\d+)?|\$|[+~]\d+")
SUBSTITUTION_FLAGS = re.compile(r"[gpiImM0-9]*")
BLANKS = re.compile(r"[ \t]*")
BRACKET = re.compile(r"\^?\]?(?:\[:\w+:\]|[^\]\n])*\]")
GAPS = re.compile(r"[ \t\n;]*")


def check(look: Look, parsed: Parsed) -> None:
    """Looks at the scripts and notes the files."""
    scripts = parsed.given("-e", "--expression")
    files = list(parsed.operands)
    if not scripts and not parsed.has("--help", "--version"):
        if not files:
            raise NotReadOnlyError("sed lacks its script")
        scripts = [files.pop(0)]
    texts = [word.value for word in scripts]
    if any(text is None for text in texts):
        raise NotReadOnlyError("the script of sed is not known before it runs")
    for name in _Script(text="\n".join(text or "" for text in texts)).read_all():
        if name.startswith("/dev/"):
            raise NotReadOnlyError(f"sed reads {name}")
        look.read(literal(name))
    for word in files:
        look.read(word)


GRAMMAR = Grammar(short=SHORT, long=LONG, operands="text", check=check)


@dataclass(slots=True, kw_only=True)
class _Script:
    text: str
    at: int = 0

    def read_all(self) -> list[str]:
        """The files that its ``r`` and ``R`` read; NotReadOnlyError for whatever may do more."""
        files: list[str] = []
        while True:
            self._skip(GAPS)
            if self.at >= len(self.text):
                return files
            self._addresses()
            self._command(files)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise NotReadOnlyError("the script of sed is not understood")
        self.at += 1
        return self.text[self.at - 1]

    def _addresses(self) -> None:
        self._address()
        self._skip(BLANKS)
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
            self._skip(BLANKS)
            if not self._address():
                raise NotReadOnlyError("the script of sed is not understood")
        self._skip(re.compile(r"[ \t!]*"))

    def _address(self) -> bool:
        if self._skip(ADDRESS_NUMBER):
            return True
        char = self.text[self.at : self.at + 1]
        if char not in ("/", "\\"):
            return False
        self.at += 1
        delimiter = self._next() if char == "\\" else char
        self._pattern(delimiter)
        self._skip(re.compile(r"[IM]*"))
        return True

    def _pattern(self, delimiter: str) -> None:
        """A regular expression, in whose brackets the delimiter is a character like others."""
        if delimiter in "\n\\[" or not delimiter.isascii():
            raise NotReadOnlyError("the script of sed is not understood")
        while (char := self._next()) != delimiter:
            if char == "\n":
                raise NotReadOnlyError("the script of sed is not understood")
            if char == "\\":
                self._next()
            if char == "[":
                bracket = self._skip(BRACKET)
                if not bracket or ("\\" in bracket and delimiter in bracket) or re.search(r"\[[.=]", bracket):
                    raise NotReadOnlyError("the script of sed can be read in two ways")

    def _until(self, delimiter: str) -> str:
        if delimiter in "\n\\":
            raise NotReadOnlyError("the script of sed is not understood")
        start = self.at
        while True:
            char = self._next()
            if char == delimiter:
                return self.text[start : self.at - 1]
            if char == "\n":
                raise NotReadOnlyError("the script of sed is not understood")
            if char == "\\":
                self._next()

    def _command(self, files: list[str]) -> None:
        command = self._next()
        if command in "{}":
            return
        if command == "#":
            self._line()
            return
        if command in "aic":
            self._text_block()
            return
        if command in "rR":
            files.append(self._line().strip(" \t"))
            return
        if command in ":btT":
            if not LABEL.match(self.text, self.at):
                raise NotReadOnlyError("the script of sed is not understood")
            self._skip(LABEL)
        elif command in "qQlL":
            self._skip(NUMBER)
        elif command == "s":
            self._substitution()
        elif command == "y":
            delimiter = self._next()
            self._until(delimiter)
            self._until(delimiter)
        elif command not in PLAIN_COMMANDS:
            what = {"w": "writes a file", "W": "writes a file", "e": "runs a program"}
            raise NotReadOnlyError(f"the command {command} of sed {what.get(command, 'is not known')}")
        self._end()

    def _substitution(self) -> None:
        delimiter = self._next()
        self._pattern(delimiter)
        self._until(delimiter)
        self._skip(SUBSTITUTION_FLAGS)
        if self.text[self.at : self.at + 1] in ("w", "e"):
            raise NotReadOnlyError("the substitution of sed writes a file or runs a program")

    def _end(self) -> None:
        self._skip(BLANKS)
        if self.text[self.at : self.at + 1] not in ("", ";", "\n", "}", "#"):
            raise NotReadOnlyError("the script of sed is not understood")

    def _line(self) -> str:
        end = self.text.find("\n", self.at)
        start, self.at = self.at, len(self.text) if end < 0 else end
        return self.text[start : self.at]

    def _text_block(self) -> None:
        """Text to add: to the end of the line, a backslash carries it on."""
        while self.at < len(self.text) and self.text[self.at] != "\n":
            self.at += 2 if self.text[self.at] == "\\" else 1
