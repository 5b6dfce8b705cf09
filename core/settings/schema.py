"""The settings: names, types, defaults. Names are as in existing settings files of this format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.protocol.usage import Prices
from core.protocol.views import Behavior, PermissionMode, RuleLayer

Effort = Literal["low", "medium", "high", "xhigh", "max"]
CacheTtl = Literal["5m", "1h"]
Notifications = Literal["auto", "bell", "off"]
KeyFlavor = Literal["default", "readline"]
CacheDiagnostics = Literal["auto", "on", "off"]
ToolSearchMode = Literal["auto", "on", "off"]
RouteKind = Literal["main", "plan", "longContext", "agent", "explore", "compaction", "background"]
"""What a model can be chosen for apart."""

DEFAULT_MODEL = "claude-opus-5-5"
"""Named by the API's model overview as the place to start for most work."""
DEFAULT_SMALL_MODEL = "claude-haiku-5-5"
"""The cheapest; for small questions beside the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRule:
    """One permission rule as it is written, and where."""

    behavior: Behavior
    text: str
    layer: RuleLayer
    source: str = ""
    """``file:line``, or an option of the command line."""
    file: Path | None = None
    """The file that it can be deleted from."""
    base: Path | None = None
    """The folder that a path beginning with one slash is relative to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """What the user says of a model; it takes the place of what catalog and server say. None: nothing is said."""

    id: str
    prices: Prices | None = None
    window: int | None = None
    """Tokens."""
    max_output: int | None = None
    efforts: tuple[Effort, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """Which model answers one kind of request, and where it is reached."""

    kind: RouteKind
    model: str
    effort: Effort | None = None
    base_url: str = ""
    """Empty: the session's own address."""
    api_key_env: str = ""
    """The variable with the key for that address."""
    above: int = 0
    """Of ``longContext``: tokens in the window from which on it counts."""
    source: str = ""
    """``file:line``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a session is started with. Frozen: a change makes another."""

    model: str = DEFAULT_MODEL
    fallback_models: tuple[str, ...] = ()
    """Take over, one after the other, for the rest of a turn in which the model is overloaded."""
    effort: Effort | None = None
    """None leaves it to the model."""
    small_model: str = DEFAULT_SMALL_MODEL
    """Answers what is asked beside the conversation, web searches say."""
    mode: PermissionMode = "default"
    disable_bypass: Literal["", "disable"] = ""
    """``disable``: no mode in which nothing is asked."""
    theme: str = "auto"
    notifications: Notifications = "auto"
    """How somebody who looks elsewhere is called: a message where the terminal can show one, the bell, or not."""
    cache_ttl: CacheTtl = "5m"
    prompt_caching: bool = True
    cache_diagnostics: CacheDiagnostics = "auto"
    """Whether the API is asked why something was not read from the cache; ``auto``: only the API itself is."""
    instructions: bool = True
    """Whether instruction files of user and project are read."""
    instruction_excludes: tuple[str, ...] = ()
    """Globs of absolute paths: instruction files that are left out."""
    max_turns: int | None = None
    """Requests that one prompt may cost."""
    max_budget_usd: float | None = None
    """Dollars that one prompt may cost; looked at before each request."""
    max_budget_tokens: int | None = None
    """Tokens that one prompt may take: written and read anew; what comes from the cache does not count."""
    session_budget_usd: float | None = None
    """Dollars that the whole session may cost, with what was spent before it was taken up again."""
    models: tuple[ModelEntry, ...] = ()
    routing: tuple[RouteEntry, ...] = ()
    """At most one for each kind. The one for ``main`` counts as long as ``model`` is its model."""
    rules: tuple[SettingRule, ...] = ()
    """Permission rules of all layers, in the order of the layers."""
    additional_dirs: tuple[Path, ...] = ()
    """Further folders to work in; they exist."""
    allow_private: tuple[str, ...] = ()
    """Hosts of this machine's own network that may be fetched from: ``localhost:3000``."""
    sandbox_enabled: bool = False
    """Whether the operating system confines commands also where the user has consented to them."""
    sandbox_domains: tuple[str, ...] = ()
    """``*`` gives confined commands the network; single domains cannot be told apart."""
    sandbox_allow_write: tuple[str, ...] = ()
    """Further places that confined commands may write; relative ones are in the working folder."""
    sandbox_excluded: tuple[str, ...] = ()
    """Beginnings of commands that run outside, asked about as usual."""
    sandbox_may_leave: bool = True
    """Whether the model may ask for a command to run outside."""
    sandbox_asks_nothing: bool = False
    """Whether a confined command needs no consent."""
    system_prompt: str = ""
    """Takes the place of the built-in one."""
    append_system_prompt: str = ""
    base_url: str = ""
    vim: bool = False
    """Whether the composer has the keys of vi."""
    keybinding_flavor: KeyFlavor = "default"
    """``readline``: Ctrl+W kills back to a blank."""
    tool_search: ToolSearchMode = "auto"
    """Whether rare tools are found by searching: ``auto`` where model and server are known to support it."""
    auto_compact: bool = True
    """Whether the window is compacted on its own."""
    auto_compact_window: int | None = None
    """Tokens: compact as if the window ended here; None: where it really does."""
    context_window: int | None = None
    """Tokens: takes the place of what is known of the model."""
    autocompact_buffer: int = 13_000
    """Tokens below the effective window at which it is compacted; the effective window is what an answer leaves."""
    warning_buffer: int = 20_000
    """Tokens below that threshold from which on the gauge warns."""
    manual_compact_buffer: int = 3_000
    """Tokens below the effective window at which nothing more is sent but a summary asked for by hand."""
    background_agents: bool = True
    """Whether the small model works beside the conversation without being asked: on running notes, say."""
    agent_model: str = ""
    """The model of every subagent, whatever its definition says."""
    agent_max_concurrency: int = 20
    """Agents that run at once; more wait for a place."""
    agent_max_turns: int | None = None
    """Requests, tokens (written and read anew), dollars and minutes that an agent may take before the user is asked."""
    agent_max_tokens: int | None = None
    agent_max_usd: float | None = None
    agent_max_minutes: float | None = None
    agent_repeats: int = 5
    """The same call so many times in a row: the agent is held, and the user is asked. Half of it is shown."""
    agent_silent_s: int = 300
    """Seconds without a sign of life after which the user is asked. Half of it is shown."""
    max_tool_concurrency: int = 10
    max_output_tokens: int = 32_000


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One key of the settings file: where it goes and what it may be."""

    path: str
    """Dotted name in the file."""
    field: str
    type: type
    choices: tuple[str, ...] = ()
    is_joined: bool = False
    """Whether the lists of several layers are joined; else the later one wins. Tables are always joined, by name."""


MODES = ("default", "acceptEdits", "plan", "dontAsk", "bypassPermissions")
EFFORTS = ("low", "medium", "high", "xhigh", "max")

KEYS = (
    SettingKey("model", "model", str),
    SettingKey("smallModel", "small_model", str),
    SettingKey("fallbackModel", "fallback_models", list),
    SettingKey("effortLevel", "effort", str, EFFORTS),
    SettingKey("routing", "routing", dict),
    SettingKey("models", "models", dict),
    SettingKey("budget.sessionUsd", "session_budget_usd", float),
    SettingKey("permissions.defaultMode", "mode", str, MODES),
    SettingKey("permissions.disableBypassPermissionsMode", "disable_bypass", str, ("disable",)),
    SettingKey("permissions.allow", "rules", list, is_joined=True),
    SettingKey("permissions.ask", "rules", list, is_joined=True),
    SettingKey("permissions.deny", "rules", list, is_joined=True),
    SettingKey("permissions.additionalDirectories", "additional_dirs", list, is_joined=True),
    SettingKey("claudeMdExcludes", "instruction_excludes", list, is_joined=True),
    SettingKey("webFetch.allowPrivate", "allow_private", list, is_joined=True),
    SettingKey("sandbox.enabled", "sandbox_enabled", bool),
    SettingKey("sandbox.network.allowedDomains", "sandbox_domains", list, is_joined=True),
    SettingKey("sandbox.filesystem.allowWrite", "sandbox_allow_write", list, is_joined=True),
    SettingKey("sandbox.excludedCommands", "sandbox_excluded", list, is_joined=True),
    SettingKey("sandbox.allowUnsandboxedCommands", "sandbox_may_leave", bool),
    SettingKey("sandbox.autoAllowBashIfSandboxed", "sandbox_asks_nothing", bool),
    SettingKey("theme", "theme", str),
    SettingKey("notifications", "notifications", str, ("auto", "bell", "off")),
    SettingKey("cacheTtl", "cache_ttl", str, ("5m", "1h")),
    SettingKey("cacheDiagnostics", "cache_diagnostics", str, ("auto", "on", "off")),
    SettingKey("toolSearch", "tool_search", str, ("auto", "on", "off")),
    SettingKey("autoCompactEnabled", "auto_compact", bool),
    SettingKey("autoCompactWindow", "auto_compact_window", int),
    SettingKey("context.window", "context_window", int),
    SettingKey("context.autocompactBuffer", "autocompact_buffer", int),
    SettingKey("context.warningBuffer", "warning_buffer", int),
    SettingKey("context.manualCompactBuffer", "manual_compact_buffer", int),
    SettingKey("backgroundAgents", "background_agents", bool),
    SettingKey("agents.model", "agent_model", str),
    SettingKey("agents.maxConcurrency", "agent_max_concurrency", int),
    SettingKey("agents.maxTurns", "agent_max_turns", int),
    SettingKey("agents.maxTokens", "agent_max_tokens", int),
    SettingKey("agents.maxUsd", "agent_max_usd", float),
    SettingKey("agents.maxMinutes", "agent_max_minutes", float),
    SettingKey("agents.repeats", "agent_repeats", int),
    SettingKey("agents.silentSeconds", "agent_silent_s", int),
    SettingKey("vim", "vim", bool),
    SettingKey("keybindingFlavor", "keybinding_flavor", str, ("default", "readline")),
    SettingKey("maxOutputTokens", "max_output_tokens", int),
)

SYNONYMS = {("permissions.defaultMode", "manual"): "default"}
"""Other words for a value."""

FOREIGN_KEYS = frozenset(
    (
        "$schema agent allowManagedHooksOnly allowedHttpHookUrls allowedMcpServers alwaysThinkingEnabled apiKeyHelper "
        "askUserQuestionTimeout attribution autoMemoryDirectory autoMemoryEnabled "
        "autoUpdatesChannel availableModels awsAuthRefresh awsCredentialExport axScreenReader blockedMarketplaces "
        "channelsEnabled cleanupPeriodDays companyAnnouncements deniedMcpServers disableAllHooks "
        "disableAutoMode disabledMcpjsonServers editorMode enableAllProjectMcpServers enabledMcpjsonServers "
        "enabledPlugins env extraKnownMarketplaces fileCheckpointingEnabled fileSuggestion forceLoginMethod "
        "forceLoginOrgUUID hooks httpHookAllowedEnvVars includeCoAuthoredBy includeGitInstructions language "
        "modelOverrides otelHeadersHelper outputStyle permissions.disableAutoMode plansDirectory pluginConfigs "
        "preferredNotifChannel prefersReducedMotion promptSuggestionEnabled respectGitignore respondToBashCommands "
        "sandbox showClearContextOnPlanAccept showTurnDuration skillOverrides skipDangerousModePermissionPrompt "
        "spinnerTipsEnabled spinnerTipsOverride spinnerVerbs statusLine strictKnownMarketplaces subagentStatusLine "
        "teammateMode terminalProgressBarEnabled tui verbose viewMode vimInsertModeRemaps worktree"
    ).split()
)
"""Keys that files in ``.claude`` may hold for another program of this format: there they are nothing to be told of."""

FOREIGN_MODELS = frozenset("best default fable haiku opus opusplan sonnet".split())
"""Short names of models there, which are no ids."""
