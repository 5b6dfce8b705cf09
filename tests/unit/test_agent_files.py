"""A file as an agent's definition: what is read, and what is wrong with it, with its line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from core.agents import definitions as module
from core.agents.definition import AgentDefinition
from core.agents.front_matter import split_front
from core.agents.reading import MAX_BYTES, NAME, Reading, parse_definition, read_definition
from core.engine.tools import TOOLS
from core.protocol.agent_views import AgentLayer

TOOL_NAMES = [tool.name for tool in TOOLS]
FINE = "---\nname: reviewer\ndescription: Reviews.\n---\nYou review.\n"


def parse(text: str | bytes, layer: AgentLayer = "project", **more: Any) -> Reading:
    data = text if isinstance(text, bytes) else text.encode()
    return parse_definition(data, "a.md", layer, TOOL_NAMES, **more)


def made(*lines: str, body: str = "You review.") -> AgentDefinition:
    """The definition with further lines of frontmatter; nothing is wrong with it."""
    reading = parse("\n".join(["---", "name: reviewer", "description: Reviews.", *lines, "---", body, ""]))
    assert reading.definition is not None and reading.problems == ()
    return reading.definition


def problem(text: str | bytes, **more: Any) -> str:
    reading = parse(text, **more)
    assert reading.definition is None and len(reading.problems) == 1
    return reading.problems[0]


def with_line(line: str) -> str:
    return f"---\nname: reviewer\ndescription: Reviews.\n{line}\n---\nYou review.\n"


def test_what_has_only_what_it_needs() -> None:
    assert made() == AgentDefinition(
        name="reviewer", description="Reviews.", prompt="You review.", layer="project", source="a.md"
    )


def test_every_field_is_read() -> None:
    agent = made(
        "tools: Read, Grep, mcp__git, mcp__git__log",
        "disallowedTools: [Bash]",
        "model: sonnet",
        "permissionMode: plan",
        "maxTurns: 12",
        "skills: [a, b]",
        "mcpServers: git, web",
        "hooks: {Stop: [{type: command, command: ls}]}",
        "color: red",
        "background: true",
        "effort: high",
        "readOnly: true",
        "instructions: false",
        body="You review.\n\n---\n\nAnd no more.",
    )
    assert agent == AgentDefinition(
        name="reviewer",
        description="Reviews.",
        prompt="You review.\n\n---\n\nAnd no more.",
        tools=("Read", "Grep", "mcp__git", "mcp__git__log"),
        disallowed=("Bash",),
        model="sonnet",
        mode="plan",
        max_turns=12,
        skills=("a", "b"),
        mcp_servers=("git", "web"),
        hooks={"Stop": [{"type": "command", "command": "ls"}]},
        color="red",
        in_background=True,
        effort="high",
        is_read_only=True,
        has_instructions=False,
        layer="project",
        source="a.md",
    )


@pytest.mark.parametrize(
    ("line", "tools"),
    [
        ("tools:", None),
        ("tools: '*'", None),
        ("tools: *", None),
        ("tools: [Read, '*']", None),
        ("tools: []", ()),
        ("tools:\n  - Read\n  - Write", ("Read", "Write")),
        ("tools: Agent(a, b), NotebookRead, KillBash, Read", ("Task", "Read", "KillShell")),
        ("tools: TaskOutput, Skill, SendMessage, ToolSearch", ("BashOutput", "Skill", "SendMessage", "ToolSearch")),
    ],
)
def test_tools_in_all_the_ways_they_are_written(line: str, tools: tuple[str, ...] | None) -> None:
    assert made(line).tools == tools


REAL = r"""---
name: code-reviewer
description: Use this: it looks. Examples: <example>Context: Code.\nuser: "Done: check it"\nassistant: "I do"</example>
tools: Glob, Grep, Read, TodoWrite
model: opus
color: cyan
---

You are an expert: you review.
"""
SPREAD = """---
name: code-reviewer
description: Use this agent when code was written. Examples:

<example>
Context: The user wrote code.
user: "Done: check it"
assistant: 'I will'
</example>
- and more
model: opus
hooks:
  Stop:
    - type: command
