"""What bash does itself: its builtins evaluate more than their words say, subscripts above all."""

from __future__ import annotations

import re

from core.permissions.readonly.grammar import NotReadOnlyError
from core.permissions.readonly.look import Look
from core.permissions.readonly.names import holds_no_secret, is_ordinary
from core.permissions.readonly.options import is_literal, may_be_option

COUNT_FORMAT = re.compile(r"%[-+ #0'*.\d]*n")
SET_OPTIONS = frozenset(
    {"pipefail", "errexit", "nounset", "noglob", "xtrace", "verbose", "noclobber", "physical", "errtrace"}
)
SHOPT_OPTIONS = frozenset({"globstar", "nullglob", "dotglob", "nocaseglob", "failglob", "nocasematch", "lastpipe"})
READ_OPTIONS = {
    "-r": 0,
    "-s": 0,
    "-d": 1,
    "-n": 1,
    "-N": 1,
    "-t": 1,
    "-p": 1,
    "-u": 1,
    "-rd": 1,
    "-rn": 1,
    "-rs": 0,
    "-rp": 1,
}


def look_at_words(_look: Look) -> None:
    """echo prints whatever it is given; what test evaluates is among the doubts about a command."""


def look_at_printf(look: Look) -> None:
    """printf -v sets a variable, and so does ``%n``."""
    words = look.words
    if words and words[0].value == "--":
        words = words[1:]
    elif words and may_be_option(words[0]):
        raise NotReadOnlyError("printf -v sets a variable")
    if not words:
        return
    texts = words[0].values or (words[0].head if words[0].is_one and len(words) == 1 else "%n",)
    if any(COUNT_FORMAT.search(text) for text in texts):
        raise NotReadOnlyError("printf may set a variable")


def look_at_read(look: Look) -> None:
    """read sets variables; plain names of no meaning are fine."""
    words = [word.value if is_literal(word) else None for word in look.words]
    while words and (words[0] or "").startswith("-"):
        takes = READ_OPTIONS.get(words[0] or "")
        if takes is None:
            raise NotReadOnlyError(f"read {words[0]} is not known to be harmless")
        del words[: 1 + takes]
    if not all(word is not None and is_ordinary(word) for word in words):
        raise NotReadOnlyError("read sets a variable that may have a meaning")


def look_at_set(look: Look) -> None:
    """set: the options that change how a line fails, not what it does."""
    words = [word.value or "?" for word in look.words]
    if not words:
        look.reveal("it shows all variables")
    while words:
        word = words.pop(0)
        if not re.fullmatch(r"[-+][euxfvCE]*o?", word) or len(word) < 2:
            raise NotReadOnlyError("set changes the shell")
        if word.endswith("o") and (not words or words.pop(0) not in SET_OPTIONS):
            raise NotReadOnlyError("set changes the shell")


def look_at_shopt(look: Look) -> None:
    """shopt: the options that say what a glob matches."""
    words = [word.value for word in look.words]
    if words and words[0] in ("-s", "-u", "-q", "-p"):
        words = words[1:]
    if not all(word in SHOPT_OPTIONS for word in words):
        raise NotReadOnlyError("shopt changes the shell")


def look_at_cd(look: Look) -> None:
    """cd is harmless; where it goes is told."""
    words = [word for word in look.words if word.value not in ("-P", "-L", "-e", "--")]
    if [word.value for word in words] == ["-"]:
        return
    if len(words) > 1 or any(word.value is None or may_be_option(word) or word.value in ("-", "") for word in words):
        raise NotReadOnlyError("it is not known where cd goes")
    for word in words:
        look.reads.append(look.path(word.value or ""))
    if not words and look.home is not None:
        look.reads.append(look.home)


def look_at_declarations(look: Look) -> None:
    """declare, export and their like: with ``-p`` or nothing they show variables, else they set them."""
    words = [word.value for word in look.words]
    if look.command.assignments or any(word is None or not re.fullmatch(r"-[pxfFr]+", word) for word in words):
        raise NotReadOnlyError(f"{look.command.name} changes variables")
    look.reveal("it shows all variables")


def look_at_environment(look: Look) -> None:
    """printenv and bare env."""
    words = [word.value for word in look.words]
    if look.command.name == "printenv" and words and all(word and holds_no_secret(word) for word in words):
        return
    if look.command.name == "env" and any(word not in ("-0", "--null") for word in words):
        raise NotReadOnlyError("it is not known what env runs")
    if any(word is None or (word.startswith("-") and word not in ("-0", "--null")) for word in words):
        raise NotReadOnlyError("an option of printenv is not known to be harmless")
    look.reveal("it shows environment variables")


def look_at_nothing(look: Look) -> None:
    """Builtins without effect whose few words are numbers, names or nothing."""
    if look.command.name == "umask" and look.words:
        raise NotReadOnlyError("umask changes the shell")
    if not all(word.is_one for word in look.words):
        raise NotReadOnlyError("it is not known what it is told")
    if any(re.search(r"[\[$`(]|^--", value) for word in look.words for value in word.values):
        raise NotReadOnlyError("it may evaluate its words")


def look_at_jobs(look: Look) -> None:
    """jobs: -x runs a command; wait: -p unsets a variable, and sets it."""
    harmless = "-[lnprs]+" if look.command.name == "jobs" else "-[fn]+"
    for word in look.words:
        if not is_literal(word) or not re.fullmatch(rf"{harmless}|--|[%\w][\w%+?-]*", word.value or ""):
            raise NotReadOnlyError(f"{look.command.name} {word.source} is not known to be harmless")


def look_at_limits(look: Look) -> None:
    """ulimit, hash, history and alias without anything that they would set."""
    if not all(re.fullmatch(r"-[SHa-z]+", word.value or "") for word in look.words):
        raise NotReadOnlyError(f"{look.command.name} changes the shell")
    if look.words and look.command.name != "ulimit":
        raise NotReadOnlyError(f"{look.command.name} changes the shell")


def look_at_names(look: Look) -> None:
    """type and command -v say what a name stands for."""
    words = look.words
    if look.command.name == "command" and (not words or words[0].value not in ("-v", "-V")):
        raise NotReadOnlyError("it is not known what it runs")


def look_at_tee(look: Look) -> None:
    """tee to nowhere."""
    for word in look.words:
        if word.value not in ("-a", "--append", "-i", "/dev/null"):
            raise NotReadOnlyError("tee writes files")
