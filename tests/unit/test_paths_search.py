"""Glob, Grep, LS and the file index: links are not followed, what is denied is not listed, secrets are not shown."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.host.file_index import FileIndex, list_folder
from core.permissions.decide import Policy, decide
from core.permissions.hiding import Hides, hidden_by, hides_nothing
from core.permissions.judged import PathChangedError
from core.permissions.rules import parse_rule
from core.tools.base import Tool
from core.tools.builtin.glob.tool import Glob
from core.tools.builtin.grep.tool import Grep
from core.tools.builtin.ls.tool import LS
from core.tools.search.walk import walk
from tests.fakes.tools import Bench, make_bench
from tests.unit.test_file_index import known

WAYS = [
    pytest.param(True, id="ripgrep", marks=pytest.mark.skipif(shutil.which("rg") is None, reason="no ripgrep here")),
    pytest.param(False, id="python"),
]


def policy(root: Path, *deny: str) -> Policy:
    return Policy(mode="default", cwd=root, roots=(root,), rules=tuple(parse_rule(text, "deny") for text in deny))


@pytest.fixture(params=WAYS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    made = make_bench(tmp_path)
    if not request.param:
        made.host = replace(made.host, environ={**made.host.environ, "PATH": ""})
        made.services = replace(made.services, host=made.host)
    outside = tmp_path / "outside"
    for path, text in {
        made.root / "src/app.py": "key = 1\n",
        made.root / "secret/plan.txt": "key = 2\n",
        made.root / "notes.txt": "key = 3\n",
        outside / "theirs.txt": "key = 4\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (made.root / "out").symlink_to(outside)
    (made.root / "one.txt").symlink_to(outside / "theirs.txt")
    return made


async def ask(bench: Bench, tool: Tool[Any], hides: Hides = hides_nothing, **arguments: Any) -> str:
    parsed = tool.input_type.model_validate(arguments)
    result = await tool.run(parsed, replace(bench.context, hides=hides))
    assert isinstance(result.content, str)
    return result.content


SEARCHES: list[tuple[Tool[Any], dict[str, Any]]] = [
    (Glob(), {"pattern": "**/*"}),
    (Glob(), {"pattern": "**/*.txt"}),
    (Grep(), {"pattern": "key"}),
    (Grep(), {"pattern": "key", "output_mode": "content"}),
    (Grep(), {"pattern": "key", "output_mode": "count"}),
]


@pytest.mark.parametrize(("tool", "arguments"), SEARCHES)
async def test_a_linked_folder_that_leads_outside_is_not_followed(
    bench: Bench, tool: Tool[Any], arguments: dict[str, Any]
) -> None:
    said = await ask(bench, tool, **arguments)
    assert "notes.txt" in said
    assert "theirs" not in said and "key = 4" not in said


async def test_links_are_listed_as_links(bench: Bench) -> None:
    said = await ask(bench, LS(), path=".")
    assert f"out -> {bench.root.parent / 'outside'}" in said


@pytest.mark.parametrize("pattern", ["out/**", "out/*.txt", "out/theirs.txt"])
async def test_a_pattern_through_a_link_finds_nothing(bench: Bench, pattern: str) -> None:
    assert await ask(bench, Glob(), pattern=pattern) == "No files found"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (Glob(), {"pattern": "/**"}),
        (Glob(), {"pattern": "~/**"}),
        (Glob(), {"pattern": "**", "path": "/"}),
        (Glob(), {"pattern": "../**"}),
        (Glob(), {"pattern": "*", "path": "out"}),
        (Glob(), {"pattern": "one.txt"}),
        (Grep(), {"pattern": "x", "path": ".."}),
        (Grep(), {"pattern": "x", "path": "out"}),
        (Grep(), {"pattern": "x", "path": "one.txt"}),
        (LS(), {"path": "out"}),
    ],
)
def test_a_search_outside_is_asked_about(bench: Bench, tool: Tool[Any], arguments: dict[str, Any]) -> None:
    access = tool.check_permissions(tool.input_type.model_validate(arguments), bench.context)
    assert decide(tool.name, access, policy(bench.root)).behavior == "ask"


@pytest.mark.parametrize("glob", ["../**", "../../**", "/**", "!nothing", "../outside/*"])
async def test_a_filter_never_leads_out_of_the_folder(bench: Bench, glob: str) -> None:
    assert "theirs" not in await ask(bench, Grep(), pattern="key", glob=glob)


@pytest.mark.parametrize("pattern", ["--pre=touch ran", "-f/etc/passwd", "--files", "-e", "--", "--help"])
async def test_a_pattern_is_never_an_option(bench: Bench, pattern: str) -> None:
    (bench.root / "odd.txt").write_text(f"{pattern}\n")
    assert await ask(bench, Grep(), pattern=pattern, output_mode="files_with_matches") == "odd.txt"
    assert not (bench.root / "ran").exists()


DENIED = ("Read(secret/**)", "Read(./secret/**)", "Read(plan.txt)")


@pytest.mark.parametrize("rule", DENIED)
@pytest.mark.parametrize(("tool", "arguments"), SEARCHES)
async def test_what_may_not_be_read_is_not_found(
    bench: Bench, tool: Tool[Any], arguments: dict[str, Any], rule: str
) -> None:
    said = await ask(bench, tool, hidden_by(policy(bench.root, rule)), **arguments)
    assert "notes.txt" in said
    assert "plan" not in said and "key = 2" not in said


@pytest.mark.parametrize("rule", DENIED)
async def test_what_may_not_be_read_is_not_listed(bench: Bench, rule: str) -> None:
    assert "plan" not in await ask(bench, LS(), hidden_by(policy(bench.root, rule)), path="secret")


@pytest.mark.parametrize("rule", DENIED)
def test_what_may_not_be_read_is_not_offered(tmp_path: Path, rule: str) -> None:
    (tmp_path / "secret").mkdir()
    for name in ("secret/plan.txt", "notes.txt"):
        (tmp_path / name).write_text("x")
    hiding: Callable[[], Hides] = lambda: hidden_by(policy(tmp_path, rule))  # noqa: E731
    index = FileIndex(tmp_path, walk, hides=hiding)
    assert known(index) == ("notes.txt",)
    index.close()
    assert list_folder("secret/", tmp_path, hiding()) == []


def test_a_linked_folder_is_offered_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/")
    assert sorted(list_folder("./", tmp_path)) == ["folder/", "link"]


def test_rules_about_writing_hide_nothing(tmp_path: Path) -> None:
    assert hidden_by(policy(tmp_path, "Edit(src/**)", "Bash(ls:*)")) is hides_nothing


async def test_a_search_in_texts_leaves_secrets_out_and_says_so(bench: Bench) -> None:
    for name in (".env", ".env.local", "deep/server.pem"):
        (bench.root / name).parent.mkdir(exist_ok=True)
        (bench.root / name).write_text("key = hunter2\n")
    (bench.root / ".env.example").write_text("key = fill in\n")
    said = await ask(bench, Grep(), pattern="key", output_mode="content")
    assert "hunter2" not in said and ".env.example:1:key = fill in" in said
    assert "[Left out, for they may hold secrets: .env, .env.local, deep/server.pem." in said
    assert "hunter2" in await ask(bench, Grep(), pattern="key", path=".env", output_mode="content")
    assert ".env" in await ask(bench, Glob(), pattern=".env")


SEARCHES_OF_SRC: list[tuple[Tool[Any], dict[str, Any]]] = [
    (Glob(), {"pattern": "**/*", "path": "src"}),
    (Grep(), {"pattern": "key", "path": "src"}),
    (LS(), {"path": "src"}),
]


async def test_a_search_in_a_folder_that_was_swapped_meanwhile_shows_nothing(
    bench: Bench,
) -> None:
    for tool, arguments in SEARCHES_OF_SRC:
        context = bench.context
        parsed = tool.input_type.model_validate(arguments)
        context.judged.take(tool.check_permissions(parsed, context))
        source, aside = bench.root / "src", bench.root / "aside"
        source.rename(aside)
        source.symlink_to(bench.root.parent / "outside")
        with pytest.raises(PathChangedError):
            await tool.run(parsed, context)
        source.unlink()
        aside.rename(source)


def test_files_with_odd_names_are_found_as_they_are(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("x")
    assert hidden_by(policy(tmp_path, "Read(caf*)"))(tmp_path / os.fsdecode(b"caf\xe9"))
