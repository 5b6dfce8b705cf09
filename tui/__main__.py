"""The ``agent-tui`` command: arguments, the guard against foreign packages, and the start of window or run.

Only the standard library is imported at the top, and only what costs little: ``--version`` and ``--help``
must be instant.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib costs too much here
OWN_PACKAGES = ("core", "themes", "tui")
LIBRARY_NAMES = ("site-packages", "dist-packages")
FRAMES_PER_SECOND = "250"
MAX_STDIN_BYTES = 10_000_000
USAGE_ERROR = 2
PROGRAMS = {
    "audit": "core.programs.audit",
    "config": "core.programs.config",
    "permissions": "core.programs.permissions",
}
"""Commands that need no session: the first argument, and the module whose ``main`` takes the others."""


def guard(path: list[str], root: str, cwd: str) -> list[str]:
    """The import path on which our packages are ours.

    The program runs inside other people's repositories, and ``PYTHONPATH=.`` or ``python -m tui`` puts that
    repository first, where a package named like one of ours would be imported and executed. Entries inside the
    working folder go, but for this installation and its environment; then, if ours would still not be found
    first, our own root comes first.
    """
    inside = os.path.realpath(cwd)
    own = os.path.realpath(root)
    libraries = [os.path.realpath(folder) for folder in (sys.prefix, sys.base_prefix)]
    # A project may lie under the prefix, /usr/src say: that does not make it a library.
    libraries = [folder for folder in libraries if _is_within(folder, inside)]
    libraries.append(os.path.dirname(os.path.realpath(os.__file__)))  # noqa: PTH120

    def is_foreign(entry: str) -> bool:
        real = os.path.realpath(entry or cwd)
        if real == own or os.path.basename(real) in LIBRARY_NAMES:  # noqa: PTH119
            return False
        return _is_within(real, inside) and not any(_is_within(real, folder) for folder in libraries)

    kept = [entry for entry in path if not is_foreign(entry)]
    for package in OWN_PACKAGES:
        found = next((entry for entry in kept if _holds(entry or cwd, package)), None)
        if found is None or os.path.realpath(found or cwd) != own:
            return [root, *(entry for entry in kept if os.path.realpath(entry or cwd) != own)]
    return kept


def _holds(folder: str, package: str) -> bool:
    base = os.path.join(folder, package)  # noqa: PTH118
    return os.path.isdir(base) or os.path.isfile(base + ".py")  # noqa: PTH112, PTH113


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        sys.path[:] = guard(sys.path, ROOT, os.getcwd())  # noqa: PTH109
    except FileNotFoundError:
        sys.stderr.write("agent-tui: the working directory no longer exists. Change to another folder.\n")
        return 1
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--version"], ["-v"]):
        from core.version import __version__

        sys.stdout.write(f"agent-tui {__version__}\n")
        return 0
    program = PROGRAMS.get(arguments[0]) if arguments else None
    options = None if program else _parse(arguments)
    from core.protocol.errors import AgentError

    try:
        if options is None:
            return _run_program(program or "", arguments[1:])
        if options.print:
            return _run_headless(options)
        return _run_plain(options) if options.plain else _run_window(options)
    except AgentError as error:
        sys.stderr.write(f"agent-tui: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _run_program(module: str, arguments: list[str]) -> int:
    import importlib

    try:
        return importlib.import_module(module).main(arguments)
    except BrokenPipeError:
        # Whoever read it has seen enough; Python would complain when it writes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    import argparse

    parser = argparse.ArgumentParser(
        prog="agent-tui",
        description="A full-screen terminal coding agent. Start it in a project folder.",
        epilog="Credentials: ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN; ANTHROPIC_BASE_URL for another server. "
        "Without any, --demo shows the program offline. "
        "agent-tui config explain [KEY] says where a setting comes from, "
        "agent-tui permissions explain CALL what would be asked about and why.",
    )
    add = parser.add_argument
    add("prompt", nargs="?", default="", help="first prompt; with -p also read from standard input")
    add("-p", "--print", action="store_true", help="run the prompt without a window, print the answer and exit")
    add("--plain", action="store_true", help="no window: lines of text, for screen readers and pipes")
    add("--demo", action="store_true", help="offline tour: scripted words, real tools, no key needed")
    add("-c", "--continue", dest="resume_latest", action="store_true", help="take up the newest session of this folder")
    add("-r", "--resume", metavar="ID", help="take up a session by its id, or the beginning of it")
    add("--model", help="model id")
    add("--fallback-model", metavar="IDS", help="models that take over, in order, while the model is overloaded")
    add("--effort", choices=("low", "medium", "high", "xhigh", "max"), help="how hard the model works")
    add(
        "--permission-mode",
        choices=("default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"),
        help="what runs without being asked about",
    )
    add(
        "--allowedTools",
        "--allowed-tools",
        dest="allow",
        action="append",
        metavar="RULES",
        help='rules that allow, such as "Bash(git diff:*),Edit"',
    )
    add(
        "--disallowedTools", "--disallowed-tools", dest="deny", action="append", metavar="RULES", help="rules that deny"
    )
    add("--add-dir", dest="add_dirs", action="append", metavar="DIR", help="a further folder to work in; repeatable")
    add("--settings", metavar="FILE-OR-JSON", help="further settings: a file, or JSON itself")
    add("--tools", metavar="NAMES", help="offer only these tools")
    add("--max-turns", type=_positive, metavar="N", help="at most N requests for one prompt")
    add("--max-budget-usd", type=_amount, metavar="USD", help="stop once one prompt has cost so much")
    add(
        "--max-budget-tokens", type=_positive, metavar="N", help="stop once one prompt took N tokens beside cached ones"
    )
    add("--output-format", choices=("text", "json", "stream-json"), default="text", help="with -p")
    add("--forward-subagent-text", action="store_true", help="with -p and stream-json: also what subagents say")
    add("--system-prompt", help="in place of the built-in one")
    add("--append-system-prompt", help="after the built-in one")
    add("--theme", help="name of a theme")
    add("-v", "--version", action="store_true", help="print the version and exit")
    options = parser.parse_args(arguments)
    if options.resume and options.resume_latest:
        parser.error("--continue and --resume exclude each other")
    if options.version:
        from core.version import __version__

        parser.exit(0, f"agent-tui {__version__}\n")
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        import argparse

        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        import argparse

        raise argparse.ArgumentTypeError(f"must be an amount above 0, not {text!r}")
    return amount


def _run_headless(options: argparse.Namespace) -> int:
    from core.engine.headless import run_headless
    from core.engine.start import read_start

    prompt = _prompt(options)
    if not prompt.strip():
        sys.stderr.write('agent-tui: there is no prompt. Give one: agent-tui -p "…", or on standard input.\n')
        return USAGE_ERROR
    start = read_start(_flags(options), _selection(options), is_attended=False)
    if start.untrusted:
        left_out = "; ".join(start.untrusted)
        sys.stderr.write(
            f"agent-tui: this folder is not trusted, so its settings are left out ({left_out}). "
            "Start agent-tui here without -p to trust it.\n"
        )
    if start.needs_credentials:
        sys.stderr.write("agent-tui: there are no credentials. Set ANTHROPIC_API_KEY, or try --demo.\n")
        return 1
    return run_headless(
        start.settings,
        start.launch,
        prompt,
        options.output_format,
        forwards_agents=options.forward_subagent_text,
    )


def _prompt(options: argparse.Namespace) -> str:
    """The argument, with what comes on standard input after it."""
    piped = ""
    if not sys.stdin.isatty():
        data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
        if len(data) > MAX_STDIN_BYTES:
            from core.protocol.errors import AgentError

            raise AgentError("Standard input holds more than 10 MB.", "Save it to a file and name the file.")
        piped = data.decode("utf-8", "replace")
    return "\n\n".join(part for part in (options.prompt, piped) if part.strip())


def _run_window(options: argparse.Namespace) -> int:
    is_dumb = os.environ.get("TERM") == "dumb"
    if is_dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        what = "this terminal cannot show a window (TERM=dumb)" if is_dumb else "this is not a terminal"
        sys.stderr.write(f'agent-tui: {what}. For use in scripts: agent-tui -p "…"\n')
        return USAGE_ERROR
    from core.host.garbage import freeze_survivors, importing
    from core.settings.paths import find_paths

    freeze_survivors()
    # Textual lets a change, also a key's echo, wait for its next frame: 4 ms here, not 17. What streams in still
    # comes thirty times a second. It reads this once, and commands that are run shall not inherit it.
    is_chosen = "TEXTUAL_FPS" in os.environ
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)
    with importing():
        from tui.app import AgentApp
    if not is_chosen:
        del os.environ["TEXTUAL_FPS"]

    config = find_paths(os.environ).config
    app = AgentApp(_flags(options), _selection(options), first_prompt=options.prompt, config=config)
    app.run()
    return app.return_code or 0


def _run_plain(options: argparse.Namespace) -> int:
    from tui.plain.session import run_plain

    return run_plain(_flags(options), _selection(options), options.prompt)


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    """Settings given on the command line, by field."""
    return {
        "model": options.model,
        "fallback_models": _names(options.fallback_model),
        "effort": options.effort,
        "mode": options.permission_mode,
        "allow": _rules(options.allow),
        "deny": _rules(options.deny),
        "max_turns": options.max_turns,
        "max_budget_usd": options.max_budget_usd,
        "max_budget_tokens": options.max_budget_tokens,
        "system_prompt": options.system_prompt,
        "append_system_prompt": options.append_system_prompt,
        "theme": options.theme,
        "settings": options.settings,
        "add_dirs": tuple(options.add_dirs) if options.add_dirs else None,
    }


def _names(text: str | None) -> tuple[str, ...] | None:
    """Names separated by commas or blanks."""
    return None if text is None else tuple(name for name in text.replace(",", " ").split() if name)


def _rules(values: list[str] | None) -> tuple[str, ...] | None:
    """Rules separated by commas or blanks, but not inside parentheses."""
    if values is None:
        return None
    from core.settings.rule_lists import split_rules

    return tuple(rule for value in values for rule in split_rules(value))


def _selection(options: argparse.Namespace) -> dict[str, Any]:
    resume = "latest" if options.resume_latest else options.resume
    return {"is_demo": options.demo, "resume": resume, "tools": _names(options.tools) or ()}


if __name__ == "__main__":
    sys.exit(main())
