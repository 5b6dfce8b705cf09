"""One setting or one rule is written; all else in the file stays, whatever it is."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.host.files import lock_file
from core.protocol.errors import AgentError
from core.protocol.views import Behavior
from core.settings import write
from core.settings.write import add_rule, remove_rule, write_setting


def test_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"x-mine": {"ä": [1, null]}, "theme": "dark", "model": "m"}')
    file.chmod(0o600)
    write_setting(file, "theme", "paper")
    assert list(json.loads(file.read_text()).items()) == [
        ("x-mine", {"ä": [1, None]}),
        ("theme", "paper"),
        ("model", "m"),
    ]
    assert "ä" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_file_is_made_where_there_is_none(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "new" / "settings.json"
    if text is not None:
        file.parent.mkdir()
        file.write_text(text)
    write_setting(file, "theme", "light")
    assert json.loads(file.read_text()) == {"theme": "light"}


@pytest.mark.parametrize("text", ['{"theme": ', "[1]", '"x"', "\udcff"])
def test_what_cannot_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(AgentError, match="not saved"):
        write_setting(file, "theme", "light")
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")
    with pytest.raises(AgentError, match="not saved"):
        write_setting(tmp_path / "config" / "settings.json", "theme", "light")


# Rules


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "settings.local.json"


def put(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    return file


def test_a_file_and_its_folder_are_made_for_a_rule(file: Path) -> None:
    add_rule(file, "allow", "Bash(ls)")
    assert file.read_text() == '{\n  "permissions": {\n    "allow": [\n      "Bash(ls)"\n    ]\n  }\n}\n'
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file], "no lock is left behind"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '{\n\t"n": 1E400,\n\t"permissions": {\n\t\t"allow": [\n\t\t\t"A"\n\t\t]\n\t}\n}',
            '{\n\t"n": 1E400,\n\t"permissions": {\n\t\t"allow": [\n\t\t\t"A",\n\t\t\t"X"\n\t\t]\n\t}\n}',
        ),
        (
            '{\n    "permissions": {"deny": [], "allow": ["A", "\\u0042"]},\n    "z": 1\n}\n',
            '{\n    "permissions": {"deny": [], "allow": ["A", "\\u0042", "X"]},\n    "z": 1\n}\n',
        ),
        (
            '{\r\n    "permissions": {\r\n        "allow": [ ]\r\n    }\r\n}\r\n',
            '{\r\n    "permissions": {\r\n        "allow": [\r\n            "X"\r\n        ]\r\n    }\r\n}\r\n',
        ),
        (
            '{\n    "a": {}\n}\n',
            '{\n    "a": {},\n    "permissions": {\n        "allow": [\n            "X"\n        ]\n    }\n}\n',
        ),
        ('{"a": 1}', '{"a": 1, "permissions": {"allow": ["X"]}}'),
        ('{"permissions": {"allow": ["X"]}}', '{"permissions": {"allow": ["X"]}}'),
        ('{"permissions": {"allow": ["\\u0058"]}}', '{"permissions": {"allow": ["\\u0058"]}}'),
    ],
)
def test_a_rule_is_written_as_its_neighbours_are(file: Path, before: str, after: str) -> None:
    add_rule(put(file, before), "allow", "X")
    assert file.read_bytes().decode() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"permissions": {"allow": ["X", "A"]}}', '{"permissions": {"allow": ["A"]}}'),
        ('{"permissions": {"allow": ["A", "X"]}}', '{"permissions": {"allow": ["A"]}}'),
        ('{"permissions": {"allow": [ "X" ]}}', '{"permissions": {"allow": []}}'),
        ('{"permissions": {"allow": ["X", "A", "X", 5, "X"]}}', '{"permissions": {"allow": ["A", 5]}}'),
        ('{"permissions": {"allow": [\n  "A",\n  "X",\n  "B"\n]}}', '{"permissions": {"allow": [\n  "A",\n  "B"\n]}}'),
        ('{"permissions": {"allow": ["A"], "deny": ["X"]}}', ""),
        ('{"permissions": {"allow": "X"}}', ""),
        ('{"permissions": "X"}', ""),
        ('{"allow": ["X"]}', ""),
        ("", ""),
    ],
)
def test_a_rule_is_deleted(file: Path, before: str, after: str) -> None:
    put(file, before)
    assert remove_rule(file, "allow", "X") is bool(after)
    assert file.read_text() == (after or before)


def test_deleting_from_a_file_that_is_not_there_makes_none(file: Path) -> None:
    assert not remove_rule(file, "deny", "X")
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"permissions": [}', "not valid JSON"),
        ("[]", "JSON object"),
        ('{"permissions": []}', "permissions in .* is not an object"),
        ('{"permissions": {"allow": {}}}', "permissions.allow in .* is not a list"),
        ("\ufeff{}", "not valid JSON"),
    ],
)
def test_a_rule_is_not_forced_into_a_file_it_does_not_fit(file: Path, text: str, said: str) -> None:
    put(file, text)
    with pytest.raises(AgentError, match=f"rule is not saved: .*{said}") as caught:
        add_rule(file, "allow", "X")
    assert caught.value.hint
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_in_the_project_leads_no_rule_out_of_it(tmp_path: Path, what: str) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    victim = elsewhere / "settings.local.json"
    victim.write_text("{}")
    if what == "folder":
        (project / ".claude").symlink_to(elsewhere)
    else:
        (project / ".claude").mkdir()
        (project / ".claude" / "settings.local.json").symlink_to(victim)
    with pytest.raises(AgentError, match="outside"):
        add_rule(project / ".claude" / "settings.local.json", "allow", "Bash", within=project)
    assert victim.read_text() == "{}"
    add_rule(project / ".claude" / "settings.local.json", "allow", "Bash")
    assert "Bash" in victim.read_text()


def test_one_who_finds_the_folder_locked_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(file, "{}")
    monkeypatch.setattr(write, "LOCK_TIMEOUT_S", 0.02)
    descriptor = lock_file(file.parent)
    assert descriptor is not None
    with pytest.raises(AgentError, match="another program is writing"):
        add_rule(file, "allow", "X")
    os.close(descriptor)
    add_rule(file, "allow", "X")


def test_writers_at_once_lose_nothing(file: Path) -> None:
    rules = [f"Bash({number})" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(add_rule, file, "allow"), rules))
    assert sorted(json.loads(file.read_text())["permissions"]["allow"]) == sorted(rules)


BEHAVIORS: st.SearchStrategy[Behavior] = st.sampled_from(("allow", "ask", "deny"))
RULES = st.text(max_size=6) | st.sampled_from(["Bash(ls)", 'Bash(git commit -m "a, b")', "\ud800"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3),
    max_leaves=6,
)
PERMISSIONS = st.fixed_dictionaries(
    {}, optional={**{name: st.lists(RULES | st.integers(), max_size=3) for name in ("allow", "deny")}, "x": VALUES}
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """A settings file's data."""
    data: dict[str, Any] = dict(draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=3)))
    if draw(st.booleans()):
        data["permissions"] = draw(PERMISSIONS)
    return data


