"""Names of variables: which may be set, which surely hold no secret, which may stand before a command."""

from __future__ import annotations

import re

from core.permissions.shell.script import Assignment

ORDINARY = re.compile(r"[a-z_][a-z0-9_]*")
ORDINARY_UPPER = frozenset(
    """A B C D E F I J K L M N P R S T V W X Y Z DIR DIRS FILE FILES F1 F2 COUNT TOTAL ROOT SRC DEST OUT OUTPUT RESULT
    NAME LINE LINES_COUNT NUM BRANCH BASE HEAD COMMIT HASH SHA TAG START END EXT PATTERN PKG MODULE TARGET REPO
    PROJECT""".split()
)
MEANINGFUL = frozenset(
    "http_proxy https_proxy ftp_proxy all_proxy no_proxy rsync_proxy histchars auto_resume ignoreeof notify".split()
)
"""Lower-case names that programs or bash itself obey."""

HARMLESS = frozenset(
    """HOME PATH PWD OLDPWD USER LOGNAME SHELL LANG LANGUAGE TERM COLORTERM EDITOR VISUAL PAGER TZ HOSTNAME HOSTTYPE
    OSTYPE MACHTYPE UID EUID PPID SHLVL COLUMNS LINES BASH BASH_VERSION BASHPID RANDOM SECONDS LINENO EPOCHSECONDS
    EPOCHREALTIME SRANDOM PIPESTATUS BASH_VERSINFO FUNCNAME BASH_SOURCE DIRSTACK GROUPS IFS OPTIND OPTARG REPLY TMPDIR
    TEMP TMP DISPLAY CI DEBUG NODE_ENV RAILS_ENV RACK_ENV APP_ENV VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV GOPATH
    GOROOT GOOS GOARCH GOBIN GOPROXY JAVA_HOME PYTHONPATH NODE_PATH MANPATH LS_COLORS NO_COLOR FORCE_COLOR
    DESKTOP_SESSION PORT HOST ARCH PLATFORM MAKEFLAGS CC CXX CFLAGS CXXFLAGS LDFLAGS PS1 PS2""".split()
)
HARMLESS_SUFFIXES = (
    "_HOME",
    "_DIR",
    "_DIRS",
    "_PATH",
    "_VERSION",
    "_ENV",
    "_ROOT",
    "_PREFIX",
    "_LEVEL",
    "_PORT",
    "_ARCH",
)
TELLING = re.compile(r"key|token|secret|passw|pwd|auth|cred|private|cert|session|cookie|dsn|url", re.IGNORECASE)

BEFORE_COMMANDS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "LANG": r"[\w.@-]*",
        "LANGUAGE": r"[\w.:@-]*",
        "TZ": r"(?!.*\.\.)[A-Za-z][\w+/-]*|",
        "COLUMNS": r"\d*",
        "LINES": r"\d*",
        "TERM": r"[\w.+-]*",
        "NO_COLOR": r"\w*",
        "FORCE_COLOR": r"\w*",
        "CLICOLOR": r"\w*",
        "CLICOLOR_FORCE": r"\w*",
        "GREP_COLOR": r"[\d;]*",
        "PAGER": r"cat|",
        "GIT_PAGER": r"cat|",
        "MANPAGER": r"cat|",
        "SYSTEMD_PAGER": r"cat|",
        "GIT_OPTIONAL_LOCKS": r"0",
        "GIT_TERMINAL_PROMPT": r"0",
        "BLOCK_SIZE": r"[\w']*",
        "POSIXLY_CORRECT": r"(?!)",
        "TIME_STYLE": r"[\w+%:. -]*",
        "QUOTING_STYLE": r"[\w-]*",
    }.items()
}
"""Variables that only change how a program writes its answer, with the values that are known."""


def is_ordinary(name: str) -> bool:
    """Whether a variable of that name means something only to the line that sets it."""
    return name in ORDINARY_UPPER or (ORDINARY.fullmatch(name) is not None and name not in MEANINGFUL)


def holds_no_secret(name: str) -> bool:
    """Whether a variable that the line has not set itself surely holds no key or password."""
    if not re.fullmatch(r"\w+", name) or re.fullmatch(r"\d+", name):
        return True
    if name in HARMLESS | ORDINARY_UPPER or name.startswith(("LC_", "XDG_")):
        return True
    return not TELLING.search(name) and (name.endswith(HARMLESS_SUFFIXES) or name == name.lower())


def may_stand_before(assignment: Assignment, program: str) -> bool:
    """Whether ``NAME=value`` before a command leaves what it does as it is."""
    name, value = assignment.name, assignment.value.value
    if name == "IFS":
        return program == "read" and value is not None
    pattern = BEFORE_COMMANDS["LANG"] if name.startswith("LC_") else BEFORE_COMMANDS.get(name)
    return pattern is not None and value is not None and pattern.fullmatch(value) is not None


def may_stand_alone(assignment: Assignment) -> bool:
    """Whether ``name=value`` on its own sets nothing that bash or a program obeys."""
    source = assignment.source
    if assignment.value.source.startswith("(") or not source.startswith(
        (f"{assignment.name}=", f"{assignment.name}+=")
    ):
        return False
    return is_ordinary(assignment.name)
