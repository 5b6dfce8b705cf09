"""jq and yq: they neither write nor run anything, but their programs may show the environment and load files."""

from __future__ import annotations

import re

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look
from core.permissions.readonly.options import is_literal, parse
from core.permissions.shell.script import Word

ENVIRONMENT = re.compile(r"\bENV\b|\$__prog|(?<![\w.$\"'])(?:env|strenv|envsubst)\b(?!\s*:)")
LOADS = re.compile(r"(?<![\w.$\"'])(?:import|include|load\w*|system|get_search_list|modulemeta|eval)\b(?!\s*:)")
TWO_TEXTS = ("--arg", "--argjson")
NAMED_FILES = ("--slurpfile", "--rawfile", "--argfile")

OPTIONS = Grammar(
    short="rcnsSeajCMRhV",
    long="raw-output compact-output null-input slurp sort-keys exit-status ascii-output join-output color-output "
    "monochrome-output raw-input tab indent: args jsonargs seq stream unbuffered raw-output0 help version",
    operands="text",
)
YQ = Grammar(
    short="rcynPeNMCo:p:jI:",
    long="raw-output compact-output yaml-output null-input prettyPrint exit-status no-doc no-colors colors "
    "output-format: input-format: tojson indent: unwrapScalar? help version",
    operands="text",
)


def look_at_jq(look: Look) -> None:
    """Looks at the words behind ``jq``."""
    words = list(look.words)
    rest: list[Word] = []
    while words:
        word = words.pop(0)
        if word.value == "--":
            rest += [word, *words]
            break
        if word.value not in TWO_TEXTS + NAMED_FILES:
            rest.append(word)
            continue
        if len(words) < 2 or not all(item.is_one for item in words[:2]):
            raise NotReadOnlyError(f"{word.value} lacks its name and value")
        if word.value in NAMED_FILES:
            look.read(words[1])
        del words[:2]
    _check(look, parse(tuple(rest), OPTIONS))


def look_at_yq(look: Look) -> None:
    """Looks at the words behind ``yq``, of either of the two programs of that name."""
    words = look.words
    if words and words[0].value in ("eval", "e", "eval-all", "ea"):
        words = words[1:]
    _check(look, parse(words, YQ))


def _check(look: Look, parsed: Parsed) -> None:
    files = list(parsed.operands)
    if parsed.has("--help", "--version", "-h", "-V"):
        return
    if files:
        program = files.pop(0)
        if not is_literal(program):
            raise NotReadOnlyError("the program of jq is not known before it runs")
        if ENVIRONMENT.search(program.head):
            look.reveal("it shows environment variables")
        if LOADS.search(program.head):
            raise NotReadOnlyError("the program loads other files")
    values = [word.value for word in look.words]
    ends = [values.index(name) for name in ("--args", "--jsonargs") if parsed.has(name) and name in values]
    before = look.words[: min(ends)] if ends else look.words
    for word in files:
        if any(word is each for each in before):
            look.read(word)
