"""Rules about thinking: which configuration a model takes, and whether replayed blocks are genuine and in place."""

from __future__ import annotations

from tests.fakes.api_call import Call, Rejection, Rule, invalid
from tests.fakes.api_canon import Item, Json
from tests.fakes.api_models import LEVELS
from tests.fakes.api_shapes import EXTRA
from tests.fakes.api_signing import Prefix, Seal, digest, seal_text

MIN_BUDGET = 1024
UPDATES_BETA = "thinking-display-updates-"
BINDING_BETA = "thinking-binding-controls-"
HIGH = LEVELS.index("high")


def thinking_supported(call: Call) -> Rejection | None:
    """The model knows this kind of thinking."""
    kind = (call.thinking or {}).get("type")
    if kind is None or kind in call.model.thinking:
        return None
    allowed = " or ".join(f'"{name}"' for name in sorted(call.model.thinking))
    return invalid(
        f'thinking.type: "thinking.type.{kind}" is not supported for this model. Use {allowed} with {call.model.id}.'
    )


def thinking_off_needs_low_effort(call: Call) -> Rejection | None:
    """Some models can only stop thinking at effort high or below."""
    kind = (call.thinking or {}).get("type")
    if kind not in {"disabled", "between_tools"} or not call.model.off_needs_high:
        return None
    effort = call.effort or call.model.default_effort
    if LEVELS.index(effort) <= HIGH:
        return None
    return invalid(f'thinking: "{kind}" requires output_config.effort "high" or lower, not "{effort}"')


def thinking_betas(call: Call) -> Rejection | None:
    """Two parts of the parameter are still behind beta headers."""
    config = call.thinking or {}
    if config.get("display") == "updates" and not call.has_beta(UPDATES_BETA):
        return invalid("thinking.adaptive.display: Input should be 'summarized' or 'omitted'")
    if "block_binding" in config and not call.has_beta(BINDING_BETA):
        return invalid(f"thinking.adaptive.block_binding: {EXTRA}")
    return None


def thinking_budget(call: Call) -> Rejection | None:
    """A budget is at least the minimum and below `max_tokens`; a forced tool leaves no room to think."""
    config = call.thinking or {}
    if config.get("type") != "enabled":
        return None
    if config["budget_tokens"] < MIN_BUDGET:
        return invalid(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_BUDGET}")
    if not call.counting and 0 < call.body["max_tokens"] <= config["budget_tokens"]:
        return invalid("`max_tokens` must be greater than `thinking.budget_tokens`")
    if call.forces_tool:
        return invalid("Thinking may not be enabled when tool_choice forces tool use.")
    return None


def effort_supported(call: Call) -> Rejection | None:
    """The model has this level of effort, or levels at all."""
    if call.effort is None or call.effort in call.model.effort:
        return None
    if not call.model.effort:
        return invalid(f"output_config.effort: This model does not support the effort parameter ({call.model.id})")
    levels = ", ".join(level for level in LEVELS if level in call.model.effort)
    return invalid(
        f"output_config.effort: '{call.effort}' is not supported by {call.model.id}. Supported levels: {levels}"
    )


def last_block_is_not_thinking(call: Call) -> Rejection | None:
    """An assistant turn ends with something said or done."""
    for turn in call.turns:
        if turn.role == "assistant" and turn.items and turn.items[-1].is_thinking:
            kind = turn.items[-1].block["type"]
            return invalid(f"messages.{turn.start}: The final block in an assistant message cannot be `{kind}`.")
    return None


def _latest_assistant(call: Call) -> frozenset[str]:
    last = next((turn for turn in reversed(call.turns) if turn.role == "assistant"), None)
    return frozenset(item.path for item in last.items) if last else frozenset()


def _forged(call: Call, item: Item) -> Rejection:
    if item.path in _latest_assistant(call):
        return invalid(
            f"{item.path}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
            "modified. These blocks must remain as they were in the original response."
        )
    return _bad_seal(item)


def _bad_seal(item: Item, why: str = "") -> Rejection:
    field = "signature" if item.block["type"] == "thinking" else "data"
    return invalid(f"{item.path}: Invalid `{field}` in `{item.block['type']}` block{why}")


def _in_place(seal: Seal, prefix: Prefix) -> bool:
    return seal.prefix == prefix.value and (not prefix.link or seal.link == prefix.link)


def thinking_is_genuine(call: Call) -> Rejection | None:
    """Replayed thinking was issued here, is unchanged and, on models that bind it, follows the same conversation."""
    prefix = Prefix()
    binding: Json = (call.thinking or {}).get("block_binding", {})
    dropped = binding.get("prefix_mismatch_behavior") == "drop_block"
    bound = call.model.binds_thinking and call.state.check_binding and not dropped
    for item in call.items:
        if item.is_thinking:
            seal = call.state.signer.read(seal_text(item.block))
            if seal is None:
                return _bad_seal(item)
            if seal.shown != digest(str(item.block.get("thinking", ""))):
                return _forged(call, item)
            if bound and seal.family == call.model.family and not _in_place(seal, prefix):
                return _bad_seal(
                    item,
                    ". The block is bound to a different conversation. Send thinking blocks back together with the "
                    "unchanged system prompt, tools and messages that came before them, or remove them.",
                )
        prefix.advance(item)
    return None


THINKING_RULES: tuple[Rule, ...] = (
    thinking_supported,
    thinking_betas,
    thinking_off_needs_low_effort,
    thinking_budget,
    effort_supported,
    last_block_is_not_thinking,
    thinking_is_genuine,
)