INDENTS = st.sampled_from([None, 1, 2, 4, "\t"])


@given(objects(), INDENTS, BEHAVIORS, RULES, st.sampled_from(["", "\n", " \n\n"]))
def test_all_but_the_rule_stays(data: dict[str, Any], indent: Any, behavior: Behavior, rule: str, end: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.json"
        before = json.dumps(data, indent=indent) + end
        file.write_text(before)
        add_rule(file, behavior, rule)
        expected = copy.deepcopy(data)
        items = expected.setdefault("permissions", {}).setdefault(behavior, [])
        if rule not in items:
            items.append(rule)
        after = file.read_text()
        assert json.dumps(json.loads(after)) == json.dumps(expected), "values and their order"
        assert after.endswith("}" + end)
        kept = file.stat().st_ino
        add_rule(file, behavior, rule)
        assert file.stat().st_ino == kept, "written once"
        assert remove_rule(file, behavior, rule)
        expected["permissions"][behavior] = [item for item in items if item != rule]
        assert json.dumps(json.loads(file.read_text())) == json.dumps(expected)
        assert not remove_rule(file, behavior, rule)


@given(objects(), st.sampled_from([1, 2, 4, "\t"]), BEHAVIORS)
def test_a_file_keeps_its_indentation(data: dict[str, Any], indent: Any, behavior: Behavior) -> None:
    data = data or {"model": "m"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.json"
        file.write_text(json.dumps(data, indent=indent) + "\n")
        add_rule(file, behavior, "A new rule")
        data.setdefault("permissions", {}).setdefault(behavior, []).append("A new rule")
        assert file.read_text() == json.dumps(data, indent=indent) + "\n"
