"""``agent-tui audit``: what agents did in a session, step by step, for people and programs to check."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from core.agents.audit import as_csv, as_jsonl, read_audit
from core.protocol.errors import AgentError
from core.sessions.load import find_transcript
from core.settings.paths import find_paths

FORMATS = {"jsonl": as_jsonl, "csv": as_csv}


def main(arguments: list[str]) -> int:
    """Run it; the exit code. 2 where it cannot be run."""
    parser = argparse.ArgumentParser(prog="agent-tui audit", description="Write down what agents did, step by step.")
    parser.add_argument("session", nargs="?", help="its id, or the beginning of it; without: the newest of this folder")
    parser.add_argument("--agent", default="", metavar="ID", help="only what this one did; main is the main agent")
    parser.add_argument("--format", choices=tuple(FORMATS), default="jsonl", help="JSON lines, or CSV")
    options = parser.parse_args(arguments)
    paths = find_paths(os.environ)
    try:
        transcript = find_transcript(paths.data / "projects", paths.project(Path.cwd()), options.session)
        audit = read_audit(transcript.with_suffix("") / "events.jsonl").of(options.agent)
    except AgentError as error:
        sys.stderr.write(f"agent-tui: {error}\n")
        return 2
    sys.stdout.writelines(_plain(line) for line in FORMATS[options.format](audit.rows))
    if audit.damaged:
        lines = "line is" if audit.damaged == 1 else "lines are"
        sys.stderr.write(f"agent-tui: {audit.damaged} damaged {lines} left out of the event log.\n")
    return 0


def _plain(line: str) -> str:
    """With every character visible: this goes to a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else f"⟨U+{ord(char):04X}⟩" for char in line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
