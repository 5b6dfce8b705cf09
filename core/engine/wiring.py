"""The only place that builds things."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.agents.definitions import Definitions
from core.agents.runner import AgentRunner
from core.agents.running import Parent
from core.agents.task_tool.tool import Task
from core.bus.bus import Bus, Publisher
from core.bus.recorder import Recorder
from core.cost.ledger import Ledger
from core.engine.engine import Engine
from core.engine.installation import user_id
from core.engine.launch import LATEST, Launch
from core.engine.preparation import agent_places, instruction_places
from core.engine.rule_book import problems_of, read_rules
from core.engine.session import Session
from core.engine.session_state import SessionState
from core.engine.tools import TOOLS
from core.host.host import Host
from core.llm.anthropic import LOCAL_SILENCE_S, SILENCE_S, AnthropicClient
from core.llm.client import ModelClient, QuerySource
from core.llm.demo import DEMO_MODEL, demo_model
from core.llm.models import Build, Models
from core.llm.routes import usable_routes
from core.llm.side import Count, SideRequests
from core.orchestration.call import SessionCalls
from core.permissions.broker import Broker
from core.permissions.matching import is_bare
from core.permissions.modes import check_mode
from core.permissions.policy import Policy
from core.permissions.policy_holder import PolicyHolder
from core.permissions.rules import Rule
from core.prompt.assemble import can_search
from core.prompt.cache_watch import CacheWatch
from core.protocol.errors import AgentError
from core.protocol.ids import MAIN_AGENT
from core.protocol.usage import Usage
from core.protocol.views import RuleInfo, RuleLayer
from core.query.replay import usable
from core.sessions.conversation import Conversation
from core.sessions.entries import RecordBase
from core.sessions.load import LoadedSession, find_transcript, load_session
from core.sessions.writer import TranscriptWriter
from core.settings.credentials import credential_source, is_local
from core.settings.layers import local_settings_file, project_root
from core.settings.schema import Settings
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.tool_search.tool import with_search
from core.tools.confining import SandboxRules
from core.tools.context import ToolServices, ToolState
from core.tools.registry import SEARCH_TOOL, AnyTool, ToolOffer, ToolRegistry
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shells import ShellRegistry
from core.tools.task_registry import TaskRegistry
from core.tools.todo_store import TodoStore
from core.tools.web.client import WebClient
from core.version import __version__


def build_engine(
    settings: Settings, launch: Launch, *, model: ModelClient | None = None, host: Host | None = None
) -> Engine:
    """A session that is ready to start. Raises ``AgentError`` for what makes starting impossible.

    ``model`` and ``host`` (clock, ids, processes, environment, files) are what tests replace.
    """
    host = host or Host()
    if launch.is_demo:
        # Nothing of it is billed, so no real model's name or price is shown.
        settings = replace(settings, model=DEMO_MODEL, small_model=DEMO_MODEL, routing=())
    settings, unroutable = usable_routes(settings, host.environ)
    check_mode(settings.mode, host.environ, is_bypass_disabled=bool(settings.disable_bypass))
    transcript, loaded = _find_session(launch, host)
    bus = Bus(transcript.stem, host.clock)
    publisher = Publisher(bus)
    folder = transcript.with_suffix("")
    rules, unusable = read_rules(settings, [tool.name for tool in TOOLS])
    offered = _offered_tools(launch, _sandbox_rules(settings, launch), rules)
    launch = replace(launch, problems=(*launch.problems, *unroutable, *problems_of(unusable)))
    ledger = Ledger()
    state = _begin_state(settings, launch, transcript.stem)
    models = Models(lambda: state.settings, _client_builder(settings, launch, host, model))
    side = SideRequests(models, host, _counter(ledger, lambda: conversation, models), state.user_id)
    services = _build_services(settings, launch, folder, publisher, side, host)
    policies = _build_policies(settings, launch, services, publisher, (rules, unusable))
    base = SessionCalls(
        tools=ToolRegistry(offered),
        services=services,
        policies=policies,
        broker=Broker(is_attended=launch.is_attended),
        publisher=publisher,
    )
    parent = Parent(
        ledger=ledger,
        models=models,
        places=instruction_places(launch, settings),
        conversation=lambda: conversation,
        settings=lambda: state.settings,
        system=lambda: state.system,
        tools=lambda: calls.tools,
        route=lambda: session.choice.route(),  # noqa: PLW0108  the session comes later
        answering=lambda: session.answering,
        folder=folder,
        todos=launch.paths.data / "todos",
        user_id=state.user_id,
    )
    agents = AgentRunner(parent, state.definitions, base)
    calls = replace(base, tools=_with_agents(offered, agents, launch, rules))
    offer = calls.tools.offer(can_search=can_search(settings, models.find(settings.model)))
    conversation = _build_conversation(launch, host, publisher, transcript, loaded, offer)
    if loaded is not None:
        _restore_account(loaded, ledger, models)
        state.system = loaded.system
    session = Session(launch, state, models, conversation, calls, ledger)
    recorder = Recorder(bus, host.open_log(folder / "events.jsonl"))
    return Engine(launch, session, agents, bus, recorder, loaded)


def _begin_state(settings: Settings, launch: Launch, session_id: str) -> SessionState:
    return SessionState(
        settings=settings,
        tools=ToolState(cwd=launch.cwd),
        definitions=Definitions(agent_places(launch), [*(tool.name for tool in TOOLS), Task.name]),
        watch=CacheWatch(settings.cache_ttl if settings.prompt_caching else None),
        user_id="" if launch.is_demo else user_id(launch.paths.data, session_id),
    )


def _build_services(
    settings: Settings, launch: Launch, folder: Path, publisher: Publisher, side: SideRequests, host: Host
) -> ToolServices:
    data, outputs, running = launch.paths.data, folder / "outputs", TaskRegistry(publisher)
    return ToolServices(
        host=host,
        root=launch.cwd,
        output_dir=outputs,
        shells=ShellRegistry(host, publisher, outputs, running),
        task_registry=running,
        todos=TodoStore(data / "todos" / f"{folder.name}-agent-{MAIN_AGENT}.json", publisher),
        tasks=SharedTaskStore(_task_file(launch, host, folder.name), publisher),
        plan_file=data / "plans" / f"{folder.name}.md",
        web=WebClient(settings.allow_private),
        sandbox=_sandbox_rules(settings, launch),
        side=side,
    )


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


def _offered_tools(launch: Launch, sandbox: SandboxRules, rules: tuple[Rule, ...]) -> list[AnyTool]:
    """The tools that any agent may have."""
    unknown = set(launch.tools) - {tool.name for tool in TOOLS} - {SEARCH_TOOL, Task.name}
    if unknown:
        raise AgentError(f"There is no tool named {', '.join(sorted(unknown))}.")
    offered = [tool for tool in TOOLS if _is_offered(tool.name, launch, rules)]
    return [Bash(sandbox) if tool is Bash else tool() for tool in offered]


def _with_agents(offered: list[AnyTool], agents: AgentRunner, launch: Launch, rules: tuple[Rule, ...]) -> ToolRegistry:
    """The tools of the main agent: with the one that starts others, and one to search for those that are deferred."""
    start = [Task(agents)] if _is_offered(Task.name, launch, rules) else []
    return ToolRegistry(with_search([*offered, *start]))


def _is_offered(name: str, launch: Launch, rules: tuple[Rule, ...]) -> bool:
    """One that a rule denies altogether would only be refused, call by call."""
    is_denied = any(rule.behavior == "deny" and is_bare(rule, name) for rule in rules)
    return (not launch.tools or name in launch.tools) and not is_denied


def _counter(ledger: Ledger, conversation: Callable[[], Conversation], models: Models) -> Count:
    def count(source: QuerySource, model_id: str, usage: Usage) -> float | None:
        conversation().record_side_usage(source, model_id, usage)
        return ledger.add(usage, model_id, models.find(model_id).prices, source)

    return count


def _restore_account(loaded: LoadedSession, ledger: Ledger, models: Models) -> None:
    """Count what the session has cost so far, at the prices of today."""
    for request in (*loaded.requests, *loaded.side_requests):
        ledger.add(request.usage, request.model, models.find(request.model).prices, request.source, request.agent)


def _build_policies(
    settings: Settings,
    launch: Launch,
    services: ToolServices,
    publisher: Publisher,
    rules: tuple[tuple[Rule, ...], tuple[RuleInfo, ...]],
) -> PolicyHolder:
    policy = Policy(
        mode=settings.mode,
        cwd=launch.cwd,
        roots=(launch.cwd, *settings.additional_dirs),
        readable=(services.output_dir, services.plan_file),
        plan_file=services.plan_file,
        rules=rules[0],
        base=project_root(launch.cwd),
    )
    files: dict[RuleLayer, Path] = {"user": launch.paths.user_settings}
    if launch.is_trusted:
        files["local"] = local_settings_file(launch.cwd)
    return PolicyHolder(policy, publisher, files, rules[1])


def _task_file(launch: Launch, host: Host, session_id: str) -> Path:
    """The file of the shared tasks: the session's own, or the one that several sessions name by the same word."""
    name = re.sub(r"[^\w-]+", "-", host.environ.get("CLAUDE_CODE_TASK_LIST_ID", "")) or session_id
    return launch.paths.data / "tasks" / f"{name}.json"


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
    conversation = Conversation(writer, usable(loaded, tools), loaded.said)
    conversation.last_usage = loaded.requests[-1].usage if loaded.requests else Usage()
    return conversation


def _client_builder(settings: Settings, launch: Launch, host: Host, model: ModelClient | None) -> Build:
    """Makes the clients. ``model`` takes the place of the session's own."""

    def build(base_url: str, api_key_env: str) -> ModelClient:
        is_own = base_url == settings.base_url.rstrip("/") and not api_key_env
        if is_own and model is not None:
            return model
        if launch.is_demo:
            return demo_model()
        needs_no_key, api_key = is_local(base_url), host.environ.get(api_key_env, "")
        if is_own:
            needs_no_key = credential_source(host.environ, base_url) == "a local server"
            api_key = launch.api_key
        return AnthropicClient(
            base_url=base_url,
            api_key=api_key,
            needs_no_key=needs_no_key,
            silence_s=LOCAL_SILENCE_S if is_local(base_url) else SILENCE_S,
        )

    return build
