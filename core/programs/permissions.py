"""``agent-tui permissions``: explains the decision for a call, and checks files of cases."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from core.programs.permission_cases import CaseResult, check_cases
from core.programs.permission_explain import Explanation, explain_call
from core.protocol.errors import AgentError

MARKS = {"allow": "✓", "ask": "?", "deny": "✗"}


def main(arguments: list[str]) -> int:
    """Run it; the exit code. 1 where a case is wrong, 2 where it cannot be run."""
    parser = argparse.ArgumentParser(prog="agent-tui permissions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    explain = commands.add_parser("explain", help="what would be decided for a call here, and why")
    explain.add_argument("call", help="a shell command, or a call such as 'Read(~/.ssh/config)'")
    explain.add_argument("--permission-mode", metavar="MODE", help="as if this mode were on")
    check = commands.add_parser("test", help="check a file of cases")
    check.add_argument("file", type=Path, help="JSON lines")
    for command in (explain, check):
        command.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    try:
        if options.command == "test":
            return _test(options.file, as_json=options.json)
        explanation = explain_call(options.call, options.permission_mode)
    except AgentError as error:
        sys.stderr.write(f"agent-tui: {error}\n")
        return 2
    text = json.dumps(explanation.record(), ensure_ascii=False) if options.json else _told(explanation)
    sys.stdout.write(text + "\n")
    return 0


def _test(file: Path, *, as_json: bool) -> int:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"{file} cannot be read: {error}.") from error
    results = list(check_cases(iter(lines)))
    wrong = [result for result in results if not result.ok]
    for result in results if as_json else wrong:
        sys.stdout.write((_record(result) if as_json else _line(result)) + "\n")
    if not as_json:
        sys.stdout.write(f"{len(results)} cases, {len(wrong)} wrong\n")
    return 1 if wrong else 0


def _record(result: CaseResult) -> str:
    data = asdict(result)
    data["soft"] = data.pop("is_soft")
    return json.dumps(data, ensure_ascii=False)


def _line(result: CaseResult) -> str:
    return f"{result.id}: {_word(result.actual)} instead of {_word(result.expected)}  ({_plain(result.reason)})"


def _word(answer: bool | str) -> str:
    return answer if isinstance(answer, str) else "runs unasked" if answer else "asked about"


def _told(explanation: Explanation) -> str:
    rule = f"{explanation.rule}  ({explanation.source})" if explanation.rule else "none"
    rows = [
        ("decision", explanation.decision),
        ("reason", explanation.reason),
        ("rule", rule),
        ("read-only", "yes" if explanation.read_only else "no"),
        ("mode", explanation.mode),
    ]
    lines = [f"{name:10} {_plain(text)}" for name, text in rows]
    for number, part in enumerate(explanation.parts):
        title = "parts" if number == 0 else ""
        lines.append(f"{title:10} {MARKS[part.behavior]} {_plain(part.text)}  ({_plain(part.reason)})")
    lines += [f"{'problem':10} {_plain(problem)}" for problem in explanation.problems]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """On one line, with every character visible: this goes to a terminal."""
    return "".join(char if char.isprintable() else f"⟨U+{ord(char):04X}⟩" for char in text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
