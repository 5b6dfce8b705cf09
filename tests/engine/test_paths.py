"""Paths in a whole engine: what changes between the question and the answer, and what is refused without a question."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import AnswerPermission, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import Rig, denying, running
from tests.fakes.wire import assert_all_valid, results_in, texts_in

DONE = Reply([say("Done.")])
ACCEPT = Settings(mode="acceptEdits")


async def answered(rig: Rig, meanwhile: Callable[[], object]) -> str:
    """Do something while the question is open, say yes, and give what the model reads of the call."""
    await rig.do(SubmitPrompt(text="go"))
    asked = await rig.event(ev.PermissionRequested)
    meanwhile()
    await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
    await rig.settle()
    return str(results_in(rig.requests[-1])["c"]["content"])


def swap(folder: Path, target: Path) -> None:
    """Put a link in the place of a folder."""
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project/sub/deep/a.txt", "outside/deep/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("one\n")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("path", "level"), [("sub/deep/new.txt", "sub"), ("sub/deep/new.txt", "sub/deep"), ("sub/new/er/x.txt", "sub")]
)
async def test_a_folder_swapped_for_a_link_while_the_question_is_open_gets_no_file(
    project: Path, isolated_machine: Path, path: str, level: str
) -> None:
    outside = project.parent / "outside"
    write = call("Write", "c", file_path=path, content="planted\n")
    async with running([Reply([write]), DONE], project, isolated_machine) as rig:
        said = await answered(rig, lambda: swap(project / level, outside))
        assert "leads elsewhere than when this call was judged" in said and "Nothing was done" in said
        assert sorted(path.name for path in outside.rglob("*")) == ["a.txt", "deep"]


async def test_a_file_that_was_read_and_swapped_for_a_link_is_not_edited(project: Path, isolated_machine: Path) -> None:
    target, outside = project / "sub" / "deep" / "a.txt", project.parent / "outside" / "deep" / "a.txt"
    read = call("Read", "r", file_path=str(target))
    edit = call("Edit", "c", file_path=str(target), old_string="one", new_string="planted")

    def swapped() -> None:
        target.unlink()
        target.symlink_to(outside)

    async with running([Reply([read]), Reply([edit]), DONE], project, isolated_machine) as rig:
        said = await answered(rig, swapped)
        assert "leads elsewhere" in said
        assert outside.read_text() == "one\n"


async def test_a_link_that_is_turned_elsewhere_while_the_question_is_open_is_not_written_through(
    project: Path, isolated_machine: Path
) -> None:
    link, other = project / "link", project.parent / "other"
    other.mkdir()
    link.symlink_to(project.parent / "outside")

    def turned() -> None:
        link.unlink()
        link.symlink_to(other)

    write = call("Write", "c", file_path="link/new.txt", content="x")
    async with running([Reply([write]), DONE], project, isolated_machine) as rig:
        assert "leads elsewhere" in await answered(rig, turned)
        assert not list(other.iterdir()) and not (project.parent / "outside" / "new.txt").exists()


async def test_a_read_that_was_allowed_does_not_follow_a_swapped_folder(project: Path, isolated_machine: Path) -> None:
    (project.parent / "secrets" / "deep").mkdir(parents=True)
    (project.parent / "secrets" / "deep" / "a.txt").write_text("hunter2\n")
    outside = project.parent / "outside"
    read = call("Read", "c", file_path=str(outside / "deep" / "a.txt"))
    async with running([Reply([read]), DONE], project, isolated_machine) as rig:
        said = await answered(rig, lambda: swap(outside, project.parent / "secrets"))
        assert "hunter2" not in said and "leads elsewhere" in said


async def test_a_file_changed_while_the_question_is_open_is_not_overwritten(
    project: Path, isolated_machine: Path
) -> None:
    """What was approved is a change of what was shown."""
    target = project / "sub" / "deep" / "a.txt"
    read = call("Read", "r", file_path=str(target))
    write = call("Write", "c", file_path=str(target), content="mine\n")
    async with running([Reply([read]), Reply([write]), DONE], project, isolated_machine) as rig:
        said = await answered(rig, lambda: target.write_text("theirs\n"))
        assert "has changed on disk" in said
        assert target.read_text() == "theirs\n"


async def test_a_file_that_appears_while_the_question_is_open_is_not_overwritten(
    project: Path, isolated_machine: Path
) -> None:
    target = project / "new.txt"
    write = call("Write", "c", file_path="new.txt", content="mine\n")
    async with running([Reply([write]), DONE], project, isolated_machine) as rig:
        await answered(rig, lambda: target.write_text("theirs\n"))
        assert target.read_text() == "theirs\n"


async def test_what_was_approved_is_what_is_written_byte_for_byte(project: Path, isolated_machine: Path) -> None:
    target = project / "crlf.txt"
    target.write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    read = call("Read", "r", file_path="crlf.txt")
    write = call("Write", "c", file_path="crlf.txt", content="one\n2")
    async with running([Reply([read]), Reply([write]), DONE], project, isolated_machine) as rig:
        await answered(rig, lambda: None)
        diff = rig.of(ev.PermissionRequested)[0].request.display.diff
        assert diff is not None and (diff.old, diff.new) == ("one\ntwo", "one\n2")
        assert target.read_bytes() == b"\xef\xbb\xbfone\r\n2"


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "plan"])
@pytest.mark.parametrize(
    ("block", "why"),
    [
        (call("Read", "c", file_path="/dev/zero"), "device, pipe or socket"),
        (call("Read", "c", file_path="pipe"), "device, pipe or socket"),
        (call("Write", "c", file_path="pipe", content="x"), "device, pipe or socket"),
        (call("Write", "c", file_path="a\0b", content="x"), "NUL"),
        (call("Write", "c", file_path=" ", content="x"), "empty"),
        (call("Write", "c", file_path="/", content="x"), "folder"),
        (call("Write", "c", file_path="x" * 300, content="x"), "too long"),
        (call("Edit", "c", file_path="loop", old_string="a", new_string="b"), "circle of symbolic links"),
        (call("Read", "c", file_path="file:///etc/passwd"), "URL"),
        (call("LS", "c", path="loop"), "circle of symbolic links"),
        (call("Grep", "c", pattern="x", path="y/" * 2_500), "too long"),
    ],
)
async def test_what_is_no_usable_path_is_refused_without_a_question(
    project: Path, isolated_machine: Path, block: object, why: str, mode: str
) -> None:
    os.mkfifo(project / "pipe")
    (project / "loop").symlink_to("pool")
    (project / "pool").symlink_to("loop")
    settings = Settings(mode=mode)  # pyright: ignore[reportArgumentType]
    replies = [Reply([block]), DONE]  # pyright: ignore[reportArgumentType]
    async with running(replies, project, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        result = results_in(rig.requests[-1])["c"]
        assert result["is_error"] and why in result["content"] and "Traceback" not in result["content"]
        assert not rig.of(ev.PermissionRequested)


async def test_a_notebook_that_may_not_be_edited_is_denied(project: Path, isolated_machine: Path) -> None:
    (project / "a.ipynb").write_text("{}")
    edit = call("NotebookEdit", "c", notebook_path="a.ipynb", cell_id="1", new_source="x")
    for rule in ("Edit(a.ipynb)", "Read(*.ipynb)"):
        settings = Settings(mode="acceptEdits", rules=denying(rule), tool_search="off")
        async with running([Reply([edit]), DONE], project, isolated_machine, settings=settings) as rig:
            await rig.prompt("go")
            assert rule in str(results_in(rig.requests[-1])["c"]["content"])


async def test_denied_files_stay_unseen_by_every_way(project: Path, isolated_machine: Path) -> None:
    (project / "secret").mkdir()
    (project / "secret" / "plan.txt").write_text("one hidden thing\n")
    blocks = [
        call("Glob", "g", pattern="**/*"),
        call("Grep", "s", pattern="one", output_mode="content"),
        call("LS", "l", path="secret"),
        call("Read", "r", file_path="secret/plan.txt"),
        call("Write", "w", file_path="secret/plan.txt", content="x"),
        call("Edit", "e", file_path="secret/plan.txt", old_string="one", new_string="two"),
    ]
    settings = Settings(mode="acceptEdits", rules=denying("Read(secret/**)"))
    async with running([Reply(blocks), DONE], project, isolated_machine, settings=settings) as rig:
        await rig.prompt("look @secret/ and @secret/plan.txt")
        results = results_in(rig.requests[-1])
        for name in "gsl":
            assert "plan" not in results[name]["content"] and "hidden thing" not in results[name]["content"]
        assert all(results[name]["is_error"] and "denies it" in results[name]["content"] for name in "rwe")
        attached = [text for text in texts_in(rig.requests[0]) if "The user mentioned" in text]
        assert all("plan.txt" not in text for text in attached)
        assert (project / "secret" / "plan.txt").read_text() == "one hidden thing\n"
        assert_all_valid(rig.requests)


async def test_a_name_that_is_no_text_can_be_read_and_told(project: Path, isolated_machine: Path) -> None:
    (project / os.fsdecode(b"caf\xe9.txt")).write_text("inside\n")
    blocks = [
        call("Glob", "g", pattern="*.txt"),
        call("Read", "r", file_path=os.fsdecode(b"caf\xe9.txt")),
        call("Read", "m", file_path=os.fsdecode(b"gone\xe9.txt")),
    ]
    async with running([Reply(blocks), DONE], project, isolated_machine) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert "inside" in results["r"]["content"] and "caf\ufffd.txt" in results["g"]["content"]
        assert results["m"]["is_error"]
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("path", [os.environ["PATH"], ""], ids=["ripgrep", "python"])
async def test_a_huge_file_is_not_loaded(
    project: Path, isolated_machine: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path)
    with (project / "huge").open("wb") as stream:
        stream.truncate(5_000_000_000)
    blocks = [
        call("Read", "r", file_path="huge"),
        call("Grep", "g", pattern="x", path="huge"),
        call("Grep", "f", pattern="x"),
    ]
    async with running([Reply(blocks), DONE], project, isolated_machine) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert "5,000,000,000 bytes" in results["r"]["content"]
        assert "binary" in results["g"]["content"]
        assert "huge" not in results["f"]["content"]