---
You review.
"""


def test_descriptions_that_are_no_yaml_are_taken_as_they_stand() -> None:
    agent = parse(REAL).definition
    assert agent is not None and (agent.model, agent.color) == ("opus", "cyan")
    assert agent.tools == ("Glob", "Grep", "Read", "TodoWrite")
    assert agent.description.startswith("Use this: it looks.")
    assert '\nuser: "Done: check it"\n' in agent.description and agent.description.endswith("</example>")
    agent = parse(SPREAD).definition
    assert agent is not None and agent.model == "opus" and agent.hooks == {"Stop": [{"type": "command"}]}
    assert agent.description.splitlines()[3:5] == ["Context: The user wrote code.", 'user: "Done: check it"']
    assert agent.description.endswith("</example>\n- and more")


def test_a_description_may_be_full_of_brackets() -> None:
    agent = parse(f"---\nname: reviewer\ndescription: Reviews: {'{[x]} ' * 500}\ntools: [Read]\n---\nx").definition
    assert agent is not None and agent.tools == ("Read",) and agent.description.count("{[x]}") == 500


BROKEN: dict[str, tuple[str | bytes, int, str]] = {
    "byte order mark": (b"\xef\xbb\xbf" + FINE.encode(), 1, "byte order mark"),
    "UTF-16": (FINE.encode("utf-16"), 1, "byte order mark"),
    "Latin-1": ("---\nname: reviewer\ndescription: Schön.\n---\nx".encode("latin-1"), 3, "UTF-8"),
    "tab": ("---\nname: reviewer\ndescription: >\n  Reviews\n\tall.\n---\nx", 5, "tab"),
    "no frontmatter": ("# Notes\n", 1, "frontmatter"),
    "empty": ("", 1, "frontmatter"),
    "not closed": ("---\nname: reviewer\ndescription: Reviews.\n", 1, "not closed"),
    "no fields": ("---\n---\nx", 1, "name and description missing"),
    "a list": ("---\n- a\n- b\n---\nx", 2, "no list of fields"),
    "no name": ("---\ndescription: Reviews.\n---\nx", 1, "name missing"),
    "no description": ("---\nname: reviewer\n---\nx", 1, "description missing"),
    "empty description": ("---\nname: reviewer\ndescription: ''\n---\nx", 1, "description missing"),
    "nothing to do": ("---\nname: reviewer\ndescription: Reviews.\n---\n \n", 5, "nothing behind"),
    "a name with blanks": ("---\nname: my agent\ndescription: Reviews.\n---\nx", 2, "'my agent' is no name"),
    "a number for a name": ("---\nname: 12\ndescription: Reviews.\n---\nx", 2, "must be text"),
    "a name that leads up": ("---\nname: ../x\ndescription: Reviews.\n---\nx", 2, "is no name"),
    "a long name": (f"---\nname: {'x' * 65}\ndescription: Reviews.\n---\nx", 2, "is no name"),
    "the name of a fork": ("---\nname: fork\ndescription: Reviews.\n---\nx", 2, "choose another name"),
    "bad YAML": ("---\nname: reviewer\ndescription: Reviews.\nhooks: {a: [}\n---\nx", 4, "no YAML"),
    "an open quote": ('---\nname: reviewer\ndescription: "Reviews.\n---\nx', 3, "no YAML"),
    "a line that is no field": ("---\nname: reviewer\nwhat is this\ndescription: x\n---\nx", 4, "no YAML"),
    "twice": ("---\ndescription: a: b\nname: one\nname: two\n---\nx", 4, "name is there twice"),
    "unknown tool": (with_line("tools: Read, Reed, Foo"), 4, "there is no tool 'Reed': is Read meant?"),
    "unknown tool, nothing near": (with_line("tools: Zzz"), 4, "there are AskUserQuestion, Bash"),
    "tools in the wrong case": (with_line("tools: read"), 4, "is Read meant?"),
    "a part of a tool": (with_line("tools: Bash(git *), Read"), 4, "names a part of a tool: write Bash"),
    "a part taken away": (with_line("disallowedTools: Bash(rm:*)"), 4, "names a part of a tool"),
    "all taken away": (with_line("disallowedTools: '*'"), 4, "every tool is taken away"),
    "tools as an object": (with_line("tools: {Read: true}"), 4, "must be a list of names"),
    "a mode": (with_line("permissionMode: yolo"), 4, "is none of manual, default"),
    "a mode that only the user may choose": (with_line("permissionMode: bypassPermissions"), 4, "a project cannot"),
    "turns": (with_line("maxTurns: 0"), 4, "is no number from 1 on"),
    "many turns": (with_line(f"maxTurns: {'9' * 5_000}"), 4, "is no number from 1 on"),
    "a color": (with_line("color: mauve"), 4, "is none of red, blue"),
    "an effort": (with_line("effort: a bit"), 4, "is none of low"),
    "a flag": (with_line("background: perhaps"), 4, "must be true or false"),
    "a model": (with_line("model: the best one"), 4, "is no model"),
    "hooks": (with_line("hooks: none"), 4, "must be an object"),
    "too much of itself": (
        with_line(
            "hooks: {a: &a [1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a], c: &c [*b,*b,*b,*b,*b,*b,*b,*b],"
            " d: [*c,*c,*c,*c,*c,*c,*c,*c]}"
        ),
        4,
        "too large",
    ),
    "in itself": (with_line("hooks: &a {b: *a}"), 4, "too large"),
    "a tag that does not fit": (with_line("skills: !!bool x"), 4, "no YAML"),
    "nested": (with_line("hooks: " + "[" * 30_000), 4, "nested too deeply"),
    "nested behind quotes": (with_line("hooks: " + '["]", ' * 9_000), 4, "nested too deeply"),
    "nested in steps": (with_line("hooks:\n " + "- " * 20_000), 4, "nested too deeply"),
    "nested in columns": (
        with_line("hooks:\n" + "".join(" " * at + "a:\n" for at in range(1, 300))),
        4,
        "nested too deeply",
    ),
    "long": (with_line("skills: " + "x" * 70_000), 1, "longer than"),
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_what_is_broken_is_told_with_its_line(what: str) -> None:
    text, line, words = BROKEN[what]
    told = problem(text)
    assert told.startswith(f"a.md:{line}: ") and words in told
    assert len(told) < 600 and "\n" not in told


def test_fields_that_mean_nothing_are_told_and_the_rest_counts() -> None:
    reading = parse(with_line("memory: user\nnmae: x"))
    assert reading.definition is not None and reading.definition.name == "reviewer"
    assert reading.problems == (
        "a.md:4: memory is not supported and left out",
        "a.md:5: nmae is no field of an agent and left out",
    )


def test_only_the_user_may_bypass_permissions() -> None:
    agent = parse(with_line("permissionMode: bypassPermissions"), "user").definition
    assert agent is not None and agent.mode == "bypassPermissions"


def test_line_ends_of_windows() -> None:
    agent = parse(FINE.replace("\n", "\r\n")).definition
    assert agent is not None and (agent.description, agent.prompt) == ("Reviews.", "You review.")


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ("# Notes\n", False),
        ("---\ntitle: Notes\n---\nx", False),
        ("---\n\nA line above.\n\nname: x\n", False),
        ("", False),
        ("---\nname: reviewer\n---\nx", True),
        ("---\nname: reviewer\n", True),
        ("\ufeff---\nname: reviewer\n", True),
    ],
)
def test_beside_other_documents_only_what_looks_like_one_is_one(text: str, is_ours: bool) -> None:
    assert bool(parse(text, is_shared=True).problems) == is_ours
    assert parse(FINE, is_shared=True).definition is not None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large, pipe, loop, folder = (tmp_path / name for name in ("large.md", "pipe.md", "loop.md", "folder.md"))
    large.write_bytes(b"x" * (MAX_BYTES + 1))
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    folder.mkdir()
    for path in (large, pipe, loop, folder, tmp_path / "none.md", Path("/dev/zero")):
        reading = read_definition(path, "user", TOOL_NAMES)
        assert reading.definition is None
        assert [text.startswith(f"{path}:1: it cannot be read: ") for text in reading.problems] == [True]


fronts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "name: reviewer", "description: Reviews.", "description: a: b", "tools: Read", "tools: Bash(x)", "- a",
                "hooks:", "  Stop: [", "}", "\tx", "model: &a *a", "maxTurns: 3", "color: !!int x", "name:", "'", '"',
                "description: |", "  text", "skills: !!timestamp x", "? [a]: {b}", "<<: 1", "maxTurns: 0x_", "a: 1e999",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=8,
)  # fmt: skip


@given(fronts, st.booleans(), st.text(max_size=10))
@example(["name: reviewer", 'description: "\\ud800"'], True, "x")
def test_whatever_is_in_the_frontmatter_it_is_a_definition_or_a_problem(
    lines: list[str], is_closed: bool, body: str
) -> None:
    text = "\n".join(["---", *lines, *(["---"] if is_closed else []), body])
    check(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=400))
@example(b"---\nname: a\n---")
def test_any_bytes_are_a_definition_or_a_problem(data: bytes) -> None:
    check(data)
    check(b"---\n" + data)


def check(data: bytes) -> None:
    reading = parse(data)
    assert reading.definition is not None or len(reading.problems) == 1
    for text in reading.problems:
        assert text.startswith("a.md:") and text.split(":")[1].isdigit()
        assert 1 <= int(text.split(":")[1]) <= data.count(b"\n") + 3
        text.encode()
    if reading.definition is not None:
        agent = reading.definition
        assert NAME.fullmatch(agent.name) and agent.description.encode() and agent.prompt.encode()


def test_our_own_are_what_they_are_for_everybody() -> None:
    """They are read without YAML; with it they say the same."""
    agents = module.built_in()
    assert [agent.name for agent in agents] == ["general-purpose", "Explore", "Plan"]
    for agent in agents:
        path = Path(module.__file__).with_name("builtin") / f"{agent.name}.md"
        reading = read_definition(path, "user", TOOL_NAMES)
        assert reading.problems == () and reading.definition is not None
        told = (agent.description, agent.prompt, agent.tools, agent.model, agent.is_read_only, agent.has_instructions)
        same = reading.definition
        assert told == (same.description, same.prompt, same.tools, same.model, same.is_read_only, same.has_instructions)
        front = split_front(path.read_text())
        assert front is not None and isinstance(yaml.safe_load(front.text), dict)
    general, explore, plan = agents
    assert general.tools is None and general.model == "inherit"
    assert explore.is_read_only and explore.model == "small" and not explore.has_instructions
    assert plan.is_read_only and plan.model == "inherit" and plan.tools == explore.tools
