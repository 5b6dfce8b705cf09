"""Who stands in which tile, whatever comes: laws over any sequence of what can happen, and a few cases by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.protocol.agent_views import AgentInfo
from tui.widgets.agents.arrangement import Arrangement

IDS = [f"a{number}" for number in range(7)]


def agents(*, running: str = "", over: str = "") -> list[AgentInfo]:
    """Agents by one letter each, those that run first."""
    found = [AgentInfo(id=name, agent_type="x", description="", status="running") for name in running]
    return found + [AgentInfo(id=name, agent_type="x", description="", status="completed") for name in over]


STATES = st.lists(st.tuples(st.sampled_from("abcdefg"), st.booleans()), unique_by=lambda pair: pair[0], max_size=7)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), STATES, st.sampled_from((1, 2, 4))),
        st.tuples(st.just("look"), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("page"), st.sampled_from((-1, 1)), st.just(0)),
        st.tuples(st.just("step"), st.sampled_from((-1, 1)), st.just(0)),
        st.tuples(st.just("pin"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@given(STEPS)
def test_everybody_stands_once_and_the_focus_is_in_a_tile(steps: list[tuple[str, object, int]]) -> None:
    arrangement = Arrangement([])
    there: list[AgentInfo] = []
    count = 0
    for what, argument, number in steps:
        pinned_before = {at: name for at, name in enumerate(arrangement.places) if name in arrangement.pinned and name}
        match what, argument:
            case "update", list():
                states = cast("list[tuple[str, bool]]", argument)
                there = agents(
                    running="".join(name for name, is_over in states if not is_over),
                    over="".join(name for name, is_over in states if is_over),
                )
                count = number
                arrangement.update(there, count)
                assert arrangement.pinned <= {agent.id for agent in there}
            case "look", int() if argument < len(there) and count:
                arrangement.look_at(there[argument].id)
                assert arrangement.focused == there[argument].id
            case "page", int() if count:
                arrangement.page(there, argument)
                assert all(arrangement.places[at] == name for at, name in pinned_before.items())
            case "step", int():
                arrangement.step(argument)
            case "pin", _:
                arrangement.toggle_pin()
            case _:
                continue
        standing = [name for name in arrangement.places if name]
        ids = {agent.id for agent in there}
        assert len(arrangement.places) == count
        assert len(standing) == len(set(standing))
        assert set(standing) <= ids
        assert arrangement.focused in (standing or [""])
        if what == "update":
            # No tile is empty while somebody has none.
            assert len(standing) == min(count, len(ids))


@given(STATES, STATES, st.sampled_from((1, 2, 4)))
def test_who_is_looked_at_or_pinned_is_not_moved(
    before: list[tuple[str, bool]], after: list[tuple[str, bool]], count: int
) -> None:
    def infos(states: list[tuple[str, bool]]) -> list[AgentInfo]:
        running = "".join(name for name, is_over in states if not is_over)
        return agents(running=running, over="".join(name for name, is_over in states if is_over))

    arrangement = Arrangement([])
    arrangement.update(infos(before), count)
    arrangement.step(1)
    arrangement.toggle_pin()
    arrangement.step(1)
    kept = {name: arrangement.places.index(name) for name in (arrangement.focused, *arrangement.pinned) if name}
    arrangement.update(infos(after), count)
    for name, at in kept.items():
        if name in {state[0] for state in after}:
            assert arrangement.places[at] == name


def test_one_that_runs_takes_the_tile_of_one_that_is_over_and_nobody_looks_at() -> None:
    arrangement = Arrangement([])
    arrangement.update(agents(running="ab"), 2)
    arrangement.update(agents(over="ab"), 2)
    arrangement.update(agents(running="c", over="ab"), 2)
    assert arrangement.places == ["a", "c"]
    arrangement.update(agents(running="cde", over="ab"), 2)
    assert arrangement.places == ["a", "c"], "who is looked at stays, who runs stays"


MOVES: list[tuple[Callable[[Arrangement], object], list[str], str]] = [
    (lambda it: it.page(agents(running="abcde"), 1), ["c", "d"], "c"),
    (lambda it: it.page(agents(running="abcde"), -1), ["e", "a"], "a"),
    (lambda it: it.look_at("e"), ["e", "b"], "e"),
    (lambda it: (it.toggle_pin(), it.look_at("e")), ["a", "e"], "e"),
    (lambda it: (it.toggle_pin(), it.page(agents(running="abcde"), 1)), ["a", "c"], "a"),
    (lambda it: it.update(agents(running="bcde"), 2), ["c", "b"], "c"),
]


@pytest.mark.parametrize(("act", "places", "focused"), MOVES)
def test_moves(act: Callable[[Arrangement], object], places: list[str], focused: str) -> None:
    arrangement = Arrangement([])
    arrangement.update(agents(running="abcde"), 2)
    act(arrangement)
    assert (arrangement.places, arrangement.focused) == (places, focused)


def test_who_comes_to_look_finds_one_that_runs_in_front_unless_the_other_is_pinned() -> None:
    arrangement = Arrangement([])
    arrangement.update(agents(over="ab"), 2)
    arrangement.begin(agents(running="c", over="ab"))
    arrangement.update(agents(running="c", over="ab"), 2)
    assert arrangement.focused == "c" and "c" in arrangement.places
    pinned = Arrangement(["a", "b"], "a", frozenset("a"))
    pinned.begin(agents(running="c", over="ab"))
    assert pinned.focused == "a"
    beside = Arrangement(["a", "b"], "a")
    beside.begin(agents(running="cb", over="a"))
    assert beside.focused == "b"
