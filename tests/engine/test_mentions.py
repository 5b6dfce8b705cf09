"""Files mentioned in a prompt reach the model with it, as far as they may be read unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import AnswerPermission, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import Rig, denying, running
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, texts_in

DONE = Reply([say("Done.")])


def notices(rig: Rig, level: str) -> list[str]:
    return [event.text for event in rig.of(ev.Notice) if event.level == level]


def attached(rig: Rig, request: int = -1) -> list[str]:
    return [text for text in texts_in(rig.requests[request]) if "The user mentioned" in text]


async def test_a_mentioned_file_comes_with_the_prompt(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("first = 1\nsecond = {}\n")
    (tmp_path / "my file.txt").write_text("blank in the name\n")
    prompt = 'Explain @src/a.py, @"my file.txt" and mail me@src/a.py about @nothing.'
    async with running([DONE, DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt(prompt)
        texts = texts_in(rig.requests[0])
        assert prompt in texts
        one, two = attached(rig)
        assert "     1\tfirst = 1\n     2\tsecond = {}" in one and str(tmp_path / "src" / "a.py") in one
        assert "blank in the name" in two
        assert texts.index(one) > texts.index(prompt)
        assert notices(rig, "info")[-1] == "Attached: src/a.py (2 lines), my file.txt (1 line)"
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == [prompt]
        await rig.prompt("and?")
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_what_was_mentioned_may_be_edited(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    edit = call("Edit", "e", file_path="a.txt", old_string="one", new_string="two")
    async with running([Reply([edit]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="change @a.txt."))
        asked = await rig.event(ev.PermissionRequested)
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
        await rig.settle()
        assert (tmp_path / "a.txt").read_text() == "two\n"


async def test_a_folder_gives_its_listing(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "inside.py").write_text("secret words")
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("what is in @src/ ?")
        (text,) = attached(rig)
        assert "inside.py" in text and "secret words" not in text
        assert notices(rig, "info")[-1] == "Attached: src/"


@pytest.mark.parametrize(
    ("mention", "why"),
    [("@.env", "may hold secrets"), ("@../outside.txt", "outside the working folder"), ("@no.txt", "denies it")],
)
async def test_what_would_have_to_be_asked_is_told_and_not_attached(
    mention: str, why: str, tmp_path: Path, isolated_machine: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for path in (folder / ".env", folder / "no.txt", tmp_path / "outside.txt"):
        path.write_text("hidden words\n")
    settings = Settings(rules=denying("Read(no.txt)"))
    async with running([DONE], folder, isolated_machine, settings=settings) as rig:
        await rig.prompt(f"read {mention} please")
        assert "hidden words" not in str(rig.requests[0].messages)
        (notice,) = notices(rig, "warning")
        assert "is not attached" in notice and why in notice
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_a_binary_file_is_told_and_not_attached(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "pic.png").write_bytes(b"\x89PNG\0\0\0")
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("look at @pic.png")
        assert not attached(rig)
        assert "binary" in notices(rig, "warning")[0]


async def test_a_long_file_is_attached_in_part(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "long.txt").write_text("line\n" * 5_000)
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("@long.txt")
        assert "PARTIAL view: lines 1–2000 of 5000" in attached(rig)[0]


async def test_many_long_files_are_too_much_together(tmp_path: Path, isolated_machine: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(f"{'x' * 60}\n" * 1_500)
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("@0.txt @1.txt @2.txt @3.txt")
        assert [text.count("0.txt") + text.count("1.txt") for text in attached(rig)] == [1, 1]
        assert [text.split()[0] for text in notices(rig, "warning")] == ["@2.txt", "@3.txt"]


async def test_a_mention_typed_while_it_works_is_attached_too(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate: type[Gate] = install_gate(monkeypatch)
    (tmp_path / "a.txt").write_text("later words\n")
    async with running([Reply([gate_call("a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a")
        await rig.do(SubmitPrompt(text="see @a.txt"))
        gate.open("a")
        await rig.settle()
        assert "later words" in attached(rig, 1)[0]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)
