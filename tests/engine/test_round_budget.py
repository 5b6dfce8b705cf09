"""What results may bring into the context: each by itself, and those of one response together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.scripted import Reply, call, say
from core.orchestration.round_budget import MAX_ROUND_CHARS, giving_way
from core.protocol import events as ev
from core.settings.schema import Settings
from core.tools.result import PREVIEW_CHARS
from tests.fakes.big_tool import install_big
from tests.fakes.engines import Rig, allowing, running
from tests.fakes.wire import assert_all_valid, assert_growing, results_in

SLACK = 500
"""Characters of the words around a preview."""


@given(st.lists(st.integers(0, 100_000), max_size=20), st.integers(0, 300_000))
def test_the_fewest_and_largest_give_way(sizes: list[int], budget: int) -> None:
    chosen = giving_way(sizes, budget)

    def left(moved: list[int]) -> int:
        return sum(PREVIEW_CHARS if index in moved else size for index, size in enumerate(sizes))

    stayed = [size for index, size in enumerate(sizes) if index not in chosen]
    assert len(set(chosen)) == len(chosen)
    assert left(chosen) <= budget or all(size <= PREVIEW_CHARS for size in stayed)
    assert all(sizes[index] >= max(stayed, default=0) for index in chosen)
    assert not chosen or left(chosen[:-1]) > budget


def big(letter: str, size: int) -> dict[str, Any]:
    return call("Big", letter, letter=letter, size=size)


async def test_results_of_one_response_stay_within_their_budget(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_big(monkeypatch)
    sizes = {"a": 59_000, "b": 30_000, "c": 50_000, "d": 57_000, "e": 56_000, "f": 90_000}
    replies = [Reply([big(*item) for item in sizes.items()]), Reply([say("Seen.")]), Reply([say("Again.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        results = {name: block["content"] for name, block in results_in(rig.requests[1]).items()}
        assert list(results) == list(sizes)
        assert sum(map(len, results.values())) <= MAX_ROUND_CHARS
        # f is too large by itself; of the others the largest gave way.
        assert {name for name, text in results.items() if "too large to show" in text} == {"f", "a"}
        assert (len(results["b"]), len(results["e"])) == (30_000, 56_000)
        (moved,) = rig.of(ev.ToolResultMoved)
        assert (moved.tool_use_id, moved.content) == ("a", results["a"])
        assert Path(moved.path).read_text() == ("a" * 99 + "\n") * 590
        kept = {event.tool_use_id: event.display.saved_to for event in rig.of(ev.ToolFinished)}
        assert Path(kept["f"]).stat().st_size == 90_000 and not kept["b"]
        await rig.prompt("and now?")
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)
    later = [Reply([say("Welcome back.")])]
    async with running(later, tmp_path, isolated_machine, resume=rig.engine.session_id) as again:
        await again.prompt("still there?")
        assert {name: block["content"] for name, block in results_in(again.requests[0]).items()} == results
        shown = {event.tool_use_id: event for event in again.of(ev.ToolFinished)}
        assert (shown["a"].content, shown["a"].display.saved_to) == (results["a"], moved.path)


async def test_what_was_read_stays_and_what_was_saved_can_be_read(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads are exempt, so reading a saved result gives lines and no further saved result."""
    install_big(monkeypatch)
    (tmp_path / "long.txt").write_text(("r" * 79 + "\n") * 1_000)
    reads = [call("Read", f"r{number}", file_path="long.txt") for number in range(3)]

    def script(request: Any) -> Reply:
        match len(request.messages):
            case 1:
                return Reply([*reads, big("a", 40_000)])
            case 3:
                preview = results_in(request)["a"]["content"]
                saved = preview.partition("The whole is in ")[2].partition(": use Read")[0]
                return Reply([call("Read", "again", file_path=saved, offset=300, limit=5)])
            case _:
                return Reply([say("Seen.")])

    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert all(len(results[f"r{number}"]["content"]) > 80_000 for number in range(3))
        assert "too large to show" in results["a"]["content"]
        assert results["again"]["content"].startswith("   300\taaa")
        assert "PARTIAL view: lines 300–304 of 400" in results["again"]["content"]
        assert not rig.of(ev.PermissionRequested)


async def check_huge(rig: Rig, whole: int) -> None:
    """The request is small, the events too, and the whole is on disk."""
    (result,) = rig.of(ev.ToolFinished)
    assert not result.is_error and len(result.content) < 40_000
    assert sum(len(json.dumps(request.messages)) for request in rig.requests) < 200_000
    assert Path(result.display.saved_to).stat().st_size == whole


async def test_a_command_that_prints_five_megabytes(tmp_path: Path, isolated_machine: Path) -> None:
    command = "yes 'a line of thirty-one characters' | head -c 5000000"
    replies = [Reply([call("Bash", "b", command=command)]), Reply([say("Much.")])]
    async with running(replies, tmp_path, isolated_machine, settings=Settings(rules=allowing("Bash"))) as rig:
        await rig.prompt("go")
        await check_huge(rig, 5_000_000)
        assert all(len(event.text) < 20_000 for event in rig.of(ev.ToolProgress))


async def test_binary_output_is_text_in_the_request_and_whole_on_disk(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([call("Bash", "b", command="head -c 300000 /dev/urandom")]), Reply([say("Odd.")])]
    async with running(replies, tmp_path, isolated_machine, settings=Settings(rules=allowing("Bash"))) as rig:
        await rig.prompt("go")
        await check_huge(rig, 300_000)
        assert_all_valid(rig.requests)


async def test_a_result_that_cannot_be_saved_is_cut_and_says_so(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_big(monkeypatch)
    async with running([Reply([big("a", 90_000)]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        outputs = rig.engine.calls.services.output_dir
        outputs.parent.mkdir(parents=True, exist_ok=True)
        outputs.write_text("in the way")
        await rig.prompt("go")
        (result,) = rig.of(ev.ToolFinished)
        assert "could not be saved" in result.content and len(result.content) < 60_000 + SLACK
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_a_saved_result_of_one_endless_line_can_be_read_in_parts(tmp_path: Path, isolated_machine: Path) -> None:
    command = "head -c 100000 /dev/zero | tr '\\0' z; echo END"

    def script(request: Any) -> Reply:
        match len(request.messages):
            case 1:
                return Reply([call("Bash", "b", command=command)])
            case 3:
                saved = results_in(request)["b"]["content"].partition("the whole is in ")[2].partition(" …")[0]
                return Reply([call("Read", "r", file_path=saved, offset=51)])
            case _:
                return Reply([say("Seen.")])

    async with running(script, tmp_path, isolated_machine, settings=Settings(rules=allowing("Bash"))) as rig:
        await rig.prompt("go")
        content = results_in(rig.requests[-1])["r"]["content"]
        assert "wrapped" in content and "    51\tEND" in content
