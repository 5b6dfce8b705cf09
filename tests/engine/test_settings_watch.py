"""Settings files that change while a session runs: their rules count from then on, and nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.engine import settings_watch
from core.host import watch
from core.llm.scripted import Reply, call, say
from core.protocol.events import ModeChanged, Notice, PermissionRequested, RulesChanged, ToolFinished, TurnEnded
from core.protocol.ops import AnswerPermission, DeleteRule, SetMode, SubmitPrompt
from core.protocol.usage import Usage
from core.settings.load import SettingsSource, load_settings
from core.settings.paths import Paths
from tests.fakes.engines import Rig, make_launch, running


class Bench:
    """A project with settings files, and a session that follows them."""

    def __init__(self, base: Path) -> None:
        self.cwd = base / "project"
        self.home = base / "home"
        (self.cwd / ".git").mkdir(parents=True)
        self.home.mkdir()
        made = make_launch(self.cwd, self.home).paths
        self.paths = Paths(made.config, made.data, made.log, home=self.home, managed=(base / "managed",))
        self.project = self.cwd / ".claude" / "settings.json"

    def write(self, path: Path, **permissions: Any) -> None:
        """As an editor saves: the new file takes the place of the old one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}~")
        fresh.write_text(json.dumps({"permissions": permissions}))
        fresh.replace(path)

    @asynccontextmanager
    async def session(
        self, replies: list[Reply], *, is_trusted: bool = True, is_attended: bool = False, folder: str = ""
    ) -> AsyncGenerator[Rig]:
        cwd = self.cwd / folder
        source = SettingsSource(paths=self.paths, cwd=cwd)
        loaded = load_settings(source, is_trusted=is_trusted)
        async with running(
            replies,
            cwd,
            self.home,
            settings=loaded.settings,
            loaded=loaded,
            is_attended=is_attended,
            is_trusted=is_trusted,
            paths=self.paths,
        ) as rig:
            yield rig


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No watcher: what is seen is seen because a turn begins."""

    async def nothing(_find: object, _look: Callable[[], None]) -> None:
        return None

    monkeypatch.setattr(settings_watch, "watch_folders", nothing)


async def test_a_budget_that_is_raised_and_a_route_count_from_the_next_prompt(bench: Bench, unwatched: None) -> None:
    user = bench.home / "config" / "settings.json"
    user.parent.mkdir(parents=True)
    user.write_text(json.dumps({"budget": {"sessionUsd": 0.01}}))
    spent = Usage(input_tokens=10_000)
    async with bench.session([Reply([say("Yes.")], usage=spent)] * 3) as rig:
        await rig.prompt("one")
        await rig.prompt("two")
        plan = {"model": "claude-sonnet-5-5", "apiKeyEnv": "NO_SUCH_KEY"}
        table = {"longContext": {"model": "claude-haiku-5-5", "above": 5_000}, "plan": plan}
        user.write_text(json.dumps({"budget": {"sessionUsd": 5}, "routing": table}))
        await rig.prompt("three")
        assert [event.reason for event in rig.of(TurnEnded)] == ["completed", "max_budget", "completed"]
        assert [request.model for request in rig.requests] == ["claude-opus-5-5", "claude-haiku-5-5"]
        (told,) = [event.text for event in rig.of(Notice) if event.level == "warning"]
        assert told == f"Settings: {user}:1: routing.plan: the variable NO_SUCH_KEY is empty; the entry is left out"


def touch(number: int) -> Reply:
    return Reply([call("Bash", f"b{number}", command=f"touch made{number}")])


def replies(count: int) -> list[Reply]:
    return [reply for number in range(count) for reply in (touch(number), Reply([say("ok")]))]


def failed(rig: Rig) -> list[bool]:
    return [event.is_error for event in rig.of(ToolFinished)]


def warnings(rig: Rig) -> list[str]:
    return [event.text for event in rig.of(Notice) if event.level == "warning"]


@pytest.mark.usefixtures("unwatched")
async def test_a_rule_counts_from_the_next_turn_on(bench: Bench) -> None:
    async with bench.session(replies(4)) as rig:
        await rig.prompt("one")
        bench.write(bench.project, allow=["Bash(touch:*)"])
        await rig.prompt("two")
        bench.write(bench.paths.managed[0] / "managed-settings.json", deny=["Bash(touch:*)"])
        await rig.prompt("three")
        bench.write(bench.paths.managed[0] / "managed-settings.json")
        await rig.prompt("four")
        assert failed(rig) == [True, False, True, False]
        assert warnings(rig) == []
        assert [rule.text for rule in rig.engine.session.state.settings.rules] == ["Bash(touch:*)"]


async def test_a_rule_counts_while_a_turn_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watcher sees folders that are made, files that are made anew, and links whose target changes."""
    monkeypatch.setattr(watch, "STEP_MS", 20)
    monkeypatch.setattr(watch, "LOOK_MS", 200)
    seen: list[tuple[str, ...]] = []
    async with bench.session([]) as rig:
        policies = rig.engine.calls.policies
        reload = policies.reload

        def noted(*given: Any) -> None:
            reload(*given)
            seen.append(tuple(str(rule) for rule in policies.policy.of("allow")))
            rig.changed.set()

        monkeypatch.setattr(policies, "reload", noted)

        async def until(*rules: str) -> None:
            await rig.until(lambda: bool(seen) and seen[-1] == rules)

        bench.write(bench.project, allow=["Read(a)"])
        await until("Read(a)")
        bench.write(bench.project, allow=["Read(b)"])
        await until("Read(b)")
        local = bench.cwd / ".agent-tui" / "settings.local.json"
        bench.write(local, allow=["Read(c)"])
        await until("Read(b)", "Read(c)")
        target = bench.home / "elsewhere.json"
        bench.write(target, allow=["Read(d)"])
        user = bench.home / ".claude" / "settings.json"
        user.parent.mkdir()
        user.symlink_to(target)
        await until("Read(d)", "Read(b)", "Read(c)")
        bench.write(target, allow=["Read(e)"])
        await until("Read(e)", "Read(b)", "Read(c)")
        local.unlink()
        await until("Read(e)", "Read(b)")
        policies.add(("Read(mine)",))
        bench.write(bench.project)
        await until("Read(e)", "Read(mine)")


