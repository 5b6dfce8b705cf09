"""The user's keys: how they are written, read from a file, and what happens where two want the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.key_names import parse_key, types_text, written
from tui.keymap import ALL_KEYS, NO_KEY, default_keys, key_text, textual_keymap, use_keys
from tui.user_keys import UserKeys, read_user_keys


@pytest.fixture(autouse=True)
def keys_of_the_table() -> Iterator[None]:
    yield
    use_keys({})


def read(folder: Path, name: str, text: str) -> UserKeys:
    (folder / name).write_text(text)
    return read_user_keys(folder)


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("Ctrl+Shift+X", "ctrl+shift+x", "Ctrl+Shift+X"),
        ("shift+ctrl+x", "ctrl+shift+x", "Ctrl+Shift+X"),
        ("PgUp", "pageup", "PgUp"),
        ("alt+↑", "alt+up", "Alt+↑"),
        ("option+left", "alt+left", "Alt+←"),
        ("?", "question_mark", "?"),
        ("ctrl+/", "ctrl+slash", "Ctrl+/"),
        ("/", "slash", "/"),
        ("G", "G", "G"),
        ("ctrl+G", "ctrl+g", "Ctrl+G"),
        ("ctrl++", "ctrl+plus", "Ctrl++"),
        ("return", "enter", "Enter"),
        ("ctrl+m", "enter", "Enter"),
        ("f12", "f12", "F12"),
        ("space", "space", "Space"),
        ("esc", "escape", "Esc"),
    ],
)
def test_keys_are_read_as_people_write_them_and_written_alike(text: str, name: str, shown: str) -> None:
    assert parse_key(text) == name
    assert written(name) == shown


@pytest.mark.parametrize("text", ["", "ctrl+", "hyperr+x", "nokey", "ctrl+x ctrl+k", "\x1b", "+x"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_key(text)


@pytest.mark.parametrize(
    ("key", "types"),
    [("a", True), ("slash", True), ("question_mark", True), ("space", True), ("ctrl+a", False), ("enter", False)],
)
def test_keys_that_type_are_known(key: str, types: bool) -> None:
    assert types_text(key) is types


def test_every_key_of_the_table_can_be_written_in_a_file() -> None:
    for key in ALL_KEYS:
        for name in default_keys(key):
            assert parse_key(written(name)) == name, key.id


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keybindings.json", '{"view.todos": "F7", "input.newline": ["alt+n", "ctrl+j"], "view.transcript": null}'),
        ("keybindings.toml", 'view.todos = "f7"\n"input.newline" = "alt+n, ctrl+j"\nview.transcript = ""\n'),
    ],
)
def test_a_file_gives_keys_and_takes_them_away(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, name, text)
    assert found.problems == []
    assert found.changed == {"view.todos": ("f7",), "input.newline": ("alt+n", "ctrl+j"), "view.transcript": ()}
    use_keys(found.changed)
    assert textual_keymap() == {"view.todos": "f7", "input.newline": "alt+n,ctrl+j", "view.transcript": NO_KEY}
    assert (key_text("view.todos"), key_text("input.newline"), key_text("view.transcript", "-")) == (
        "F7",
        "Alt+N",
        "-",
    )


def test_without_a_file_nothing_changes(tmp_path: Path) -> None:
    assert read_user_keys(tmp_path) == UserKeys()
    assert read_user_keys(tmp_path / "none") == UserKeys()


def test_the_users_key_wins_and_the_loser_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "keybindings.json", '{\n"view.todos": "ctrl+o"}')
    assert found.changed == {"view.todos": ("ctrl+o",), "view.transcript": ()}
    assert found.problems == ["keybindings.json:2: Ctrl+O is view.todos now; view.transcript has no key left"]


def test_a_key_of_the_screen_wins_over_the_composer_and_leaves_its_others(tmp_path: Path) -> None:
    found = read(tmp_path, "keybindings.json", '{"view.todos": "ctrl+j"}')
    assert found.changed == {"view.todos": ("ctrl+j",), "input.newline": ("shift+enter", "alt+enter")}
    assert "input.newline has Shift+Enter Alt+Enter left" in found.problems[0]


def test_of_two_entries_the_later_wins(tmp_path: Path) -> None:
    found = read(tmp_path, "keybindings.json", '{\n"view.todos": ["f7", "f5"],\n"view.redraw": "f7"}')
    assert found.changed == {"view.todos": ("f5",), "view.redraw": ("f7",)}
    assert found.problems == ["keybindings.json:3: F7 is view.redraw now; view.todos has F5 left"]


def test_one_key_may_do_two_things_in_two_places(tmp_path: Path) -> None:
    found = read(tmp_path, "keybindings.json", '{"input.word_left": "alt+x", "block.next": "alt+x"}')
    assert found.problems == []
    assert found.changed == {"input.word_left": ("alt+x",), "block.next": ("alt+x",)}


def test_two_actions_that_swap_their_keys_both_have_them(tmp_path: Path) -> None:
    found = read(tmp_path, "keybindings.json", '{"view.todos": "ctrl+o", "view.transcript": "ctrl+t"}')
    assert found == UserKeys({"view.todos": ("ctrl+o",), "view.transcript": ("ctrl+t",)})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"view.todos": "ctrl+c"}', "Ctrl+C cannot be given to view.todos: it stays session.quit"),
        ('{"view.todos": "enter"}', "Enter cannot be given to view.todos: it stays input.send"),
        ('{"view.todos": "ctrl+m"}', "Enter cannot be given to view.todos: it stays input.send"),
        ('{"session.quit": "ctrl+q"}', "session.quit keeps Ctrl+C"),
        ('{"session.exit": null}', "session.exit keeps Ctrl+D"),
        ('{"input.send": "ctrl+s"}', "input.send keeps Enter"),
        ('{"view.todos": "t"}', "T cannot be given to view.todos: it could no longer be typed"),
        ('{"view.todos": "hypr+t"}', "'hypr+t' is not a key that can be bound: 'hypr' is no modifier"),
        ('{"view.todos": 5.5}', "'5.5' is not a key"),
        ('{"view.nothing": "ctrl+t"}', "there is no action 'view.nothing'"),
        ('{"bindings": 5}', "bindings must be a list"),
        ('{"bindings": [{"context": "Moon", "bindings": {}}]}', "context must be one of Global, Chat"),
        ('{"bindings": [5, {"context": "Chat"}]}', "context must be one of Global, Chat"),
        ('{"bindings": [{"context": "Chat", "bindings": {"ctrl+e": "chat:fly"}}]}', "there is no action 'chat:fly'"),
        ('{"bindings": [{"context": "Chat", "bindings": {"ctrl+k ctrl+e": "view.top"}}]}', "one key at a time"),
        ("[]", "must be an object"),
    ],
)
def test_mistakes_are_told_and_cost_only_themselves(tmp_path: Path, text: str, says: str) -> None:
    found = read(tmp_path, "keybindings.json", text)
    assert says.lower() in found.problems[0].lower()
    use_keys(found.changed)
    assert (key_text("view.todos"), key_text("input.send")) == ("Ctrl+T", "Enter")
    assert "ctrl+c" in textual_keymap().get("session.quit", "ctrl+c")
    assert "ctrl+d" in textual_keymap().get("session.exit", "ctrl+d")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("keybindings.json", b'{\n"view.todos": }', "keybindings.json:2: not valid JSON"),
        ("keybindings.toml", b"\n\nview.todos = ]", "line 3"),
        ("keybindings.json", b"\xff\xfe", "cannot be read"),
        ("keybindings.json", b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_file_is_told_and_ignored(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    found = read_user_keys(tmp_path)
    assert found.changed == {}
    assert says in found.problems[0]


def test_of_two_files_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "keybindings.json").write_text('{"view.todos": "f5"}')
    found = read(tmp_path, "keybindings.toml", '"view.todos" = "f6"')
    assert found.changed == {"view.todos": ("f6",)}
    assert "keybindings.json is not read" in found.problems[0]


def test_a_file_by_contexts_and_keys_is_understood(tmp_path: Path) -> None:
    blocks = [
        {"context": "Global", "bindings": {"f6": "app:toggleTodos", "ctrl+o": None}},
        {"context": "Chat", "bindings": {"alt+n": "chat:newline", "f7": "view.top"}},
    ]
    found = read(tmp_path, "keybindings.json", json.dumps({"$schema": "x", "bindings": blocks}))
    assert found.problems == []
    assert found.changed == {
        "view.todos": ("f6", "ctrl+t"),
        "view.transcript": (),
        "input.newline": ("alt+n", "ctrl+j", "shift+enter", "alt+enter"),
        "view.top": ("f7", "ctrl+home"),
    }
