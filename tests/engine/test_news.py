"""What changes on disk while a session runs is told to the model: once, appended, and nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, Script, call, say
from core.prompt.reminders import TODO_NONE_STEP, TODO_STALE_STEPS
from core.protocol import events as ev
from core.protocol.ops import Compact
from core.query.file_news import MAX_FILE_CHARS, MAX_TIMES
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, denying, running
from tests.fakes.wire import NEW, OLD, assert_all_valid, assert_growing, results_in, texts_in

Deed = Callable[[], object]


TOLD_AT_FIRST = ("wrote for you", "Agents that you can start", "mentioned")
"""Reminders that are no news."""


def turn(*deeds: Deed | Reply) -> Script:
    """A turn of one request after the other: a deed is done on disk while the model thinks of its next call."""
    left = list(deeds)
    number = 0

    def script(_request: ModelRequest) -> Reply:
        nonlocal number
        number += 1
        if not left:
            return Reply([say("Done.")])
        step = left.pop(0)
        if isinstance(step, Reply):
            return step
        step()
        return Reply([call("Glob", f"g{number}", pattern="*.nothing")])

    return script


def reading(path: str, tool_id: str) -> Reply:
    return Reply([call("Read", tool_id, file_path=path)])


def nothing() -> None:
    """The disk stays as it is."""


def told(request: ModelRequest) -> list[str]:
    """The news in a request, whatever form the model takes it in."""
    found = texts_in(request, "system")
    return found + [
        text.removeprefix("<system-reminder>\n").removesuffix("\n</system-reminder>")
        for text in texts_in(request)
        if text.startswith("<system-reminder>") and not any(words in text for words in TOLD_AT_FIRST)
    ]


def counts(rig: Rig) -> list[int]:
    return [len(told(request)) for request in rig.requests]


def notices(rig: Rig) -> list[str]:
    return [event.text for event in rig.of(ev.Notice) if "git repository" not in event.text]


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def make_repository(folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "First")


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_instructions_that_change_during_a_turn_are_told_in_that_turn(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    file = put(tmp_path / "CLAUDE.md", "OLD RULE\n")
    script = turn(nothing, lambda: file.write_text("NEW RULE {x}\n"), nothing)
    async with running(script, tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1]
        (text,) = told(rig.requests[-1])
        assert f"From {file}:\nNEW RULE {{x}}" in text and "OLD RULE" not in text
        assert "Instructions changed: CLAUDE.md" in notices(rig)
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_of_a_long_file_only_the_difference_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    rules = [f"Rule number {number} is to be kept." for number in range(200)]
    file = put(tmp_path / "AGENTS.md", "\n".join(rules))
    other = put(tmp_path / "CLAUDE.md", "UNTOUCHED")
    rules[100] = "Rule number 100 is another one."
    async with running(turn(lambda: file.write_text("\n".join(rules))), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        assert f"From {file}, what is different:" in text
        assert "-Rule number 100 is to be kept." in text and "+Rule number 100 is another one." in text
        assert len(text) < 1_000
        assert other.name not in text


async def test_new_files_and_deleted_ones_are_told(tmp_path: Path, isolated_machine: Path) -> None:
    old = put(tmp_path / "AGENTS.md", "GOES")
    new = tmp_path / ".claude" / "rules" / "deep" / "new.md"
    script = turn(lambda: put(new, "COMES"), old.unlink, new.unlink, nothing)
    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 1, 2, 3, 3]
        first, second, third = told(rig.requests[-1])
        assert f"From {new}:\nCOMES" in first and "GOES" not in first
        assert second.endswith(f"No longer in force: {old}.")
        assert third.endswith(f"No longer in force: {new}.")
        assert_growing(rig.requests)


async def test_a_flood_of_changes_is_one_piece_of_news(tmp_path: Path, isolated_machine: Path) -> None:
    def checkout() -> None:
        for number in range(40):
            put(tmp_path / ".claude" / "rules" / f"{number:02}.md", f"RULE {number}")
        put(tmp_path / "AGENTS.md", "ALL OTHER")

    put(tmp_path / "AGENTS.md", "BEFORE")
    async with running(turn(checkout, nothing), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 1, 1]
        (text,) = told(rig.requests[-1])
        assert text.count("RULE ") == 40 and "ALL OTHER" in text
        lines = [text for text in notices(rig) if text.startswith("Instructions changed")]
        assert lines and all("more" in line and len(line) < 300 for line in lines)


async def test_a_file_that_cannot_be_read_stays_in_force(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / "AGENTS.md", "STAYS @more.md")
    more = put(tmp_path / "more.md", "IMPORTED")
    script = turn(lambda: file.write_bytes(b"\xff\xfe\xff"), lambda: put(file, "STAYS @more.md"), nothing)
    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        more.write_bytes(b"\xff")
        await rig.prompt("again")
        assert counts(rig)[-1] == 0
        warnings = [event.text for event in rig.of(ev.Notice) if event.level == "warning"]
        assert [text.partition(" cannot")[0] for text in warnings] == [str(file), str(more)]


async def test_a_file_that_became_empty_is_said_to_be_no_longer_in_force(
    tmp_path: Path, isolated_machine: Path
) -> None:
    file = put(tmp_path / "AGENTS.md", "WAS HERE")
    async with running(turn(lambda: file.write_text("\n"), nothing), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        assert text.endswith(f"No longer in force: {file}.")
        assert "Instructions changed: AGENTS.md (no longer in force)" in notices(rig)


async def test_the_user_sees_a_change_while_nothing_runs(tmp_path: Path, isolated_machine: Path) -> None:
    """The watcher starts in its own time, so the edit is repeated until it is seen."""
    file = put(tmp_path / "AGENTS.md", "RULE 0")
    async with running(turn(), tmp_path, isolated_machine) as rig:
        async with asyncio.timeout(20):
            number = 0
            while "Instructions changed: AGENTS.md" not in notices(rig):
                number += 1
                file.write_text(f"RULE {number}")
                rig.changed.clear()
                try:
                    async with asyncio.timeout(0.5):
                        await rig.changed.wait()
                except TimeoutError:
                    continue
        await rig.prompt("go")
        assert f"RULE {number}" in texts_in(rig.requests[0])[0]
        assert counts(rig) == [0], "what the first message says is no news"


async def test_instructions_of_a_folder_below_come_with_the_first_file_from_there(
    tmp_path: Path, isolated_machine: Path
) -> None:
    between = put(tmp_path / "pkg" / "AGENTS.md", "BETWEEN")
    deep = put(tmp_path / "pkg" / "deep" / "CLAUDE.md", "DEEP @more.md @../../../out.md")
    put(tmp_path / "pkg" / "deep" / "more.md", "MORE")
    put(tmp_path / "pkg" / "aside" / "CLAUDE.md", "ASIDE")
    for name in ("a", "b"):
        put(tmp_path / "pkg" / "deep" / f"{name}.py", "x = 1\n")
    script = turn(nothing, reading("pkg/deep/a.py", "r1"), reading("pkg/deep/b.py", "r2"), nothing)
    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1, 1]
        (text,) = told(rig.requests[-1])
        assert f"From {between}:\nBETWEEN\n\nFrom {deep}:\nDEEP MORE @../../../out.md" in text
        assert "ASIDE" not in text
        assert notices(rig) == ["Instructions read: pkg/AGENTS.md, pkg/deep/CLAUDE.md"]
        deep.write_text("DEEPER")
        await rig.prompt("more")
        assert [("BETWEEN" in text, "DEEPER" in text) for text in told(rig.requests[-1])] == [
            (True, False),
            (False, True),
        ]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_mentions_and_writes_bring_instructions_too(tmp_path: Path, isolated_machine: Path) -> None:
    for name in ("read", "written"):
        put(tmp_path / name / "AGENTS.md", f"FOR {name}")
    put(tmp_path / "read" / "a.txt", "text")
    write = Reply([call("Write", "w", file_path="written/new.txt", content="x")])
    settings = Settings(mode="acceptEdits")
    async with running(turn(write, nothing), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("look at @read/a.txt")
        assert counts(rig) == [1, 2, 2]
        assert ["FOR read" in text for text in told(rig.requests[-1])] == [True, False]


async def test_another_repository_and_folders_outside_bring_none(tmp_path: Path, isolated_machine: Path) -> None:
    project = tmp_path / "project"
    (project / "theirs").mkdir(parents=True)
    make_repository(project)
    make_repository(project / "theirs")
    for folder in (project / "theirs", project / "theirs" / "deep", tmp_path / "outside"):
        put(folder / "CLAUDE.md", "OBEY")
        put(folder / "a.txt", "text")
    paths = ("theirs/a.txt", "theirs/deep/a.txt", "../outside/a.txt")
    script = turn(*(reading(path, f"r{number}") for number, path in enumerate(paths)), nothing)
    async with running(script, project, isolated_machine, settings=Settings(rules=allowing("Read"))) as rig:
        await rig.prompt("go")
        assert all(not result.get("is_error") for result in results_in(rig.requests[-1]).values())
        assert counts(rig)[-1] == 0


async def test_rules_for_some_files_come_with_such_a_file(tmp_path: Path, isolated_machine: Path) -> None:
    rule = put(tmp_path / ".claude" / "rules" / "api.md", "---\npaths:\n  - src/**/*.py\n---\nRULES OF THE API")
    put(isolated_machine / ".claude" / "rules" / "mine.md", "---\npaths: **/*.{md,txt}\n---\nMY OWN")
    put(tmp_path / "src" / "deep" / "a.py", "x = 1\n")
    put(tmp_path / "b.py", "x = 1\n")
    put(tmp_path / "c.txt", "x\n")
    reads = [reading(path, path) for path in ("b.py", "src/deep/a.py", "c.txt", "src/deep/a.py")]
    async with running(turn(*reads, nothing), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 2, 2, 2]
        first, second = told(rig.requests[-1])
        assert first.endswith(f"From {rule}:\nRULES OF THE API")
        assert "MY OWN" in second
        rule.unlink()
        await rig.prompt("more")
        assert told(rig.requests[-1])[-1].endswith(f"No longer in force: {rule}.")


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_a_file_that_somebody_else_changed_is_told_with_the_difference(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    file = put(tmp_path / "a.py", "one\ntwo\nthree\n")
    edit = Reply([call("Edit", "e", file_path="a.py", old_string="TWO", new_string="2")])
    script = turn(reading("a.py", "r"), lambda: file.write_text("one\nTWO\nthree\n"), nothing, edit, nothing)
    settings = Settings(mode="acceptEdits", model=model)
    async with running(script, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1, 1, 1], "its own edit is no news"
        (text,) = told(rig.requests[-1])
        assert f"{file}: changed:\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three" in text
        assert not results_in(rig.requests[-1])["e"].get("is_error"), "it knows the file as it is"
        assert file.read_text() == "one\n2\nthree\n"
        assert "Changed on disk: a.py" in notices(rig)
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_what_a_command_of_its_own_changes_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    put(tmp_path / "a.py", "x=1\n")
    bash = Reply([call("Bash", "b", command="sed -i 's/=/ = /' a.py")])
    settings = Settings(rules=allowing("Bash"))
    async with running(turn(reading("a.py", "r"), bash), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        assert "-x=1\n+x = 1" in text


async def test_a_deleted_file_is_told_and_that_it_is_back(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / "a.txt", "text\n")
    script = turn(reading("a.txt", "r"), file.unlink, nothing, lambda: file.write_text("text\n"), nothing)
    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1, 2, 2]
        first, second = told(rig.requests[-1])
        assert first.endswith(f"{file}: deleted.")
        assert second.endswith(f"{file}: there again, as you have seen it.")


async def test_what_is_too_much_or_no_text_is_only_said(tmp_path: Path, isolated_machine: Path) -> None:
    large, binary = put(tmp_path / "large.txt", "a\n" * 9_000), put(tmp_path / "b.txt", "text\n")

    def change() -> None:
        large.write_text("b\n" * 9_000)
        binary.write_bytes(b"\0\1\2")

    edit = Reply([call("Edit", "e", file_path="large.txt", old_string="b\n", new_string="c\n", replace_all=True)])
    script = turn(reading("large.txt", "r1"), reading("b.txt", "r2"), change, edit, nothing)
    options = Settings(mode="acceptEdits", background_agents=False)
    async with running(script, tmp_path, isolated_machine, settings=options) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        for path in (large, binary):
            assert f"{path}: changed; read it again" in text
        assert len(text) < 1_000
        assert results_in(rig.requests[-1])["e"]["is_error"], "it has not seen what is there"


async def test_all_differences_of_one_request_have_a_limit(tmp_path: Path, isolated_machine: Path) -> None:
    names = [f"{number}.txt" for number in range(8)]
    old, new = ("".join(f"{word} {line:03}\n" for line in range(130)) for word in ("before", "after"))

    def change() -> None:
        for name in names:
            put(tmp_path / name, new)

    for name in names:
        put(tmp_path / name, old)
    reads = Reply([call("Read", name, file_path=name) for name in names])
    async with running(turn(reads, change), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        assert MAX_FILE_CHARS < len(text) < 14_000
        assert text.count("@@") // 2 >= 3 and text.count("read it again before") >= 1
        assert all(str(tmp_path / name) in text for name in names)


async def test_a_file_that_keeps_changing_is_not_told_for_ever(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / "log.txt", "0\n")
    grow = [lambda number=number: put(file, f"{number}\n") for number in range(1, 7)]
    edit = Reply([call("Edit", "e", file_path="log.txt", old_string="6", new_string="x")])
    script = turn(reading("log.txt", "r1"), *grow, edit, reading("log.txt", "r2"), grow[0], nothing)
    settings = Settings(mode="acceptEdits", rules=denying("TodoWrite"))
    async with running(script, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        assert counts(rig)[-3:] == [MAX_TIMES, MAX_TIMES + 1, MAX_TIMES + 1]
        assert ["keeps changing" in text for text in told(rig.requests[-1])] == [False, False, True, False]
        assert results_in(rig.requests[-1])["e"]["is_error"], "it does not know what it was not told"


async def test_a_touched_file_is_no_news(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / "a.txt", "text\n")
    instructions = put(tmp_path / "AGENTS.md", "RULE")

    def touch() -> None:
        file.write_text("text\n")
        instructions.write_text("RULE")

    async with running(turn(reading("a.txt", "r"), touch, nothing), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig)[-1] == 0
        assert notices(rig) == []


async def test_what_rules_hide_or_ask_about_does_not_come_by_the_back_door(
    tmp_path: Path, isolated_machine: Path
) -> None:
    """One file is denied after it was read, the other lay outside and was read with consent for once."""
    project, outside = tmp_path / "project", put(tmp_path / "outside.txt", "text\n")
    file = put(project / "a.txt", "text\n")
    reads = (reading("a.txt", "r1"), reading(str(outside), "r2"))

    def change() -> None:
        policies = rig.engine.calls.policies
        policies.reload((), (), policies.policy.roots)
        policies.add(("Read(a.txt)",), "deny")
        for path in (file, outside):
            path.write_text("SECRET\n")

    async with running(
        turn(*reads, change), project, isolated_machine, settings=Settings(rules=allowing("Read"))
    ) as rig:
        await rig.prompt("go")
        (text,) = told(rig.requests[-1])
        assert "SECRET" not in text and str(file) not in text
        assert f"{outside}: changed; read it again" in text


async def test_an_instruction_file_that_was_read_is_told_once(tmp_path: Path, isolated_machine: Path) -> None:
    file = put(tmp_path / "AGENTS.md", "OLD")
    async with running(
        turn(reading("AGENTS.md", "r"), lambda: file.write_text("NEW"), nothing), tmp_path, isolated_machine
    ) as rig:
        await rig.prompt("go")
        assert counts(rig)[-1] == 1


async def test_what_is_left_out_is_named_to_the_user(tmp_path: Path, isolated_machine: Path) -> None:
    put(tmp_path / "CLAUDE.md", "OUT")
    settings = Settings(instruction_excludes=("**/CLAUDE.md",))
    async with running(turn(), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        assert texts_in(rig.requests[0]) == ["go"]
        assert notices(rig) == ["Left out by claudeMdExcludes: CLAUDE.md"]
    async with running(turn(), tmp_path, isolated_machine, is_trusted=False) as rig:
        await rig.prompt("go")
        assert notices(rig) == ["Not read, the folder is not trusted: CLAUDE.md"]


async def test_long_work_without_a_list_is_spoken_of_once(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(turn(*[nothing] * 20), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig).index(1) == TODO_NONE_STEP - 1
        assert counts(rig)[-1] == 1
    async with running(
        turn(*[nothing] * 20), tmp_path, isolated_machine, settings=Settings(rules=denying("TodoWrite"))
    ) as rig:
        await rig.prompt("go")
        assert counts(rig)[-1] == 0, "there is no such tool"


async def test_short_turns_are_not_spoken_to_about_lists(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [
        reply for number in range(12) for reply in (Reply([call("Glob", f"g{number}", pattern="x")]), Reply([say("x")]))
    ]
    async with running(replies, tmp_path, isolated_machine) as rig:
        for _ in range(12):
            await rig.prompt("go")
        assert counts(rig)[-1] == 0


def todo_call(tool_id: str, content: str) -> Reply:
    item = {"id": "1", "content": content, "status": "pending"}
    return Reply([call("TodoWrite", tool_id, todos=[item])])


async def test_a_list_that_somebody_else_edited_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    def edit() -> None:
        store = rig.engine.calls.services.todos
        items = json.loads(store.path.read_bytes())
        items[0]["content"] = "By hand"
        store.path.write_text(json.dumps(items))
        store.load()

    async with running(
        turn(todo_call("t1", "Mine"), edit, nothing, todo_call("t2", "Mine too")), tmp_path, isolated_machine
    ) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1, 1]
        (text,) = told(rig.requests[-1])
        assert "1. [pending] By hand" in text


async def test_a_stale_list_is_recalled_in_other_words_each_time(tmp_path: Path, isolated_machine: Path) -> None:
    script = turn(todo_call("t", "Work"), *[nothing] * (2 * TODO_STALE_STEPS + 1))
    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        texts = told(rig.requests[-1])
        assert len(texts) == len(set(texts)) == 2


@pytest.mark.parametrize("is_worktree", [False, True])
async def test_another_branch_is_told_once(tmp_path: Path, isolated_machine: Path, is_worktree: bool) -> None:
    project = tmp_path / "main"
    project.mkdir()
    make_repository(project)
    if is_worktree:
        git(project, "worktree", "add", "-q", "-b", "side", "../side")
        project = tmp_path / "side"

    script = turn(
        nothing,
        lambda: git(project, "checkout", "-b", "topic"),
        nothing,
        lambda: git(project, "checkout", "--detach"),
        nothing,
    )
    async with running(script, project, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig) == [0, 0, 1, 1, 2, 2]
        first, second = told(rig.requests[-1])
        assert "branch topic" in first and "detached" in second
        assert [event.branch for event in rig.of(ev.WorkspaceRead)][-2:] == ["topic", ""]
        assert_growing(rig.requests)


async def test_a_resumed_session_is_told_what_changed_meanwhile(tmp_path: Path, isolated_machine: Path) -> None:
    same, other = put(tmp_path / "AGENTS.md", "SAME"), put(tmp_path / "CLAUDE.md", "BEFORE")
    gone = put(tmp_path / "CLAUDE.local.md", "GONE")
    async with running(turn(lambda: put(same, "SAME {still}")), tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert counts(rig)[-1] == 1
    for expected in (1, 2, 2):
        async with running(turn(), tmp_path, isolated_machine, resume="latest") as rig:
            await rig.prompt("on")
            assert counts(rig) == [expected], "nothing is told that did not change"
            if expected == 2:
                text = told(rig.requests[-1])[-1]
                assert f"From {other}:\nAFTER" in text and f"No longer in force: {gone}." in text and "SAME" not in text
        if expected == 1:
            other.write_text("AFTER")
            gone.unlink()


async def test_after_a_compaction_all_that_still_matters_is_told_anew(tmp_path: Path, isolated_machine: Path) -> None:
    """What was told is gone; the new first message has the instructions as they are, and the date is the prompt's."""
    make_repository(tmp_path)
    rules = put(tmp_path / "AGENTS.md", "FIRST RULE")
    put(tmp_path / "sub" / "CLAUDE.md", "BELOW")
    file = put(tmp_path / "sub" / "a.txt", "text\n" * 3_000)
    steps = turn(
        lambda: rules.write_text("SECOND RULE"),
        lambda: git(tmp_path, "checkout", "-q", "-b", "topic"),
        reading("sub/a.txt", "r1"),
        Reply([say("Read.")]),
        Reply([say("What was done, in short.")]),
        lambda: put(file, "other\n"),
        nothing,
    )
    options = Settings(mode="plan", background_agents=False)
    async with running(steps, tmp_path, isolated_machine, settings=options) as rig:
        await rig.prompt("go")
        assert counts(rig)[-1] == 4, "mode, rule, branch, what goes with the folder"
        await rig.do(Compact())
        await rig.settle()
        assert rig.of(ev.CompactionFinished), rig.of(ev.CompactionFailed)
        await rig.prompt("on")
    first = "".join(texts_in(rig.requests[-1])[:1])
    news = told(rig.requests[-1])
    assert "SECOND RULE" in first and "FIRST RULE" not in first
    for word, times in (("Plan mode", 1), ("topic", 1), ("RULE", 0), ("BELOW", 1), (f"{file}: changed", 1)):
        assert sum(word in text for text in news) == times, word
    assert_all_valid(rig.requests)
    assert_growing(rig.requests[-3:])
