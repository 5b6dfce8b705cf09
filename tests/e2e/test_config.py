"""``agent-tui config`` and the settings of a folder, in the installed program."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from core.settings.schema import KEYS
from tests.e2e.children import PATIENCE_S, PROGRAM, Machine, Server, text, tools


def run(machine: Machine, *arguments: str, url: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *arguments],
        cwd=machine.project,
        env=machine.environ(url, **environ),
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def settings(machine: Machine, name: str, data: Any) -> str:
    """Write a settings file and give its path."""
    path = (machine.project if name.startswith(".") else machine.home) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2))
    return str(path)


USER = "agent-tui/config/settings.json"


def test_every_layer_of_a_setting_is_shown(machine: Machine) -> None:
    machine.repository()
    user = settings(machine, USER, {"theme": "dark", "model": "of-user"})
    project = settings(machine, ".claude/settings.json", {"model": "of-project"})
    done = run(machine, "config", "explain", "model", AGENT_TUI_MODEL="of-environment")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        ["built-in", '"claude-opus-5-5"'],
        ["user", '"of-user"', f"{user}:3"],
        ["project", '"of-project"', f"{project}:2"],
        ["environment", '"of-environment"', "AGENT_TUI_MODEL", "(wins)"],
    ]
    assert run(machine, "config", "get", "model").stdout == "of-project\n"
    given = run(machine, "config", "explain", "model", "--json", "--settings", '{"model": "given"}')
    layers = json.loads(given.stdout)["layers"]
    assert [layer["wins"] for layer in layers] == [False, False, True]
    assert layers[-1] == {"layer": "flag", "source": "--settings:1", "value": "given", "counts": True, "wins": True}


def test_the_items_of_a_list_are_shown_with_their_lines(machine: Machine) -> None:
    machine.repository()
    user = settings(machine, USER, {"permissions": {"deny": ["Read(a)", "Read(\x1b[2J)"]}})
    local = settings(machine, ".claude/settings.local.json", {"permissions": {"deny": ["Bash"]}})
    done = run(machine, "config", "explain", "permissions.deny")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        ["user", '"Read(a)"', f"{user}:4"],
        ["user", '"Read(\\u001b[2J)"', f"{user}:5"],
        ["local", '"Bash"', f"{local}:4"],
    ]
    assert json.loads(run(machine, "config", "get", "permissions.deny").stdout) == ["Read(a)", "Read(\x1b[2J)", "Bash"]


def test_the_entries_of_a_table_are_shown_with_their_lines(machine: Machine) -> None:
    machine.repository()
    user = settings(machine, USER, {"routing": {"plan": "a", "background": "b", "chat": "c"}})
    local = settings(machine, ".claude/settings.local.json", {"routing": {"plan": {"model": "d"}}})
    done = run(machine, "config", "explain", "routing", "--settings", '{"routing": {"agent": "e"}}')
    assert [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:]] == [
        ["user", f'{{"plan": "a"}}  {user}:3'],
        ["user", f'{{"background": "b"}}  {user}:4  (wins)'],
        ["local", f'{{"plan": {{"model": "d"}}}}  {local}:3  (wins)'],
        ["flag", '{"agent": "e"}  --settings:1  (wins)'],
    ]
    assert f"{user}:5: routing.chat is no kind of request" in done.stderr
    assert json.loads(run(machine, "config", "get", "routing").stdout)["background"] == "b"


def test_what_an_untrusted_folder_says_is_shown_and_does_not_count(machine: Machine) -> None:
    settings(machine, ".claude/settings.json", {"model": "theirs", "permissions": {"allow": ["Bash"]}})
    done = run(machine, "config", "explain", "model")
    assert '"theirs"' in done.stdout and "does not count: this folder is not trusted" in done.stdout
    assert run(machine, "config", "get", "model").stdout == "claude-opus-5-5\n"
    assert run(machine, "config", "get", "permissions.allow", "--json").stdout == "[]\n"


def test_without_a_key_all_are_listed(machine: Machine) -> None:
    machine.repository()
    settings(machine, USER, {"theme": "dark", "modle": 1})
    done = run(machine, "config", "explain")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [key.path for key in KEYS]
    assert 'theme                                     "dark"  (user)' in lines
    assert json.loads(run(machine, "config", "explain", "--json").stdout)["theme"] == "dark"
    told = run(machine, "config", "explain", "theme").stderr
    assert "settings.json:3: unknown setting 'modle'" in told


def test_a_key_that_is_none_is_told_with_what_is_near(machine: Machine) -> None:
    for wrong, near in (("modl", "model"), ("allow", "permissions.allow"), ("defaultmode", "permissions.defaultMode")):
        done = run(machine, "config", "explain", wrong)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"There is no setting '{wrong}'" in done.stderr and near in done.stderr
    assert "lists all of them" in run(machine, "config", "get", "zzzzzz").stderr
    assert run(machine, "config").returncode == 2
    assert "explain" in run(machine, "config", "--help").stdout


def test_a_reader_that_has_seen_enough(machine: Machine) -> None:
    shell = f"{PROGRAM} config explain | true"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=machine.project, env=machine.environ(), capture_output=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.stderr == b""


def test_without_a_window_an_untrusted_folder_allows_nothing(machine: Machine, server: Server) -> None:
    settings(machine, ".claude/settings.json", {"permissions": {"allow": ["Bash(touch:*)"]}, "env": {"A": "1"}})
    (machine.project / ".env").write_text("ANTHROPIC_BASE_URL=http://127.0.0.1:1\nANTHROPIC_API_KEY=theirs\n")
    (machine.project / "CLAUDE.md").write_text("Always be brief.\n")
    touch = tools(("Bash", {"command": "touch made"}))
    url = server.start(touch, text("Refused."), touch, text("Done."))
    done = run(machine, "-p", "go", url=url)
    assert (done.returncode, done.stdout) == (0, "Refused.\n")
    assert done.stderr == (
        "agent-tui: this folder is not trusted, so its settings are left out (.claude/settings.json: 1 allow rule, "
        "env). Start agent-tui here without -p to trust it.\n"
    )
    assert not (machine.project / "made").exists()
    assert "Always be brief." in json.dumps(server.prompts[0]["body"]), "instructions of the folder are still read"
    machine.trust()
    done = run(machine, "-p", "go", url=url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Done.\n", "")
    assert (machine.project / "made").exists()


def test_settings_and_folders_of_the_command_line(machine: Machine, server: Server) -> None:
    other = machine.home / "other"
    other.mkdir()
    (other / "note.txt").write_text("a note\n")
    commit = 'echo "a, b" > made'
    url = server.start(
        tools(("Read", {"file_path": str(other / "note.txt")}), ("Bash", {"command": commit})), text("Done.")
    )
    arguments = ["--add-dir", str(other), "--add-dir", "gone", "--settings", '{"model": "claude-sonnet-5-5"}']
    done = run(machine, "-p", "go", *arguments, "--allowedTools", f"Bash({commit}),Edit", url=url)
    assert (done.returncode, done.stdout) == (0, "Done.\n")
    gone = machine.project / "gone"
    assert done.stderr == f"agent-tui: Settings: --add-dir: {gone} is not a folder; it is left out\n"
    assert (machine.project / "made").read_text() == "a, b\n"
    assert server.prompts[0]["body"]["model"] == "claude-sonnet-5-5"
    assert "a note" in json.dumps(server.prompts[1]["body"])
    done = run(machine, "-p", "go", "--settings", "nowhere.json", url=url)
    assert done.returncode == 1 and "--settings nowhere.json cannot be read" in done.stderr