@pytest.mark.usefixtures("unwatched")
async def test_a_broken_file_loses_no_rule_and_is_told_once(bench: Bench) -> None:
    bench.write(bench.project, deny=["Bash(touch *)"], allow=["Edit"])
    async with bench.session(replies(3)) as rig:
        bench.project.write_text('{\n"permissions": {')
        await rig.prompt("one")
        await rig.prompt("two")
        assert failed(rig) == [True, True]
        (told,) = warnings(rig)
        assert told.startswith(f"Settings: {bench.project}:2: not valid JSON")
        assert told.endswith("what it said before stays in force")
        bench.write(bench.project, allow=["Bash", "Edit(", "Bash(touch:*)"])
        await rig.prompt("three")
        assert failed(rig) == [True, True, False]
        assert f"{bench.project}:1: 'Edit(' is not a rule" in warnings(rig)[1]


async def test_a_file_that_an_editor_takes_away_for_a_moment_still_counts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_watch, "GONE_S", 0.1)
    bench.write(bench.project, deny=["Bash"])
    async with bench.session(replies(1)) as rig:
        policies = rig.engine.calls.policies
        text = bench.project.read_bytes()
        bench.project.unlink()
        await rig.prompt("one")
        assert failed(rig) == [True]
        bench.project.write_bytes(text)
        watcher = rig.engine._settings  # pyright: ignore[reportPrivateUsage]
        assert watcher is not None
        watcher.refresh()
        assert [rule.tool for rule in policies.policy.of("deny")] == ["Bash"]
        bench.project.unlink()
        gone: list[bool] = []
        reload = policies.reload

        def noted(*given: Any) -> None:
            reload(*given)
            gone.append(not policies.policy.of("deny"))
            rig.changed.set()

        monkeypatch.setattr(policies, "reload", noted)
        watcher.refresh()
        assert policies.policy.of("deny")
        await rig.until(lambda: gone == [True])


@pytest.mark.usefixtures("unwatched")
async def test_the_files_of_an_untrusted_folder_never_count(bench: Bench) -> None:
    bench.write(bench.project, allow=["Bash"])
    async with bench.session(replies(2), is_trusted=False) as rig:
        await rig.prompt("one")
        bench.write(bench.project, allow=["Bash", "Edit"])
        bench.write(bench.cwd / ".agent-tui" / "settings.local.json", allow=["Bash"])
        await rig.prompt("two")
        assert failed(rig) == [True, True]
        assert rig.engine.calls.policies.policy.of("allow") == ()


