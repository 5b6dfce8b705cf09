"""By how many of its words a command is known: what a rule may begin with to say what it allows.

``git push`` and ``npm run test`` say what is done, ``npm run`` alone would be every script. Programs that run whatever
they are given are not offered by prefix at all.
"""

from __future__ import annotations

import re

from core.permissions.shell.script import Command

RUN_ANYTHING = frozenset(
    "bash sh zsh dash ksh fish csh tcsh eval exec source . sudo doas su env xargs parallel watch setsid ionice flock "
    "nohup ssh python python2 python3 node deno bun perl ruby php lua osascript powershell pwsh awk gawk mawk tclsh "
    "expect chroot unshare nsenter strace gdb script find fd rm dd mkfs shutdown reboot kill killall pkill pkexec run0 "
    "systemd-run taskset proot fakeroot firejail chrt numactl ltrace valgrind perf unbuffer hyperfine entr caffeinate "
    "direnv dotenv op mise asdf gosu flatpak-spawn pypy tsx ts-node rscript julia nu crontab at batch vi vim nvim ex "
    "ed emacs busybox toybox runuser sg watchexec aws-vault cpulimit ts winpty time nice timeout stdbuf command "
    "builtin curl wget".split()
)
"""What such a command does stands in its arguments: only its exact text is offered. (``rm`` and its like do one thing
only, but to whatever they are given.)"""

_DEPTHS: tuple[tuple[int, str], ...] = (
    (1, "pytest ruff mypy pyright black isort flake8 pylint eslint prettier tsc jest vitest tox nox cmake ninja ctest"),
    (
        2,
        "git gh glab cargo go docker podman kubectl helm terraform aws gcloud az pip pip3 brew apt apt-get systemctl "
        "dotnet gradle mvn bazel rustup npm pnpm yarn poetry uv pdm hatch conda make just task nx turbo lerna flutter "
        "dart swift composer bundle rails rake mix rebar3 stack cabal nix npx uvx pnpx bunx",
    ),
)
_DEEPER: str = (
    "npm run,pnpm run,yarn run,uv run,poetry run,pdm run,hatch run,bundle exec,docker compose,gh pr,gh issue,gh repo,"
    "aws s3,dotnet tool,uv pip,pnpm exec,npm exec,docker exec,docker run,podman run,kubectl exec"
)
DEPTHS: dict[str, int] = {
    **{name: depth for depth, names in _DEPTHS for name in names.split()},
    **dict.fromkeys(_DEEPER.split(","), 3),
}
"""How many words say what is done, by the program or its first two words."""
_RUNNERS: str = (
    "uv run,poetry run,pdm run,hatch run,bundle exec,pnpm exec,npm exec,docker exec,docker run,podman run,kubectl exec"
)
LEAST: dict[str, int] = {
    **dict.fromkeys(("npx", "uvx", "pnpx", "bunx"), 2),
    **dict.fromkeys(_RUNNERS.split(","), 3),
}
"""Runners: with fewer words than these a rule would allow any program."""
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_:.@-]*")
MAX_WORDS = 3


def prefixes(command: Command) -> list[str]:
    """Beginnings of the command that a rule may name, from the longest to the shortest; none where none may."""
    words = _plain_words(command)
    if not words or _family(words[0]) in RUN_ANYTHING:
        return []
    least = _looked_up(LEAST, words, 1)
    if len(words) < least or (least > 1 and _family(words[least - 1]) in RUN_ANYTHING):
        return []
    longest = min(len(words), max(_looked_up(DEPTHS, words, 1), least))
    return [" ".join(words[:count]) for count in range(longest, least - 1, -1)]


def usual_prefix(command: Command) -> str:
    """The beginning that says what is done; empty where only the whole command does."""
    offered = prefixes(command)
    words = _plain_words(command)
    wanted = " ".join(words[: _looked_up(DEPTHS, words, 0)])
    return wanted if wanted in offered else ""


def _family(name: str) -> str:
    """The program without its version: ``python3.11`` is ``python``."""
    return name.lower().rstrip("0123456789.-") or name


def _looked_up(table: dict[str, int], words: list[str], default: int) -> int:
    two = " ".join(words[:2])
    return table.get(two, table.get(words[0], default)) if words else default


def _plain_words(command: Command) -> list[str]:
    """The leading words that are neither options nor paths, the program as it is written."""
    if command.doubt or command.assignments or not command.words:
        return []
    words: list[str] = []
    for word in command.words[:MAX_WORDS]:
        if word.value is None or word.source != word.value or not PLAIN.fullmatch(word.value):
            break
        words.append(word.value)
    return words
