"""The only place that builds things."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from core.agents.definitions import Definitions
from core.bus.bus import Bus, Publisher
from core.bus.recorder import Recorder
from core.cost.ledger import Ledger
from core.engine.engine import Engine
from core.engine.installation import user_id
from core.engine.launch import LATEST, Launch
from core.engine.preparation import agent_places
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
from core.tools.registry import SEARCH_TOOL, ToolOffer, ToolRegistry
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
    sandbox = _sandbox_rules(settings, launch)
    rules, unusable = read_rules(settings, [tool.name for tool in TOOLS])
    tools = _build_tools(launch, sandbox, rules)
    launch = replace(launch, problems=(*launch.problems, *unroutable, *problems_of(unusable)))
    ledger = Ledger()
    state = SessionState(
        settings=settings,
        tools=ToolState(cwd=launch.cwd),
        definitions=Definitions(agent_places(launch), [tool.name for tool in TOOLS]),
        watch=CacheWatch(settings.cache_ttl if settings.prompt_caching else None),
        user_id="" if launch.is_demo else user_id(launch.paths.data, transcript.stem),
    )
    models = Models(lambda: state.settings, _client_builder(settings, launch, host, model))
    offer = tools.offer(can_search=can_search(settings, models.find(settings.model)))
    conversation = _build_conversation(launch, host, publisher, transcript, loaded, offer)
    task_registry = TaskRegistry(publisher)
    services = ToolServices(
        host=host,
        root=launch.cwd,
        output_dir=folder / "outputs",
        shells=ShellRegistry(host, publisher, folder / "outputs", task_registry),
        task_registry=task_registry,
        todos=TodoStore(launch.paths.data / "todos" / f"{folder.name}-agent-{MAIN_AGENT}.json", publisher),
        tasks=SharedTaskStore(_task_file(launch, host, folder.name), publisher),
        plan_file=launch.paths.data / "plans" / f"{folder.name}.md",
        web=WebClient(settings.allow_private),
        sandbox=sandbox,
        side=SideRequests(models, host, _counter(ledger, conversation, models), state.user_id),
    )
    policies = _build_policies(settings, launch, services, publisher, (rules, unusable))
    calls = SessionCalls(
        tools=tools,
        services=services,
        policies=policies,
        broker=Broker(is_attended=launch.is_attended),
        publisher=publisher,
    )
    if loaded is not None:
        _restore_account(loaded, ledger, models)
        state.system = loaded.system
    session = Session(launch, state, models, conversation, calls, ledger)
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


def _build_tools(launch: Launch, sandbox: SandboxRules, rules: tuple[Rule, ...]) -> ToolRegistry:
    """The tools that are offered. One that a rule denies altogether would only be refused, call by call."""
    unknown = set(launch.tools) - {tool.name for tool in TOOLS} - {SEARCH_TOOL}
    if unknown:
        raise AgentError(f"There is no tool named {', '.join(sorted(unknown))}.")
    denying = [rule for rule in rules if rule.behavior == "deny"]
    offered = [
        tool
        for tool in TOOLS
        if (not launch.tools or tool.name in launch.tools) and not any(is_bare(rule, tool.name) for rule in denying)
    ]
    return ToolRegistry(with_search([Bash(sandbox) if tool is Bash else tool() for tool in offered]))


def _counter(ledger: Ledger, conversation: Conversation, models: Models) -> Count:
    def count(source: QuerySource, model_id: str, usage: Usage) -> float | None:
        conversation.record_side_usage(source, model_id, usage)
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
