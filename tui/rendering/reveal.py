"""Shows a text with nothing hidden, for permission prompts.

What a person approves must be what they see: characters that do not print, look like others or turn the order of the
text around are made visible. The result is for the eyes only and is never executed. Newlines are kept; ordinary text
comes back unchanged.
"""

import re

_NOT_PLAIN = re.compile(r"[^\n -~]| {41}")
_INDENTATION = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)
# Control sequences are spaced out, so that a terminal that ignores the missing ESC finds nothing to run either.
_SEQUENCE = re.compile(
    r"(?P<control>\x1b|[\x90\x98\x9b\x9d-\x9f])"
    r"(?P<body>(?:(?<=\x1b)\[|(?<=\x9b))[0-?]{0,64}[ -/]{0,16}[@-~]?"
    r"|(?:(?<=\x1b)[\]PX^_]|(?<=[\x90\x98\x9d-\x9f]))[0-9A-Za-z;]{0,16}"
    r"|(?<=\x1b)[ -/]{0,16}[0-~]|)"
)
# Characters that count as printable in Unicode and still leave nothing, or only a blank, on the screen.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTOR = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(rf"({_MARK}{{4}})({_MARK}+)")
_BLANK_RUN = re.compile(" {41,}")
_WORD = re.compile(r"\w+")
_LOOKALIKE = re.compile("[\u0370-\u058f\u13a0-\u13ff\u1c80-\u1c8f\u2c00-\u2c5f\uff10-\uff5a]")
_LATIN = re.compile("[A-Za-z]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+")
_HOST = re.compile(r"(?<=://)(?:[^\s/?#@]*@)?([^\s/?#:@⟨⟩'\"]+)")


def reveal(text: str) -> str:
    """Show every character that could deceive: as its code point, or with a remark beside it."""
    if not _NOT_PLAIN.search(text):
        return text
    text = _INDENTATION.sub(lambda match: match[0].expandtabs(4), text)
    text = _SEQUENCE.sub(_spaced, text)
    if not text.isascii():
        # These look at letters, so they come before the code points, which are letters too.
        text = _HOST.sub(_with_punycode, text)
        text = _WORD.sub(_with_lookalikes, text)
        text = _MARKS.sub(lambda match: f"{match[1]}⟨+{len(match[2])}⟩", text)
        # The letters of the remark end the run, so that what follows is not drawn on its other side.
        text = _RIGHT_TO_LEFT.sub(lambda match: f"{match[0]}⟨RTL⟩", text)
    text = "".join(_shown(character) for character in text)
    return _BLANK_RUN.sub(lambda match: f" ⟨{len(match[0])} spaces⟩ ", text)


def _shown(character: str) -> str:
    if character in " \n":
        return character
    if character.isprintable() and character not in _BLANK and not _SELECTOR.match(character):
        return character
    return _code_point(character)


def _code_point(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def _spaced(match: re.Match[str]) -> str:
    body = f"⟨{' '.join(match['body'])}⟩" if match["body"] else ""
    return _code_point(match["control"]) + body


def _with_lookalikes(match: re.Match[str]) -> str:
    """Mark letters of other alphabets in a word that also has Latin ones, such as a Cyrillic с in `сat`."""
    word = match[0]
    if word.isascii() or not _LATIN.search(word):
        return word
    return _LOOKALIKE.sub(lambda letter: letter[0] + _code_point(letter[0]), word)


def _with_punycode(match: re.Match[str]) -> str:
    host = match[1]
    if host.isascii():
        return match[0]
    labels = [
        label if label.isascii() else "xn--" + label.lower().encode("punycode", "replace").decode("ascii")
        for label in host.split(".")
    ]
    return f"{match[0]} ⟨{'.'.join(labels)}⟩"
