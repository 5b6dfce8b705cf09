"""Scenes of consent: what is asked, what is alike, the rules and the decisions."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.views import Behavior, CallPart, PermissionRequest, RuleInfo, RuleScope
from tests.snapshot.stage import CWD, call, started

PUSH = "cd web && npm test -- --watch=false | tee /tmp/npm.log && git push origin main"
PARTS = (
    CallPart(text="cd web", behavior="allow", reason="stays in the folder"),
    CallPart(text="npm test -- --watch=false", behavior="allow", reason="rule Bash(npm test *)"),
    CallPart(text="tee /tmp/npm.log", behavior="ask", reason="tee writes /tmp/npm.log, outside the working folder"),
    CallPart(text="git push origin main", behavior="ask", reason="git push changes another repository"),
)
SCOPES = (
    RuleScope(
        rules=("Edit(//tmp/npm.log)", "Bash(git push origin main)"),
        refuses="git push origin release",
    ),
    RuleScope(
        rules=("Edit(//tmp/npm.log)", "Bash(git push origin *)"),
        allows="git push origin release",
        refuses="git push --force upstream",
    ),
    RuleScope(rules=("Edit(//tmp/**)", "Bash(git push *)"), allows="git push --force upstream", refuses="git pull"),
)


def begun(*calls: tuple[str, str, dict[str, object]]) -> list[ev.Event]:
    """A turn in which these calls have begun."""
    shown: list[ev.Event] = [
        *started(),
        ev.PromptSubmitted(message_id="p1", text="Test it and publish"),
        ev.TurnStarted(),
    ]
    for number, (call_id, name, arguments) in enumerate(calls):
        shown += call(call_id, name, number, **arguments)
    return shown


def commanded() -> list[ev.Event]:
    """An agent wants to run a line of several commands."""
    request = PermissionRequest(
        id="ask1",
        tool_use_id="c1",
        tool_name="Bash",
        input={"command": PUSH, "description": "Run the tests, keep their log, publish"},
        reason="tee writes /tmp/npm.log, outside the working folder",
        agent="release-manager",
        parts=PARTS,
        scopes=SCOPES,
        scope=1,
        saves_to=f"{CWD}/.claude/settings.local.json",
    )
    behind = PermissionRequest(
        id="ask2", tool_use_id="c2", tool_name="Read", input={"file_path": "/etc/hosts"}, reason="it is elsewhere"
    )
    return [
        *begun(("c1", "Bash", dict(request.input)), ("c2", "Read", dict(behind.input))),
        ev.PermissionRequested(request=request),
        ev.PermissionRequested(request=behind),
    ]


def alike() -> list[ev.Event]:
    """Three agents want nearly the same, and a fourth request is of another kind."""
    scopes = (RuleScope(rules=("Bash(uv run pytest *)",), allows="uv run pytest -x", refuses="uv run python"),)
    shown = begun()
    for number, (agent, file) in enumerate((("tester", "parser"), ("tester", "lexer"), ("reviewer", "cli")), 1):
        command = f"uv run pytest tests/test_{file}.py -q"
        request = PermissionRequest(
            id=f"ask{number}",
            tool_use_id=f"c{number}",
            tool_name="Bash",
            input={"command": command},
            reason="no rule allows it, and it runs the project's code",
            agent=agent,
            scopes=scopes,
            saves_to=f"{CWD}/.claude/settings.local.json",
            likeness="Bash(uv run pytest *)",
        )
        shown += [*call(f"c{number}", "Bash", number, command=command), ev.PermissionRequested(request=request)]
    other = PermissionRequest(
        id="ask4", tool_use_id="c4", tool_name="Read", input={"file_path": "/etc/hosts"}, reason="it is elsewhere"
    )
    return [*shown, ev.PermissionRequested(request=other)]


def explained() -> list[ev.Event]:
    """What a model thinks of the first one, for when it was asked."""
    text = "Runs the tests in web/, copies what they print to /tmp/npm.log and publishes the branch main to origin."
    return [ev.PermissionExplained(request_id="ask1", text=text, risk="medium")]


RULES = (
    RuleInfo(behavior="deny", text="Read(~/.ssh/**)", layer="user", source="/home/ada/.claude/settings.json:12"),
    RuleInfo(
        behavior="deny", text="Bash(rm -rf *)", layer="managed", source="/etc/claude-code/managed-settings.json:4"
    ),
    RuleInfo(behavior="ask", text="Bash(git push *)", layer="project", source=f"{CWD}/.claude/settings.json:7"),
    RuleInfo(behavior="allow", text="Edit(src/**)", layer="project", source=f"{CWD}/.claude/settings.json:9"),
    RuleInfo(
        behavior="allow",
        text="Bash(uv run pytest *)",
        layer="local",
        source=f"{CWD}/.claude/settings.local.json:3",
        can_delete=True,
    ),
    RuleInfo(
        behavior="allow",
        text="Bash(npm:*",
        layer="local",
        source=f"{CWD}/.claude/settings.local.json:4",
        problem="the bracket is not closed",
        can_delete=True,
    ),
    RuleInfo(behavior="allow", text="WebFetch(domain:docs.python.org)", layer="session", can_delete=True),
)


def ruled() -> list[ev.Event]:
    """Rules of every layer, and decisions of every kind."""
    decided: list[tuple[str, Behavior, str, str, str, str]] = [
        ("d1", "allow", "Bash", "git status --short", "it only reads", ""),
        ("d2", "allow", "Edit", "src/parser.py", "a rule allows it", "Edit(src/**)"),
        ("d3", "deny", "Read", "~/.ssh/id_ed25519", "a rule denies it", "Read(~/.ssh/**)"),
        ("c1", "ask", "Bash", PUSH, "tee writes /tmp/npm.log, outside the working folder", "Bash(git push *)"),
        ("d5", "ask", "Bash", "make clean\nmake", "no rule allows it", ""),
    ]
    shown: list[ev.Event] = [ev.RulesChanged(rules=RULES)]
    for call_id, behavior, tool, subject, reason, rule in decided:
        source = next((known.source for known in RULES if known.text == rule), "")
        parts = PARTS if call_id == "c1" else ()
        shown.append(
            ev.PermissionDecided(
                tool_use_id=call_id,
                behavior=behavior,
                reason=reason,
                tool_name=tool,
                subject=subject,
                rule=rule,
                source=source,
                parts=parts,
            )
        )
    made = PermissionRequest(id="ask5", tool_use_id="d5", tool_name="Bash", input={}, reason="", agent="builder")
    return [
        *begun(),
        *shown,
        ev.PermissionRequested(request=made),
        ev.PermissionResolved(request_id="ask5", tool_use_id="d5", answer="deny", comment="use uv instead"),
        ev.PermissionResolved(request_id="ask1", tool_use_id="c1", answer="session"),
    ]