@pytest.mark.usefixtures("unwatched")
async def test_further_folders_and_the_end_of_bypassing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    look = Reply([call("LS", "c1", path=str(other))])
    monkeypatch.setenv("IS_SANDBOX", "1")
    async with bench.session([look, Reply([say("ok")]), look, Reply([say("ok")])]) as rig:
        await rig.prompt("one")
        bench.write(bench.project, additionalDirectories=["../other"])
        await rig.prompt("two")
        assert failed(rig) == [True, False]
        await rig.do(SetMode(mode="bypassPermissions"))
        bench.write(bench.project, disableBypassPermissionsMode="disable")
        watcher = rig.engine._settings  # pyright: ignore[reportPrivateUsage]
        assert watcher is not None
        watcher.refresh()
        await rig.do(SetMode(mode="bypassPermissions"))
        await rig.event(Notice, lambda notice: "Permissions cannot be bypassed" in notice.text)
        assert [event.mode for event in rig.of(ModeChanged)] == ["bypassPermissions", "default"]


@pytest.mark.usefixtures("unwatched")
async def test_nothing_is_made_in_the_folder_that_is_followed(bench: Bench) -> None:
    async with bench.session(replies(1)) as rig:
        await rig.prompt("one")
    assert [path.name for path in bench.cwd.iterdir()] == [".git"]


CALLS: list[dict[str, Any]] = [
    {"name": "Bash", "command": "touch made && touch 'a b' > \"it's [x].log\""},
    {"name": "Bash", "command": "true | tee out.txt"},
    {"name": "Bash", "command": "touch $(cat <<'EOF'\nfrom\nEOF\n)"},
    {"name": "Write", "file_path": "deep/é [1] b.txt", "content": "x"},
    {"name": "Read", "file_path": "../../outside.txt"},
]


@pytest.mark.parametrize("folder", ["", "sub"])
@pytest.mark.parametrize("made", CALLS, ids=lambda made: str(list(made.values())[1])[:20])
@pytest.mark.usefixtures("unwatched")
async def test_always_is_found_again_by_the_next_session(bench: Bench, made: dict[str, Any], folder: str) -> None:
    """Every scope that is offered, from its file."""
    (bench.cwd / "sub").mkdir()
    for path in (bench.cwd.parent / "outside.txt", bench.cwd.parent.parent / "outside.txt"):
        path.write_text("x")
    arguments = {key: value for key, value in made.items() if key != "name"}
    script = [Reply([call(made["name"], "c", **arguments)]), Reply([say("ok")])]
    at, count = 0, 1
    while at < count:
        async with bench.session(script, is_attended=True, folder=folder) as rig:
            await rig.do(SubmitPrompt(text="go"))
            request = (await rig.event(PermissionRequested)).request
            count = len(request.scopes)
            assert request.saves_to == str(bench.cwd / ".claude" / "settings.local.json")
            await rig.do(AnswerPermission(request_id=request.id, answer="always", scope=at))
            await rig.settle()
        for written in bench.cwd.rglob("*.txt"):
            written.unlink()
        async with bench.session(script, folder=folder) as rig:
            await rig.prompt("go")
            assert not rig.of(PermissionRequested) and failed(rig) == [False], request.scopes[at]
            rules = rig.of(RulesChanged)[-1].rules
            assert {rule.text for rule in rules} == set(request.scopes[at].rules)
            assert all(rule.source.startswith(request.saves_to) for rule in rules)
            for rule in rules:
                deleting = DeleteRule(behavior="allow", text=rule.text, layer=rule.layer, source=rule.source)
                await rig.do(deleting)
            await rig.until(lambda: rig.of(RulesChanged)[-1].rules == ())
        for written in bench.cwd.rglob("*.txt"):
            written.unlink()
        at += 1


@pytest.mark.usefixtures("unwatched")
async def test_in_a_folder_that_is_not_trusted_nothing_is_saved(bench: Bench) -> None:
    async with bench.session(replies(1), is_trusted=False, is_attended=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(PermissionRequested)).request
        assert request.saves_to == "" and request.scopes
        await rig.do(AnswerPermission(request_id=request.id, answer="always"))
        await rig.settle()
        assert failed(rig) == [False]
        assert [note.text for note in rig.of(Notice) if note.level == "error"] != []
        assert not (bench.cwd / ".claude").exists()
