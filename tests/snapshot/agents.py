"""Subagents in the window: each state of their panes, what they ask, and what goes wrong."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.envelope import Envelope
from core.protocol.inquiries import QuestionOption, QuestionRequest, UserQuestion
from core.protocol.messages import TextBlock
from core.protocol.usage import Usage
from core.protocol.views import PermissionRequest, RuleScope, TaskInfo, TodoItem
from tests.snapshot.stage import call, done, started

NOW = 1_000.0
"""What the clock of the stage says."""
Scene = list[ev.Event | Envelope]


def of(agent_id: str, *events: ev.Event) -> list[Envelope]:
    """Events of a subagent."""
    return [Envelope(seq=0, ts=NOW, session_id="s", event=event, agent_id=agent_id) for event in events]


def agent(number: int, kind: str, description: str, **more: object) -> AgentInfo:
    """An agent that runs for some seconds, started by the call of its number."""
    given: dict[str, object] = {
        "id": f"a{number:06x}",
        "agent_type": kind,
        "description": description,
        "prompt": f"{description}, and say where they are.",
        "model": "claude-haiku-5",
        "status": "running",
        "tool_use_id": f"t{number}",
        "started_at": NOW - 12,
        "heard_at": NOW,
        "steps": 3,
        "tool_uses": 4,
        "usage": Usage(input_tokens=2_400, cache_read_tokens=21_000, output_tokens=1_300),
        "cost_usd": 0.0123,
        "context_tokens": 12_400,
        "context_window": 200_000,
    }
    return AgentInfo(**{**given, **more})  # pyright: ignore[reportArgumentType]


def tasked(*agents: AgentInfo) -> Scene:
    """A prompt, and calls that start these agents at once."""
    begun: list[ev.Event] = []
    for one in agents:
        number = one.tool_use_id[1:]
        begun += call(f"t{number}", "Task", 0, subagent_type=one.agent_type, description=one.description, prompt="…")
    for one in agents:
        begun.append(ev.AgentStarted(agent=one))
    return [*started(), ev.PromptSubmitted(message_id="p1", text="Who calls the parser?"), ev.TurnStarted(), *begun]


def looks(agent_id: str, text: str, *patterns: str) -> list[Envelope]:
    """What an agent says, and its searches; the last of them runs."""
    events: list[ev.Event] = [ev.TurnStarted(), ev.BlockFinished(block_id="x", block=TextBlock(text=text))]
    for at, pattern in enumerate(patterns):
        events += call(f"{agent_id}-{at}", "Grep", at, pattern=pattern, path="src")
        if at < len(patterns) - 1:
            events.append(done(f"{agent_id}-{at}", "Grep", "src/parser.py:3", f"{at + 1} matches in 1 file"))
    return of(agent_id, *events)


def parallel() -> Scene:
    """Three that run at once."""
    one = agent(1, "Explore", "Find the callers", color="blue")
    two = agent(2, "general-purpose", "Read the tests", color="green", model="claude-opus-5-5")
    three = agent(
        3, "security-review", "Look for injections", color="orange", status="pending", waits_for="a free place"
    )
    todos = (TodoItem(id="1", content="Read", active_form="Reading the tests", status="in_progress"),)
    return [
        *tasked(one, two, three),
        *looks(one.id, "The parser is called in two places.\nI look closer.", r"parse\(", "import parser"),
        *looks(two.id, "Fourteen tests.", "def test_"),
        *of(two.id, ev.TodosChanged(items=todos)),
    ]


def states() -> Scene:
    """Every state that an agent can be in."""
    blank = {"usage": Usage(), "cost_usd": 0.0}
    fork = {"agent_type": "fork", "inherited_tokens": 84_200, "expected_usd": 0.042}
    stall = {"trouble": "the same call 5 times: Grep parse", "color": "yellow"}
    kinds: list[AgentInfo] = [
        agent(1, "Plan", "Wait for a place", status="pending", waits_for="a free place", color="cyan", **blank),
        agent(2, "Explore", "Ask the user", waits_for="your answer", color="blue"),
        agent(3, "Explore", "Go in circles", **stall),
        agent(4, "Explore", "Work in the background", in_background=True, color="pink"),
        agent(5, "fork", "Try the other way", **{**fork, **blank, "color": "purple"}),
    ]
    ended = {"ended_at": NOW, "duration_ms": 12_400}
    over: list[AgentInfo] = [
        agent(6, "Explore", "Find the callers", status="completed", color="green", **ended),
        agent(7, "Explore", "Read the tests", status="failed", ending="the model refused", color="red", **ended),
        agent(8, "Explore", "Look around", status="killed", ending="you stopped it", color="orange", **ended),
        agent(9, "fork", "Try this way", **{**fork, **ended, "status": "completed"}),
    ]
    results = {6: "Two callers:\n\n- `src/main.py:7`\n- `src/tools.py:12`\n- none else", 9: "It works."}
    scene: Scene = []
    for number, one in enumerate((*kinds, *over)):
        scene += tasked(one)[4:] if number else tasked(one)
        scene += looks(one.id, "I look closer.", "parse")[: 0 if one.status == "pending" else None]
    for one in over:
        text = results.get(int(one.tool_use_id[1:]), "")
        is_error = one.status != "completed"
        content = text or f"The agent {one.status}: {one.ending}. It got as far as: I look closer."
        scene += [
            ev.AgentEnded(agent=one, result=text),
            ev.ToolFinished(tool_use_id=one.tool_use_id, name="Task", content=content, is_error=is_error),
        ]
    return scene


def unfolded() -> Scene:
    """What one says in full, between other things."""
    todos = (
        TodoItem(id="1", content="Search", status="completed"),
        TodoItem(id="2", content="Read", status="in_progress"),
    )
    one = agent(1, "Explore", "Find the callers", color="blue")
    return [
        *tasked(one),
        *looks(one.id, "The parser is called in **two** places.\n\n- `src/main.py`\n- a test", r"parse\(", "import"),
        *of(one.id, ev.TodosChanged(items=todos), ev.Notice(level="warning", text="A notice of its own.")),
    ]


def consented() -> Scene:
    """One asks for consent, another waits with a question of the engine about it."""
    request = PermissionRequest(
        id="ask1",
        tool_use_id="c9",
        tool_name="Bash",
        input={"command": "uv run pytest -q"},
        reason="not read-only",
        agent="a000002",
        agent_label="general-purpose · Read the tests",
        scopes=(RuleScope(rules=("Bash(uv run pytest:*)",), allows="uv run pytest -x", refuses="uv run ruff"),),
        saves_to="/home/ada/.config/agent-tui/settings.json",
    )
    return [
        *parallel(),
        *of("a000002", *call("c9", "Bash", 1, command="uv run pytest -q"), ev.PermissionRequested(request=request)),
    ]


def budgeted() -> Scene:
    """The engine asks what is to become of one."""
    question = UserQuestion(
        question="It has made the same call 5 times. How should it go on?",
        header="Stall",
        options=(
            QuestionOption(label="Nudge it"),
            QuestionOption(label="Stop it", description="what it found is kept"),
        ),
    )
    request = QuestionRequest(
        id="q1", tool_use_id="", questions=(question,), agent="a000001", agent_label="Explore · Find the callers"
    )
    return [*parallel(), *of("a000001", ev.QuestionAsked(request=request))]


def aside() -> Scene:
    """One that the user has started, which goes on after the turn; a command has ended beside it."""
    one = agent(1, "fork", "Try the other way", tool_use_id="", in_background=True, color="purple")
    shell = TaskInfo(id="b12af3c", description="make test", status="failed", detail="exit 2", started_at=1, ended_at=5)
    return [
        *started(),
        ev.PromptSubmitted(message_id="p1", text="Who calls the parser?"),
        ev.BlockFinished(block_id="x1", block=TextBlock(text="Two functions.")),
        ev.AgentStarted(agent=one),
        *looks(one.id, "I try it with a generator.", "yield"),
        ev.TaskNotified(task=shell, text=""),
        ev.TasksChanged(tasks=(shell, TaskInfo(id="b12af3d", description="make", status="running"))),
    ]


BAD = "Find\x1b[31m the\ncallers \u202eevil\u2066 \u200b漢字漢字 \x07 " + "very long " * 50


def hostile() -> Scene:
    """Descriptions and words that want to deceive."""
    one = agent(1, "Explore\x1b]0;x\x07", BAD, color="red")
    return [*tasked(one), *looks(one.id, "say \x1b[2J\u202e evil\r\nmore\x00", "\x1b[31mpattern\n\u202e")]


def many() -> Scene:
    """Twenty at once."""
    agents = [agent(number, "Explore", f"Search part {number}", color="cyan") for number in range(1, 21)]
    scene = tasked(*agents)
    for one in agents:
        scene += looks(one.id, "I look.", f"part {one.tool_use_id}")
    return scene
