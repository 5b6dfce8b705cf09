"""Plan mode through the whole engine: the plan file, entering, approval, editing, and who may write what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.inquiries import PlanAnswer
from core.protocol.ops import AnswerPermission, AnswerPlan, Interrupt, SetMode, SubmitPrompt
from core.protocol.views import PermissionMode
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, denying, running
from tests.fakes.wire import assert_all_valid, assert_growing, results_in, texts_in

DONE = Reply([say("Done.")])
PLANNING = Settings(mode="plan")
PLAN = "# Plan\n\n1. Look\n2. Leap\n"


def leave(number: int = 1, **arguments: Any) -> dict[str, Any]:
    return call("ExitPlanMode", f"x{number}", **arguments)


def write(path: Path | str, content: str = PLAN, number: int = 1) -> dict[str, Any]:
    return call("Write", f"w{number}", file_path=str(path), content=content)


def plan_file(rig: Rig) -> Path:
    return rig.engine.calls.services.plan_file


def mode(rig: Rig) -> PermissionMode:
    return rig.engine.calls.policies.policy.mode


async def proposed(rig: Rig) -> ev.PlanProposed:
    """Send a prompt and wait for the plan."""
    await rig.do(SubmitPrompt(text="go"))
    return await rig.event(ev.PlanProposed)


async def answer(rig: Rig, given: PlanAnswer, comment: str = "") -> str:
    """Answer the plan; what the model reads."""
    event = await rig.event(ev.PlanProposed)
    await rig.do(AnswerPlan(request_id=event.request.id, answer=given, comment=comment))
    await rig.settle()
    if len(rig.requests) == 1:
        return ""
    return results_in(rig.requests[-1])["x1"]["content"]


@pytest.mark.parametrize(
    ("given", "then", "told"),
    [("accept_edits", "acceptEdits", "accepted"), ("ask_edits", "default", "asked about each edit")],
)
async def test_an_approved_plan_sets_the_mode(
    tmp_path: Path, isolated_machine: Path, given: PlanAnswer, then: PermissionMode, told: str
) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        request = (await proposed(rig)).request
        assert (request.plan, request.path, request.tool_use_id) == (PLAN, str(plan_file(rig)), "x1")
        assert mode(rig) == "plan"
        result = await answer(rig, given)
        assert str(plan_file(rig)) in result and told in result and "begin" in result
        assert "# Plan" not in result, "the model knows its own plan"
        assert mode(rig) == then
        assert rig.of(ev.ModeChanged) == [ev.ModeChanged(mode=then)]
        assert plan_file(rig).read_text() == PLAN
        assert "Plan mode is off" in texts_in(rig.requests[-1], "system")[-1]
        assert rig.of(ev.ToolFinished)[-1].display.details["plan"] == PLAN
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_the_model_writes_the_file_and_presents_it(tmp_path: Path, isolated_machine: Path) -> None:
    place: list[str] = []

    def script(request: Any) -> Reply:
        told = texts_in(request, "system")[0]
        place.append(told.partition("write the plan to ")[2].partition(", the only")[0])
        steps = [write(place[0]), call("Edit", "e1", file_path=place[0], old_string="Leap", new_string="Jump"), leave()]
        return Reply([steps[len(place) - 1]]) if len(place) <= len(steps) else DONE

    async with running(script, tmp_path, isolated_machine, settings=PLANNING) as rig:
        request = (await proposed(rig)).request
        assert place[0] == str(plan_file(rig)), "the reminder names the file"
        assert request.plan == PLAN.replace("Leap", "Jump")
        reasons = [event.reason for event in rig.of(ev.PermissionDecided)]
        assert reasons[:2] == ["it writes the plan"] * 2
        result = await answer(rig, "ask_edits")
        assert "edited" not in result


async def test_what_the_user_edits_in_the_file_is_what_is_approved(tmp_path: Path, isolated_machine: Path) -> None:
    again = call("Edit", "e1", file_path="?", old_string="Rest", new_string="Done")
    replies = [Reply([leave(plan=PLAN)]), Reply([again]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=PLANNING) as rig:
        again["input"]["file_path"] = str(plan_file(rig))
        await proposed(rig)
        plan_file(rig).write_text("# Better\n\n1. Rest\n")
        event = await rig.event(ev.PlanProposed)
        await rig.do(AnswerPlan(request_id=event.request.id, answer="accept_edits", comment="mind the tests"))
        asked = await rig.event(ev.PermissionRequested)
        assert asked.request.tool_use_id == "e1", "after plan mode the plan is a protected file like any other of ours"
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
        await rig.settle()
        results = results_in(rig.requests[-1])
        assert "was edited" in results["x1"]["content"] and "# Better\n\n1. Rest" in results["x1"]["content"]
        assert "mind the tests" in results["x1"]["content"]
        assert not results["e1"].get("is_error"), "the model has seen the plan as it is"
        assert rig.of(ev.ToolFinished)[0].display.details["plan"] == "# Better\n\n1. Rest\n"


async def test_a_plan_that_the_model_has_not_read_goes_along(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave()]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        plan_file(rig).parent.mkdir(parents=True)
        plan_file(rig).write_text(PLAN)
        await proposed(rig)
        assert PLAN in await answer(rig, "ask_edits")


async def test_sent_back_with_comments_plan_mode_stays_on(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        await proposed(rig)
        result = await answer(rig, "keep_planning", "think of Windows")
        assert "Not approved" in result and "think of Windows" in result
        assert mode(rig) == "plan" and not rig.of(ev.ModeChanged)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert rig.of(ev.QuestionResolved)[-1].outcome == "declined"


async def test_sent_back_without_a_word_the_turn_ends(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        await proposed(rig)
        await answer(rig, "keep_planning")
        assert rig.of(ev.TurnEnded)[-1].reason == "denied" and mode(rig) == "plan"
        assert len(rig.requests) == 1


async def test_an_interrupt_withdraws_the_plan_and_keeps_its_file(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        await proposed(rig)
        await rig.do(Interrupt())
        await rig.settle()
        assert rig.of(ev.QuestionResolved)[-1].outcome == "withdrawn"
        assert mode(rig) == "plan" and plan_file(rig).read_text() == PLAN
        assert rig.engine.calls.broker.pending == ()


@pytest.mark.parametrize("arguments", [{}, {"plan": ""}, {"plan": " \n"}])
async def test_an_empty_plan_is_not_shown(tmp_path: Path, isolated_machine: Path, arguments: dict[str, Any]) -> None:
    async with running([Reply([leave(**arguments)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["x1"]
        assert result["is_error"] and str(plan_file(rig)) in result["content"]
        assert not rig.of(ev.PlanProposed)


async def test_outside_of_plan_mode_there_is_nothing_to_approve(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["x1"]
        assert result["is_error"] and "not on" in result["content"]
        assert not plan_file(rig).exists() and not rig.of(ev.PlanProposed)


async def test_with_nobody_to_approve_the_plan_is_the_answer(tmp_path: Path, isolated_machine: Path) -> None:
    enter = call("EnterPlanMode", "n1")
    replies = [Reply([leave(plan=PLAN)]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=PLANNING, is_attended=False) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["x1"]
        assert result["is_error"] and "with the plan as your answer" in result["content"] and mode(rig) == "plan"
    async with running([Reply([enter]), DONE], tmp_path, isolated_machine, is_attended=False) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["n1"]
        assert result["is_error"] and "nobody could approve" in result["content"] and mode(rig) == "default"


async def test_entering_is_consented_to_in_every_mode(tmp_path: Path, isolated_machine: Path) -> None:
    for number, start in enumerate(("default", "acceptEdits", "bypassPermissions")):
        folder = tmp_path / str(number)
        folder.mkdir()
        replies = [Reply([call("EnterPlanMode", "n1")]), Reply([write("a.txt")]), DONE]
        settings = Settings(rules=allowing("EnterPlanMode"))
        async with running(replies, folder, isolated_machine, settings=settings) as rig:
            rig.engine.calls.policies.set_mode(start)  # as root bypassing cannot be asked for
            await rig.do(SubmitPrompt(text="go"))
            asked = await rig.event(ev.PermissionRequested)
            assert asked.request.scopes == ()
            assert mode(rig) == start
            await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
            await rig.settle()
            assert mode(rig) == "plan"
            assert str(plan_file(rig)) in texts_in(rig.requests[1], "system")[-1], "told before the next request"
            assert "read-only" in results_in(rig.requests[-1])["w1"]["content"]


async def test_entering_twice_and_declining(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([call("EnterPlanMode", "n1")]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=PLANNING) as rig:
        await rig.prompt("go")
        assert "on already" in results_in(rig.requests[-1])["n1"]["content"]
        assert not rig.of(ev.PermissionRequested)
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        asked = await rig.event(ev.PermissionRequested)
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="deny", comment="it is small"))
        await rig.settle()
        assert "it is small" in results_in(rig.requests[-1])["n1"]["content"] and mode(rig) == "default"


Spelling = Callable[[Path, Path], Path]
"""How a path is written, from the plan file and a folder of the project."""


def linked(plan: Path, work: Path) -> Path:
    (work / "link.md").symlink_to(plan)
    return work / "link.md"


def through_folder(plan: Path, work: Path) -> Path:
    (work / "plans").symlink_to(plan.parent)
    return work / "plans" / plan.name


def up_through_link(plan: Path, work: Path) -> Path:
    """Lexically the plan file, but on disk a file beside the target of a link."""
    (work / "deep").mkdir()
    (plan.parent / "away").symlink_to(work / "deep")
    return plan.parent / "away" / ".." / plan.name


SPELLINGS: list[tuple[Spelling, bool]] = [
    (lambda plan, _work: plan, True),
    (lambda plan, _work: plan.parent / "." / "x" / ".." / plan.name, True),
    (lambda plan, _work: plan.parent / "other.md", False),
    (lambda plan, _work: plan.parent / ".." / "trust.json", False),
    (lambda plan, _work: plan / "inside.md", False),
    (lambda _plan, work: work / "a.txt", False),
    (linked, False),
    (through_folder, False),
    (up_through_link, False),
]


@pytest.mark.parametrize(("spell", "is_allowed"), SPELLINGS)
async def test_plan_mode_writes_the_plan_and_no_other_file(
    tmp_path: Path, isolated_machine: Path, spell: Spelling, is_allowed: bool
) -> None:
    blocks = [write("?")]
    async with running([Reply(blocks), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        plan_file(rig).parent.mkdir(parents=True)
        (plan_file(rig).parent / "x").mkdir()
        blocks[0]["input"]["file_path"] = str(spell(plan_file(rig), tmp_path))
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["w1"]
        assert bool(result.get("is_error")) != is_allowed, result
        assert plan_file(rig).is_file() == is_allowed
        assert ("read-only" in result["content"]) != is_allowed
        assert not rig.of(ev.PermissionRequested)


async def test_a_plan_file_that_is_a_link_is_not_written_through(tmp_path: Path, isolated_machine: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    blocks = [write("?"), leave(plan=PLAN)]
    replies = [Reply([block]) for block in blocks]
    async with running([*replies, DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        plan_file(rig).parent.mkdir(parents=True)
        plan_file(rig).symlink_to(victim)
        blocks[0]["input"]["file_path"] = str(plan_file(rig))
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert results["w1"]["is_error"] and results["x1"]["is_error"]
        assert "is a link" in results["x1"]["content"]
        assert victim.read_text() == "precious"


@pytest.mark.parametrize("other", ["default", "acceptEdits"])
async def test_in_another_mode_the_plan_file_is_asked_about(
    tmp_path: Path, isolated_machine: Path, other: PermissionMode
) -> None:
    blocks = [write("?")]
    async with running([Reply(blocks), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SetMode(mode=other))
        blocks[0]["input"]["file_path"] = str(plan_file(rig))
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.PermissionRequested)
        assert not plan_file(rig).exists()


async def test_a_deny_rule_holds_for_the_plan_too(tmp_path: Path, isolated_machine: Path) -> None:
    blocks = [write("?")]
    settings = Settings(mode="plan", rules=denying("Write"))
    async with running([Reply(blocks), DONE], tmp_path, isolated_machine, settings=settings) as rig:
        blocks[0]["input"]["file_path"] = str(plan_file(rig))
        await rig.prompt("go")
        assert results_in(rig.requests[-1])["w1"]["is_error"] and not plan_file(rig).exists()


async def test_a_session_taken_up_finds_its_plan_again(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        await proposed(rig)
        await answer(rig, "accept_edits")
        path = plan_file(rig)
    read = call("Read", "r1", file_path=str(path))
    replies = [Reply([read]), DONE]
    async with running(replies, tmp_path, isolated_machine, resume=rig.engine.session_id) as again:
        assert plan_file(again) == path and mode(again) == "default"
        await again.prompt("what was the plan?")
        assert "Leap" in results_in(again.requests[-1])["r1"]["content"]
        assert not again.of(ev.PermissionRequested)


async def test_a_plan_that_cannot_be_saved_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([leave(plan=PLAN)]), DONE], tmp_path, isolated_machine, settings=PLANNING) as rig:
        plan_file(rig).parent.parent.mkdir(parents=True, exist_ok=True)
        plan_file(rig).parent.write_text("a file where the folder should be")
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["x1"]
        assert result["is_error"] and "cannot be written" in result["content"] and mode(rig) == "plan"
