"""The structure, held by tests: sizes, names, imports, completeness of events, hygiene of the first paint."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from core.protocol.delivery import DELIVERY
from core.protocol.events import Event
from core.protocol.ops import Op
from tui.keymap import ALL_KEYS
from tui.presenter.presenter import Presenter

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("core", "tui", "themes") for path in (ROOT / folder).rglob("*.py"))

MODULE_LINES = 500
FUNCTION_LINES = 60
CLASS_METHODS = 25
SPECIAL_LINES = {"tui/app.py": 300, "core/query/loop.py": 150}
CONSTRUCTOR_PARAMETERS = 6
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "manager.py"}
TOP_LEVEL = {"pyproject.toml", "README.md", "tui", "core", "themes", "tests", "screenshots"}


def trees() -> Iterator[tuple[str, ast.Module, str]]:
    for path in SOURCES:
        text = path.read_text("utf-8")
        yield path.relative_to(ROOT).as_posix(), ast.parse(text), text


def test_top_level_is_as_the_client_laid_it_out() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not listed:
        pytest.skip("not a git checkout")
    top = {line.partition("/")[0] for line in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_modules_are_small_and_say_what_they_own() -> None:
    for name, tree, text in trees():
        assert text.count("\n") <= SPECIAL_LINES.get(name, MODULE_LINES), name
        assert ast.get_docstring(tree), f"{name} has no docstring"
        assert Path(name).name not in FORBIDDEN_NAMES, name


def test_functions_and_classes_are_small() -> None:
    for name, tree, _text in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, f"{name}: {node.name}"
            if isinstance(node, ast.ClassDef):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
                assert len(methods) <= CLASS_METHODS, f"{name}: {node.name} has {len(methods)} methods"


def test_constructors_take_few_collaborators() -> None:
    for name, tree, _text in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == "__init__" and name.startswith("core/"):
                taken = len(node.args.args) - 1 + len(node.args.kwonlyargs)
                assert taken <= CONSTRUCTOR_PARAMETERS, f"{name}:{node.lineno} takes {taken}"


def test_no_relative_imports_and_no_late_binding() -> None:
    for name, tree, text in trees():
        assert "ContextVar" not in text, name
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            if isinstance(node, ast.FunctionDef):
                assert not re.match(r"bind_\w+", node.name), f"{name}: {node.name}"


def test_blind_excepts_stand_only_at_the_walls() -> None:
    """A tool, a provider, an agent, the unexpected (engine and window), and the SDK's own errors."""
    walls = {
        "core/orchestration/call.py",
        "core/engine/session.py",
        "core/query/step.py",
        "core/agents/runner.py",
        "core/llm/anthropic.py",
        "core/tools/search/globs.py",
        "tui/app.py",
        "tui/plain/session.py",
        "tui/widgets/wall.py",
    }
    found = {name for name, _tree, text in trees() if re.search(r"except Exception|except BaseException", text)}
    cleanup = {"core/host/files.py", "core/host/process.py", "core/tools/shells.py", "core/tools/builtin/bash/tool.py"}
    assert found <= walls | cleanup, found - walls - cleanup


def test_every_event_has_a_delivery_a_presenter_method_and_a_kind() -> None:
    kinds: set[str] = set()
    for cls in get_args(Event):
        kind: str = cls.__dataclass_fields__["kind"].default
        kinds.add(kind)
        assert cls in DELIVERY, cls
        assert callable(getattr(Presenter, f"on_{kind}", None)), f"the presenter does not show {kind}"
        assert cls.__doc__ and not cls.__doc__.startswith(cls.__name__), f"{cls} says nothing of itself"
    assert len(kinds) == len(get_args(Event))
    shown = {name.removeprefix("on_") for name in dir(Presenter) if name.startswith("on_")}
    assert shown == kinds


def test_every_op_is_handled() -> None:
    handler = "".join((ROOT / "core/engine" / name).read_text("utf-8") for name in ("engine.py", "task_ops.py"))
    for cls in get_args(Op):
        assert f"ops.{cls.__name__}()" in handler


def test_every_key_has_an_id_of_its_own_and_a_tooltip() -> None:
    assert len({key.id for key in ALL_KEYS}) == len(ALL_KEYS)
    assert all(key.tooltip for key in ALL_KEYS)


def test_every_tool_has_its_prompt_beside_it() -> None:
    for folder in (ROOT / "core/tools/builtin").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            assert (folder / "tool.py").is_file() and (folder / "prompt.md").is_file(), folder


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import tui.__main__", ["textual", "anthropic", "argparse", "core.engine", "pydantic"]),
        ("import tui.app", ["anthropic", "pydantic", "core", "markdown_it", "pygments", "mcp", "watchfiles"]),
        ("import core.engine.headless", ["textual", "rich", "tui", "themes", "anthropic", "mcp"]),
        ("import core.protocol.codec, core.protocol.ops", ["pydantic", "anthropic", "core.host", "core.engine"]),
    ],
)
def test_imports_stay_lean(code: str, absent: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_help_load_neither_window_nor_sdk(flag: str) -> None:
    code = (
        "import sys; from tui.__main__ import main\n"
        f"try: main([{flag!r}])\nexcept SystemExit: pass\n"
        "print([m for m in ('textual','anthropic','pydantic','rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_nothing_speaks_of_where_it_was_written() -> None:
    """No registry's address and no path of a developer's machine in any tracked file."""
    pattern = "|".join(["pythonhost" + r"ed\.", "pyp" + r"i\.org", "npm" + r"js\.org", "/wo" + r"rk/main"])
    found = subprocess.run(["git", "grep", "-lIE", pattern], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout == ""
