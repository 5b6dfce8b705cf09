"""The only place that builds things."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.bus.bus import Bus, Publisher
from core.bus.recorder import Recorder
from core.cost.ledger import Ledger
from core.engine.engine import Engine
from core.engine.launch import LATEST, Launch
from core.engine.resume import restore_account, usable_messages
from core.engine.session import Session, SessionState
from core.host.host import Host
from core.llm.anthropic import LOCAL_SILENCE_S, SILENCE_S, AnthropicClient
from core.llm.client import ModelClient
from core.llm.demo import DEMO_MODEL, demo_model
from core.orchestration.call import CallEnvironment
from core.permissions.broker import PermissionBroker
from core.permissions.decide import Policy
from core.permissions.modes import check_mode
from core.permissions.policy_holder import PolicyHolder
from core.permissions.rules import Rule, parse_rule
from core.protocol.errors import AgentError
from core.protocol.ids import MAIN_AGENT
from core.protocol.usage import Usage
from core.sessions.conversation import Conversation
from core.sessions.entries import RecordBase
from core.sessions.load import LoadedSession, find_transcript, load_session
from core.sessions.writer import TranscriptWriter
from core.settings.credentials import credential_source, is_local
from core.settings.load import Problem
from core.settings.schema import Settings
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.glob.tool import Glob
from core.tools.builtin.grep.tool import Grep
from core.tools.builtin.kill_shell.tool import KillShell
from core.tools.builtin.ls.tool import LS
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.read.tool import Read
from core.tools.builtin.todo_write.tool import TodoWrite
from core.tools.builtin.write.tool import Write
from core.tools.context import ToolServices, ToolState
from core.tools.registry import ToolRegistry
from core.tools.shells import ShellRegistry
from core.tools.todo_store import TodoStore
from core.version import __version__

TOOLS = (
    Read,
    Write,
    Edit,
    MultiEdit,
    Glob,
    Grep,
    LS,
    Bash,
    BashOutput,
    KillShell,
    TodoWrite,
)
"""In the order they are sent."""


def build_engine(
    settings: Settings, launch: Launch, *, model: ModelClient | None = None, host: Host | None = None
) -> Engine:
    """A session that is ready to start. Raises ``AgentError`` for what makes starting impossible.

    ``model`` and ``host`` (clock, ids, processes, environment, files) are what tests replace.
    """
    host = host or Host()
    if launch.is_demo:
        # Nothing of it is billed, so no real model's name or price is shown.
        settings = replace(settings, model=DEMO_MODEL)
    check_mode(settings.mode, host.environ)
    transcript, loaded = _find_session(launch, host)
    bus = Bus(transcript.stem, host.clock)
    publisher = Publisher(bus)
    folder = transcript.with_suffix("")
    launch, rules = _parse_rules(settings, launch)
    calls = _build_calls(settings, launch, host, publisher, folder, rules)
    ledger = Ledger()
    conversation = _build_conversation(launch, host, publisher, transcript, loaded, calls.tools)
    state = SessionState(settings=settings, tools=ToolState(cwd=launch.cwd))
    if loaded is not None:
        restore_account(loaded, ledger)
        state.system = loaded.system
    client = model or _build_client(settings, launch, host)
    session = Session(launch, state, client, conversation, calls, ledger)
    recorder = Recorder(bus, host.open_log(folder / "events.jsonl"))
    return Engine(launch, session, calls, bus, recorder, loaded)


def _find_session(launch: Launch, host: Host) -> tuple[Path, LoadedSession | None]:
    """The transcript's path, and what is in it where an earlier session is taken up."""
    project = launch.paths.project(launch.cwd)
    if launch.resume is None:
        return project / f"{host.ids.uuid()}.jsonl", None
    wanted = None if launch.resume == LATEST else launch.resume
    transcript = find_transcript(launch.paths.data / "projects", project, wanted)
    return transcript, load_session(transcript)


def _build_calls(
    settings: Settings,
    launch: Launch,
    host: Host,
    publisher: Publisher,
    folder: Path,
    rules: tuple[tuple[Rule, ...], tuple[Rule, ...]],
) -> CallEnvironment:
    outputs = folder / "outputs"
    services = ToolServices(
        host=host,
        root=launch.cwd,
        output_dir=outputs,
        shells=ShellRegistry(host, publisher, outputs),
        todos=TodoStore(launch.paths.data / "todos" / f"{folder.name}-agent-{MAIN_AGENT}.json", publisher),
    )
    policy = Policy(
        mode=settings.mode,
        cwd=launch.cwd,
        roots=(launch.cwd,),
        readable=(outputs,),
        allow=rules[0],
        deny=rules[1],
    )
    unknown = set(launch.tools) - {tool.name for tool in TOOLS}
    if unknown:
        raise AgentError(f"There is no tool named {', '.join(sorted(unknown))}.")
    return CallEnvironment(
        tools=ToolRegistry(tool() for tool in TOOLS if not launch.tools or tool.name in launch.tools),
        services=services,
        policies=PolicyHolder(policy, publisher),
        broker=PermissionBroker(is_attended=launch.is_attended),
        publisher=publisher,
    )


def _parse_rules(settings: Settings, launch: Launch) -> tuple[Launch, tuple[tuple[Rule, ...], tuple[Rule, ...]]]:
    """The rules that allow and that deny; a text that is no rule joins the problems that are told at the start."""
    problems: list[Problem] = []
    parsed: list[tuple[Rule, ...]] = []
    for texts in (settings.allow, settings.deny):
        rules: list[Rule] = []
        for text in texts:
            try:
                rules.append(parse_rule(text, "settings"))
            except ValueError as error:
                problems.append(Problem("permissions", f"{error}; it is left out"))
        parsed.append(tuple(rules))
    return replace(launch, problems=(*launch.problems, *problems)), (parsed[0], parsed[1])


def _build_conversation(
    launch: Launch,
    host: Host,
    publisher: Publisher,
    transcript: Path,
    loaded: LoadedSession | None,
    tools: ToolRegistry,
) -> Conversation:
    base = RecordBase(session_id=transcript.stem, cwd=str(launch.cwd), version=__version__)
    writer = TranscriptWriter(
        host.open_log(transcript), base, host, publisher, last_uuid=loaded.last_uuid if loaded else None
    )
    if loaded is None:
        return Conversation(writer)
    writer.lock()
    conversation = Conversation(writer, usable_messages(loaded, tools.digest))
    conversation.last_usage = loaded.requests[-1].usage if loaded.requests else Usage()
    return conversation


def _build_client(settings: Settings, launch: Launch, host: Host) -> ModelClient:
    if launch.is_demo:
        return demo_model()
    source = credential_source(host.environ, settings.base_url)
    return AnthropicClient(
        base_url=settings.base_url,
        api_key=launch.api_key,
        needs_no_key=source == "a local server",
        silence_s=LOCAL_SILENCE_S if is_local(settings.base_url) else SILENCE_S,
    )
