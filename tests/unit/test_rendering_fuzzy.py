"""Finding paths by a few characters: what fits, in which order, and what is marked."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.rendering.fuzzy import FuzzyPaths, matched

NAMES = st.text(alphabet="abAB_-./İß é", min_size=1, max_size=12).filter(lambda name: name.strip("/") != "")
PATHS = st.lists(NAMES, max_size=30, unique=True)
QUERIES = st.text(alphabet="abAB_/i", min_size=1, max_size=4)


def find(paths: list[str], query: str, limit: int = 50) -> list[str]:
    return asyncio.run(FuzzyPaths(paths).find(query, limit))


def is_subsequence(query: str, path: str) -> bool:
    rest = iter(path)
    return all(character in rest for character in query)


def fits(query: str, path: str) -> bool:
    return is_subsequence(query, path.lower() if query == query.lower() else path)


@given(PATHS, QUERIES)
def test_what_is_found_is_exactly_what_fits(paths: list[str], query: str) -> None:
    found = find(paths, query)
    assert sorted(found) == sorted(path for path in paths if fits(query, path))


@given(PATHS, QUERIES, st.integers(1, 5))
def test_a_limit_keeps_the_best(paths: list[str], query: str, limit: int) -> None:
    assert find(paths, query, limit) == find(paths, query)[:limit]


@given(PATHS, st.text(alphabet="abAB_/i", min_size=1, max_size=6))
def test_typing_on_finds_what_a_fresh_search_finds(paths: list[str], query: str) -> None:
    index = FuzzyPaths(paths)

    async def type_it() -> list[str]:
        return [await index.find(query[:end], 50) for end in range(1, len(query) + 1)][-1]

    assert asyncio.run(type_it()) == find(paths, query)


@given(NAMES, QUERIES)
def test_marks_are_the_characters_of_the_query(path: str, query: str) -> None:
    marks = matched(query, path)
    if marks:
        shown = path.lower() if query == query.lower() and len(path.lower()) == len(path) else path
        assert "".join(shown[place] for place in marks) == query
        assert list(marks) == sorted(set(marks))
    elif len(path.lower()) == len(path):
        assert not fits(query, path)


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("main.py", "deep/down/in/main.py", "main.pyi"),
        ("main", "some/folder/main_window.py", "domain.py"),
        ("main", "x/domain.py", "main/x.py"),
        ("conf", "src/conf/readme", "c_o_n_f"),
        ("fp", "a/long/way/down/file_picker.py", "fxxpxx"),
        ("fp", "core/filePicker.ts", "xfxxxp"),
        ("app", "tui/app.py", "tui/deeper/app.py"),
        ("src/", "src/b.py", "other/src/b.py"),
        ("co/ho", "core/host/files.py", "cxo/xhxo"),
    ],
)
def test_the_better_one_comes_first(query: str, better: str, worse: str) -> None:
    found = find([worse, better], query)
    assert found[0] == better


def test_a_capital_letter_makes_case_count() -> None:
    assert find(["readme.md", "README.md"], "readme") == ["readme.md", "README.md"]
    assert find(["readme.md", "README.md"], "README") == ["README.md"]


def test_a_folder_is_found_by_its_name() -> None:
    assert find(["src/widgets/", "src/widgets/a.py", "widgets_old.py"], "widgets")[0] == "src/widgets/"


def test_what_lies_at_the_top_is_known() -> None:
    assert FuzzyPaths(["b", "a/", "a/b", "a/c/"]).top == ["a/", "b"]
