"""The only place that builds things."""

from __future__ import annotations

import os
import re
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
from core.llm.catalog import find_model
from core.llm.client import ModelClient, QuerySource
from core.llm.demo import DEMO_MODEL, demo_model
from core.llm.side import Count, SideRequests
from core.orchestration.call import CallEnvironment
from core.permissions.broker import Broker
from core.permissions.decide import Policy
from core.permissions.modes import check_mode
from core.permissions.policy_holder import PolicyHolder
from core.permissions.rules import Rule, parse_rule
from core.prompt.assemble import can_search
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
from core.tools.builtin.ask_user_question.tool import AskUserQuestion
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.enter_plan_mode.tool import EnterPlanMode
from core.tools.builtin.exit_plan_mode.tool import ExitPlanMode
from core.tools.builtin.glob.tool import Glob
from core.tools.builtin.grep.tool import Grep
from core.tools.builtin.kill_shell.tool import KillShell
from core.tools.builtin.ls.tool import LS
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.notebook_edit.tool import NotebookEdit
from core.tools.builtin.read.tool import Read
from core.tools.builtin.task_create.tool import TaskCreate
from core.tools.builtin.task_get.tool import TaskGet
from core.tools.builtin.task_list.tool import TaskList
from core.tools.builtin.task_update.tool import TaskUpdate
from core.tools.builtin.todo_write.tool import TodoWrite
from core.tools.builtin.tool_search.tool import with_search
from core.tools.builtin.web_fetch.tool import WebFetch
from core.tools.builtin.web_search.tool import WebSearch
from core.tools.builtin.write.tool import Write
from core.tools.confining import SandboxRules
from core.tools.context import ToolServices, ToolState
from core.tools.registry import SEARCH_TOOL, ToolOffer, ToolRegistry
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shells import ShellRegistry
from core.tools.todo_store import TodoStore
from core.tools.web.client import WebClient
from core.version import __version__

TOOLS = (
    Read,
    Write,
    Edit,
    MultiEdit,
    NotebookEdit,
    Glob,
    Grep,
    LS,
    Bash,
    BashOutput,
    KillShell,
    WebFetch,
    WebSearch,
    TodoWrite,
    TaskCreate,
    TaskGet,
    TaskUpdate,
    TaskList,
    AskUserQuestion,
    EnterPlanMode,
    ExitPlanMode,
)
"""In the order they are sent; the search comes behind them where there is anything to search for."""


def build_engine(
    settings: Settings, launch: Launch, *, model: ModelClient | None = None, host: Host | None = None
) -> Engine:
    """A session that is ready to start. Raises ``AgentError`` for what makes starting impossible.

    ``model`` and ``host`` (clock, ids, processes, environment, files) are what tests replace.
    """
    host = host or Host()
    if launch.is_demo:
        # Nothing of it is billed, so no real model's name or price is shown.
        settings = replace(settings, model=DEMO_MODEL, small_model=DEMO_MODEL)
    check_mode(settings.mode, host.environ)
    transcript, loaded = _find_session(launch, host)
    bus = Bus(transcript.stem, host.clock)
    publisher = Publisher(bus)
    folder = transcript.with_suffix("")
    launch, rules = _parse_rules(settings, launch)
    sandbox = _sandbox_rules(settings, launch)
    tools = _build_tools(launch, sandbox)
    ledger = Ledger()
    offer = tools.offer(can_search=can_search(settings, find_model(settings.model)))
    conversation = _build_conversation(launch, host, publisher, transcript, loaded, offer)
    client = model or _build_client(settings, launch, host)
    services = ToolServices(
        host=host,
        root=launch.cwd,
        output_dir=folder / "outputs",
        shells=ShellRegistry(host, publisher, folder / "outputs"),
        todos=TodoStore(launch.paths.data / "todos" / f"{folder.name}-agent-{MAIN_AGENT}.json", publisher),
        tasks=SharedTaskStore(_task_file(launch, host, folder.name), publisher),
        plan_file=launch.paths.data / "plans" / f"{folder.name}.md",
        web=WebClient(settings.allow_private),
        sandbox=sandbox,
        side=SideRequests(client, settings.small_model, host, _counter(ledger, conversation)),
    )
    calls = _build_calls(settings, launch, tools, services, publisher, rules)
    state = SessionState(settings=settings, tools=ToolState(cwd=launch.cwd))
    if loaded is not None:
        restore_account(loaded, ledger)
        state.system = loaded.system
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


def _sandbox_rules(settings: Settings, launch: Launch) -> SandboxRules:
    return SandboxRules(
        is_enabled=settings.sandbox_enabled,
        domains=settings.sandbox_domains,
        allow_write=tuple(launch.cwd / os.path.expanduser(path) for path in settings.sandbox_allow_write),  # noqa: PTH111
        excluded=settings.sandbox_excluded,
        may_leave=settings.sandbox_may_leave,
        asks_nothing=settings.sandbox_asks_nothing,
        own_places=(launch.paths.config, launch.paths.data),
    )


def _build_tools(launch: Launch, sandbox: SandboxRules) -> ToolRegistry:
    unknown = set(launch.tools) - {tool.name for tool in TOOLS} - {SEARCH_TOOL}
    if unknown:
        raise AgentError(f"There is no tool named {', '.join(sorted(unknown))}.")
    offered = [tool for tool in TOOLS if not launch.tools or tool.name in launch.tools]
    return ToolRegistry(with_search([Bash(sandbox) if tool is Bash else tool() for tool in offered]))


def _counter(ledger: Ledger, conversation: Conversation) -> Count:
    def count(source: QuerySource, model_id: str, usage: Usage) -> float | None:
        conversation.record_side_usage(source, model_id, usage)
        return ledger.add(usage, model_id, find_model(model_id).prices, source)

    return count


def _build_calls(
    settings: Settings,
    launch: Launch,
    tools: ToolRegistry,
    services: ToolServices,
    publisher: Publisher,
    rules: tuple[tuple[Rule, ...], tuple[Rule, ...]],
) -> CallEnvironment:
    policy = Policy(
        mode=settings.mode,
        cwd=launch.cwd,
        roots=(launch.cwd,),
        readable=(services.output_dir, services.plan_file),
        plan_file=services.plan_file,
        allow=rules[0],
        deny=rules[1],
    )
    return CallEnvironment(
        tools=tools,
        services=services,
        policies=PolicyHolder(policy, publisher),
        broker=Broker(is_attended=launch.is_attended),
        publisher=publisher,
    )


def _task_file(launch: Launch, host: Host, session_id: str) -> Path:
    """The file of the shared tasks: the session's own, or the one that several sessions name by the same word."""
    name = re.sub(r"[^\w-]+", "-", host.environ.get("CLAUDE_CODE_TASK_LIST_ID", "")) or session_id
    return launch.paths.data / "tasks" / f"{name}.json"


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
    tools: ToolOffer,
) -> Conversation:
    base = RecordBase(session_id=transcript.stem, cwd=str(launch.cwd), version=__version__)
    writer = TranscriptWriter(
        host.open_log(transcript), base, host, publisher, last_uuid=loaded.last_uuid if loaded else None
    )
    if loaded is None:
        return Conversation(writer)
    writer.lock()
    conversation = Conversation(writer, usable_messages(loaded, tools))
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
