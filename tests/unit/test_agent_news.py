"""What the main model is told of kinds of agents: all once, then what is different, also after a resume."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.prompt.agent_news import MAX_CHARS, MAX_NAMES_CHARS, agent_list, agent_news, agents_in, told_agents
from core.prompt.reminders import user_context

NAMES = ("general-purpose", "Explore", "Plan", "a", "b-c", "d_e")
listings = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["Does it.", "Does: more.", "- a: b", ""]))


def test_the_list_and_the_news() -> None:
    assert agent_list({}) == "" and agent_news({"a": "x"}, {"a": "x"}) == ""
    assert agent_list({"a": "Does {this}.", "b": "Does: that."}).splitlines()[1:-1] == [
        "Agents that you can start with the Task tool, by their `subagent_type`:",
        "- a: Does {this}.",
        "- b: Does: that.",
    ]
    assert agent_news({"a": "x", "b": "y", "d": "w"}, {"a": "x", "b": "z", "c": "v"}).splitlines()[1:] == [
        "- b: z",
        "- c: v",
        "No longer there: d.",
    ]


def test_the_list_stands_beside_the_instructions() -> None:
    both = user_context("From /a/CLAUDE.md:\n- a: told by the project", {"b": "Does it."})
    assert both.count("<system-reminder>") == 2
    assert agents_in(both) == agent_list({"b": "Does it."}) == user_context("", {"b": "Does it."})
    assert told_agents([both], {"b": "Does it."}) == {"b": "Does it."}
    assert user_context("", {}) == agents_in(user_context("x", {})) == ""


def test_however_many_there_are_the_list_is_bounded() -> None:
    many = {f"agent-{number:04}": "x" * 300 for number in range(1_000)}
    text = agent_list(many)
    assert len(text) < MAX_CHARS + MAX_NAMES_CHARS + 300
    assert text.count("\n- agent-") == MAX_CHARS // 315 and "Without their descriptions: agent-0019, " in text
    assert "\nAnd " in text
    told = told_agents([text], many)
    assert told and all(many[name] == described for name, described in told.items())
    few = {name: many[name] for name in list(many)[:30]}
    assert told_agents([agent_list(few)], few) == few


@given(st.lists(listings, min_size=1, max_size=6), st.booleans())
def test_nothing_is_told_twice_and_nothing_is_lost(states: list[dict[str, str]], is_begun_without: bool) -> None:
    """The model is told of every state; whoever reads all that again knows what it knows."""
    texts: list[str] = []
    told: dict[str, str] = {}
    for number, now in enumerate(states):
        is_first = number == 0 and not is_begun_without
        text = user_context("some instructions", now) if is_first else agent_news(told, now)
        assert is_first or bool(text) == (told != now)
        texts += [text] if text else []
        told = now
        assert told_agents(texts, now) == now
        assert agent_news(told_agents(texts, now), now) == ""


@given(st.lists(listings, min_size=2, max_size=5))
def test_what_was_told_otherwise_is_told_again(states: list[dict[str, str]]) -> None:
    """A part of what was said is kept, the newest list in front of it: then the model hears what holds after all."""
    *old, now = states
    texts = [agent_list(now), *filter(None, (agent_news({}, state) for state in old))]
    known = told_agents(texts, now)
    news = agent_news(known, now)
    assert told_agents([*texts, news], now) == now


@given(st.text(max_size=200), listings)
def test_other_texts_tell_nothing(text: str, now: dict[str, str]) -> None:
    assert told_agents([text, f"<system-reminder>\n{text}\n</system-reminder>"], now) == {}
