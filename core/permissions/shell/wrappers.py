"""What a command runs itself: the one behind ``timeout 5``, ``sudo``, ``xargs``, ``find -exec``, the text of ``sh -c``.

Allowing rules look through the few wrappers of ``TRANSPARENT`` and only where every option of theirs is known. The
others are looked into so that rules against a command find it, however it is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.permissions.shell.marks import common_head
from core.permissions.shell.options import ANYTHING, DURATION, Grammar, command_start, literal, longs, options_end
from core.permissions.shell.script import Command, Word

Words = tuple[Word, ...]

MAX_GUESSES = 6
MAX_ACTIONS = 10

TRANSPARENT: dict[str, Grammar] = {
    "timeout": Grammar(
        flags="vfp",
        valued="ks",
        long_flags=longs("foreground", "preserve-status", "verbose"),
        long_valued=longs("kill-after", "signal"),
        operands=(DURATION,),
    ),
    "time": Grammar(flags="p"),
    "nice": Grammar(valued="n", long_valued=longs("adjustment"), number=True),
    "nohup": Grammar(),
    "stdbuf": Grammar(valued="ioe", long_valued=longs("input", "output", "error")),
    "command": Grammar(flags="p"),
    "builtin": Grammar(),
    "noglob": Grammar(),
    "xargs": Grammar(),
}

SEEN_THROUGH: dict[str, Grammar] = {
    "sudo": Grammar(
        flags="ABbEeHiKklnNPSsVv", valued="CDghpRrTtUu", long_flags=longs("non-interactive"), assignments=True
    ),
    "doas": Grammar(flags="Lns", valued="aCu"),
    "exec": Grammar(flags="cl", valued="a"),
    "setsid": Grammar(flags="cfw", long_flags=longs("ctty", "fork", "wait")),
    "ionice": Grammar(flags="t", valued="cnpPu", long_valued=longs("class", "classdata"), long_flags=longs("ignore")),
    "chroot": Grammar(long_valued=longs("userspec", "groups"), long_flags=longs("skip-chdir"), operands=(ANYTHING,)),
    "xargs": Grammar(
        flags="0oprtxi",
        valued="adEILnPs",
        long_flags=longs("null", "no-run-if-empty", "verbose", "exit", "interactive", "open-tty"),
        long_valued=longs("arg-file", "delimiter", "max-lines", "max-args", "max-procs", "max-chars", "replace", "eof"),
    ),
    "coproc": Grammar(),
    "busybox": Grammar(),
    "toybox": Grammar(),
}

GUESSED = frozenset(
    """strace ltrace unshare nsenter parallel docker podman nerdctl kubectl npx uvx bunx pnpx npm pnpm yarn bun uv pipx
    poetry pdm hatch rye conda mamba micromamba mise asdf devbox direnv bundle rbenv pyenv nvm volta corepack deno
    chrt taskset numactl prlimit setpriv fakeroot proot bwrap firejail systemd-run systemd-inhibit cgexec valgrind perf
    gdb rlwrap unbuffer entr caffeinate arch setarch xvfb-run dbus-run-session ssh-agent script hyperfine runuser
    nsjail catchsegv faketime torsocks proxychains proxychains4 tsocks op doppler dotenv cross nix nix-shell guix
    vagrant lxc multipass distrobox toolbox heroku fly railway rush lerna nx turbo time gtime gtimeout
    pkexec run0 cpulimit winpty ts watchexec aws-vault nocorrect sg""".split()
)
"""Programs that may run what stands among their words; where it begins there is not known, so every place is tried."""

SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "mksh", "ash", "rbash", "fish"})
FINDERS = frozenset({"find", "bfs", "gfind"})
FD = frozenset({"fd", "fdfind"})
FIND_ACTIONS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})

UNKNOWN_OPTION = "what it runs is not clear from its options"
DYNAMIC = "what it runs is only known when it runs"
INPUTS = frozenset({"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
INPUT = Word(source="{}", is_one=False)
"""Words that come out of a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a command runs."""

    commands: tuple[Words, ...] = ()
    texts: tuple[str, ...] = ()
    """Shell lines."""
    is_wrapper: bool = False
    doubt: str = ""
    is_elsewhere: bool = False
    """Whether that happens in another folder."""
    is_same_shell: bool = False
    """Whether the texts see the variables of the line."""


def looked_into(command: Command) -> Run:
    """What the command runs, as far as it says."""
    words = command.words
    name = command.name
    if not name:
        # ``$BASH -c TEXT``, say.
        flags = [at for at, word in enumerate(words) if word.value == "-c"]
        return replace(_text(words[flags[0] + 1 : flags[0] + 2]) if flags else Run(), doubt=DYNAMIC if words else "")
    if (grammar := TRANSPARENT.get(name)) is not None and (found := _transparent(words, grammar)) is not None:
        return found
    if name in SPECIAL:
        return SPECIAL[name](command)
    if (grammar := SEEN_THROUGH.get(name)) is not None:
        return _seen_through(words, grammar)
    if name in TRANSPARENT:
        return _guessed(words, UNKNOWN_OPTION)
    return _guessed(words, "") if name in GUESSED else Run()


def _transparent(words: Words, grammar: Grammar) -> Run | None:
    name = words[0].value
    if name in ("command", "builtin") and len(words) > 1 and re.fullmatch(r"-p*[vV]+\w*", words[1].value or ""):
        return Run()
    start = command_start(words, grammar)
    if start is None:
        return None
    rest = words[start:]
    if name == "xargs":
        rest = (*(rest or (Word(source="echo", values=("echo",), head="echo"),)), INPUT)
    # A program of that name in some folder is another one.
    return Run(commands=(rest,) if rest else (), is_wrapper=bool(rest) and "/" not in (name or "/"))


def _seen_through(words: Words, grammar: Grammar) -> Run:
    name = (words[0].value or "").rpartition("/")[2]
    start = command_start(words, grammar)
    if start is None:
        return _guessed(words, UNKNOWN_OPTION)
    rest = words[start:]
    if name == "xargs":
        rest = rest or (Word(source="echo", values=("echo",), head="echo"),)
        rest = (*(_filled(word, _replaced(words[1:start])) for word in rest), INPUT)
    elif name == "coproc":
        return Run(commands=(rest, rest[1:]) if len(rest) > 1 else (rest,), doubt="it runs beside the line")
    return Run(commands=(rest,) if rest else (), is_elsewhere=name in ("sudo", "doas", "chroot"))


def _replaced(options: Sequence[Word]) -> str:
    """What ``xargs -I`` replaces."""
    for at, word in enumerate(options):
        value = word.value or ""
        if value in ("-I", "--replace") and at + 1 < len(options):
            return options[at + 1].value or "{}"
        if value.startswith("-I"):
            return value[2:]
        if value.startswith("--replace="):
            return value.partition("=")[2]
    return "{}"


def _filled(word: Word, mark: str) -> Word:
    """A word into which something is put at a mark."""
    if mark and word.value is not None and mark in word.value:
        return replace(word, values=(), head=word.value.partition(mark)[0])
    return word


def _guessed(words: Words, doubt: str) -> Run:
    """Every place where a command may begin among the words."""
    rest = words[1:]
    starts = [at for at, word in enumerate(rest) if not (word.head.startswith("-") or "=" in word.head.split("/")[0])]
    texts = [word.value for word in rest if word.value and re.search(r"\s", word.value)]
    return Run(
        commands=tuple(rest[at:] for at in starts[:MAX_GUESSES]),
        texts=tuple(texts[:MAX_GUESSES]),
        doubt=doubt,
        is_elsewhere=True,
    )


def _shell(command: Command) -> Run:
    """``bash -c TEXT``, or a shell that is told what to do by its input."""
    words, wants_text, at = command.words, False, 1
    while at < len(words):
        value = literal(words[at])
        if value is None:
            return _text(words[at : at + 1]) if wants_text else replace(_read_from(command, words[at]), doubt=DYNAMIC)
        if not value.startswith(("-", "+")) or value in ("-", "--"):
            at += value in ("-", "--")
            break
        is_short = not value.startswith("--")
        wants_text = wants_text or (is_short and "c" in value)
        takes = value in ("--rcfile", "--init-file") or (is_short and value[-1] in "oO")
        at += 2 if takes else 1
    if wants_text:
        return _text(words[at : at + 1])
    return _read_from(command, words[at]) if at < len(words) else _told_by_input(command)


def _told_by_input(command: Command) -> Run:
    texts = _fed(command)
    if texts:
        return Run(texts=texts[-1:])
    if not command.piped_from:
        return Run()
    return Run(texts=_put_out(command.piped_from), doubt="it runs what comes out of a pipe")


def _fed(command: Command) -> tuple[str, ...]:
    """What heredocs and here-strings give to a command to read, as far as that is written."""
    texts = [redirect.text for redirect in command.redirects if redirect.text is not None]
    texts += [
        redirect.target.value
        for redirect in command.redirects
        if redirect.kind == "here_string" and redirect.target and redirect.target.value
    ]
    return tuple(texts)


def _put_out(commands: Sequence[Command]) -> tuple[str, ...]:
    """What a pipeline may put out: whatever is written in it."""
    texts = [text for command in commands for text in _fed(command)]
    for command in commands:
        if command.name not in ("echo", "printf"):
            continue
        words = [word.value or word.head for word in command.words[1:]]
        while words and words[0].startswith("-"):
            words = words[1:]
        texts.append(" ".join(words))
        if command.name == "printf":
            texts += words[1 : 1 + MAX_GUESSES]
    return tuple(filter(None, texts))


def _source(command: Command) -> Run:
    """``source <(echo TEXT)``, or out of what it reads; of a file nothing is known here."""
    words = [word for word in command.words[1:] if word.value != "--"]
    return replace(_read_from(command, words[0]) if words else Run(), is_same_shell=True)


def _read_from(command: Command, word: Word) -> Run:
    """The shell lines in a file that a shell is told to run, where that is no file but a pipe."""
    if word.lists:
        return Run(texts=_put_out(word.lists), doubt=DYNAMIC)
    return _told_by_input(command) if word.value in INPUTS else Run()


def _text(words: Sequence[Word]) -> Run:
    """Words that are a shell line together."""
    if not words:
        return Run()
    if all(word.value is not None and word.is_one for word in words):
        return Run(texts=(" ".join(word.value or "" for word in words),))
    # What is written in it is looked at all the same.
    written = " ".join(word.value or word.head for word in words)
    return Run(texts=(written, *(text for word in words for text in _put_out(word.lists))), doubt=DYNAMIC)


def _eval(command: Command) -> Run:
    words = command.words[1:]
    return replace(_text(words[1:] if words and words[0].value == "--" else words), is_same_shell=True)


def _trap(command: Command) -> Run:
    words = [word for word in command.words[1:] if not word.head.startswith("-")]
    return _text(words[:1]) if len(words) > 1 else Run()


JOBS = Grammar(flags="lnprsx")


def _jobs(command: Command) -> Run:
    """``jobs -x`` runs a command; the other options list."""
    start = command_start(command.words, JOBS)
    if start is None:
        return _guessed(command.words, UNKNOWN_OPTION)
    runs = any("x" in word.head for word in command.words[1:start]) and command.words[start:]
    return Run(commands=(command.words[start:],)) if runs else Run()


def _su(command: Command) -> Run:
    words = command.words
    for at, word in enumerate(words[1:], start=1):
        value = word.value or word.head
        if value.startswith("--command="):
            return replace(_text((replace(word, values=(value.partition("=")[2],)),)), is_elsewhere=True)
        if value == "--command" or re.fullmatch(r"-\w*c", value):
            return replace(_text(words[at + 1 : at + 2]), is_elsewhere=True)
    return Run(doubt="it starts a shell")


def _runuser(command: Command) -> Run:
    """Like ``su``; with ``-u`` a command follows."""
    found, guessed = _su(command), _guessed(command.words, "")
    return replace(guessed, texts=(*found.texts, *guessed.texts), doubt=found.doubt)


ENV = Grammar(
    flags="i0v",
    valued="uC",
    long_flags=longs("ignore-environment", "null", "debug"),
    long_valued=longs("unset", "chdir"),
    assignments=True,
)


def _env(command: Command) -> Run:
    words = tuple(word for word in command.words if word.value != "-")
    for at, word in enumerate(words[1:], start=1):
        value = word.value or word.head
        match = re.fullmatch(r"(?:-[i0v]*S|--split-string=)(.*)", value, re.DOTALL)
        if match or value == "--split-string":
            split = match[1] if match else ""
            rest = words[at + 1 :]
            return _guess_text(" ".join([split, *(each.value or each.source for each in rest)]))
    start = command_start(words, ENV)
    if start is None:
        return _guessed(words, UNKNOWN_OPTION)
    is_elsewhere = any((word.value or "").startswith(("-C", "--chdir")) for word in words[1:start])
    return Run(commands=(words[start:],) if words[start:] else (), is_elsewhere=is_elsewhere)


def _guess_text(text: str) -> Run:
    return Run(texts=(text,), doubt="" if re.fullmatch(r"[\w ./=-]*", text) else UNKNOWN_OPTION)


FLOCK = Grammar(
    flags="seunoxF",
    valued="wE",
    long_flags=longs("shared", "exclusive", "unlock", "nonblock", "nb", "close", "no-fork", "verbose"),
    long_valued=longs("wait", "timeout", "conflict-exit-code"),
    operands=(ANYTHING,),
)


def _flock(command: Command) -> Run:
    words = command.words
    start = command_start(words, FLOCK)
    if start is None:
        return _guessed(words, UNKNOWN_OPTION)
    if start < len(words) and words[start].value in ("-c", "--command"):
        return _text(words[start + 1 : start + 2])
    return Run(commands=(words[start:],) if words[start:] else ())


WATCH = Grammar(
    flags="bcdegprtxwC",
    valued="nqs",
    long_flags=longs("beep", "color", "differences", "errexit", "chgexit", "precise", "no-title", "exec", "no-wrap"),
    long_valued=longs("interval", "equexit"),
)


def _watch(command: Command) -> Run:
    start = command_start(command.words, WATCH)
    if start is None:
        return _guessed(command.words, UNKNOWN_OPTION)
    rest = command.words[start:]
    return replace(_text(rest), commands=(rest,)) if rest else Run()


SSH = Grammar(flags="46AaCfGgKkMNnqsTtVvXxYy", valued="BbcDEeFIiJLlmOopPQRSWw", operands=(ANYTHING,))


def _ssh(command: Command) -> Run:
    start = command_start(command.words, SSH)
    if start is None:
        return _guessed(command.words, "")
    return replace(_text(command.words[start:]), is_elsewhere=True)


def _find(command: Command) -> Run:
    """``-exec`` and its like, up to ``;`` or ``+``."""
    words = command.words
    roots: list[str] = []
    for word in words[1:]:
        if word.head.startswith(("-", "(", "!", ",")):
            break
        roots.append(word.value if word.value is not None else word.head)
    found: list[Words] = []
    is_elsewhere = False
    actions = [at for at, word in enumerate(words) if word.value in FIND_ACTIONS]
    for at in actions[:MAX_ACTIONS]:
        word = words[at]
        length = run_end(words[at + 1 :])
        end = len(words) if length is None else at + 1 + length
        is_many = end < len(words) and words[end].value == "+"
        is_elsewhere = is_elsewhere or word.value in ("-execdir", "-okdir")
        head = "./" if word.value in ("-execdir", "-okdir") else common_head(roots or ["."])
        found.append(tuple(_found_file(each, head, is_many) for each in words[at + 1 : end]))
    doubt = "it runs too many commands" if len(actions) > MAX_ACTIONS else ""
    return Run(commands=tuple(found), is_elsewhere=is_elsewhere, doubt=doubt)


def run_end(words: Sequence[Word]) -> int | None:
    """Where the words of ``-exec`` end: at ``;``, or at a ``+`` directly behind ``{}``."""
    for at, word in enumerate(words):
        if word.value == ";" or (word.value == "+" and at > 0 and words[at - 1].value == "{}"):
            return at
    return None


def _found_file(word: Word, head: str, is_many: bool) -> Word:
    if word.value == "{}":
        return replace(word, values=(), head=head, is_one=not is_many, has_glob=False)
    return _filled(word, "{}")


def _fd(command: Command) -> Run:
    """``-x`` and ``-X`` take all the words that follow."""
    found: list[Words] = []
    for at, word in enumerate(command.words[1:], start=1):
        value = word.value or ""
        if value in ("--exec", "--exec-batch") or re.fullmatch(r"-[A-Za-z0-9]*[xX]", value):
            rest = command.words[at + 1 :]
            end = next((end for end, each in enumerate(rest) if each.value == ";"), len(rest))
            found.append((*(_filled(each, "{") for each in rest[:end]), INPUT))
        elif value.startswith(("--exec=", "--exec-batch=")) or re.fullmatch(r"-[A-Za-z]*[xX].+", value):
            first = value.partition("=")[2] or re.split("[xX]", value, maxsplit=1)[1]
            found.append((Word(source=first, values=(first,), head=first), *command.words[at + 1 :], INPUT))
    return Run(commands=tuple(found))


def _parallel(command: Command) -> Run:
    """A line built from its words and from its input."""
    words = command.words
    end = next((at for at, word in enumerate(words) if (word.value or "").startswith(":::")), len(words))
    guessed = _guessed(words[:end], DYNAMIC)
    start = options_end(
        words[:end], Grammar(flags="kvtqXm", valued="jnLNdaI", long_flags=longs("dry-run", "keep-order", "bar"))
    )
    line = [word.value or word.head for word in words[start or 1 : end]]
    return replace(guessed, texts=(*guessed.texts, " ".join(line)))


SPECIAL: dict[str, Callable[[Command], Run]] = {
    **dict.fromkeys(SHELLS, _shell),
    **dict.fromkeys(FINDERS, _find),
    **dict.fromkeys(FD, _fd),
    "eval": _eval,
    "trap": _trap,
    "jobs": _jobs,
    "su": _su,
    "runuser": _runuser,
    **dict.fromkeys(("source", "."), _source),
    "env": _env,
    "flock": _flock,
    "watch": _watch,
    "ssh": _ssh,
    "parallel": _parallel,
}
