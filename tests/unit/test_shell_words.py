"""Words of a shell line mean to us what they mean to bash: a law over random words, run through the real one."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.permissions.shell.parse import read_script
from core.permissions.shell.script import Word

HOME = Path("/home/somebody")
SETTING = "x=v; y='p q'; e=; z=' l '; g='*a'; "

BARE = r"""a x1 - = / , : . { } [ ] ~ * ? # ! % + @ ^ é 0 9 .. {a,b} {1..3} {a..c} {1..10..3} {01..3} {,x} ~/ =~ :~ \a
    \$ \\ \{ \" \' \* \~ $x "$x" ${x} $HOME "$HOME" $y "$y" $e "$e" $z $g "$g" $u $? $# "" '' A= "~" $ a= {a,{b,c}} ~+
    {a..1} {a..C} {3..1} {1..2..0} {-2..2} {c..a} {a,b ,b} $x$x ${x}a {$x,b} {"a,b",c} \, ~root
    $PWD {1..30}""".split()
IN_DOUBLE = [*"a*~'#!;|>é\t ", "$x", "${x}", r"\a", r"\$", r"\\", r"\"", r"\`", "{a,b}", "$", "$HOME", "[a]"]
IN_ANSI = r"""a \n \t \x41 \x4 \101 \e \\ \' \" " \u00e9 \u41 \U1F600 \U1F600a \cA \z \0 \x $x é \xff \400 \c? \x{41} \u
    \1 \E \?""".split()
IN_SINGLE = [*'a "$\\*~{é\n`']


def joined(parts: Sequence[str], before: str, after: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(parts), max_size=3).map(lambda chosen: before + "".join(chosen) + after)


WORDS = st.lists(
    st.sampled_from(BARE) | joined(IN_DOUBLE, '"', '"') | joined(IN_ANSI, "$'", "'") | joined(IN_SINGLE, "'", "'"),
    min_size=1,
    max_size=5,
).map("".join)


def what_bash_makes(words: list[str], folder: Path) -> list[list[str] | None]:
    """The words that each becomes; None where bash does not understand it."""
    listing = (
        'mapfile -d "" -t W; cd "$1"; for w in "${W[@]}"; do '
        "eval \"printf '%s\\\\0' a $w\" 2>/dev/null || printf 'BAD\\0'; printf 'END\\0'; done"
    )
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", SETTING + listing, "bash", str(folder)],
        input="".join(f"{word}\0" for word in words).encode(),
        capture_output=True,
        env={"HOME": str(HOME), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        check=True,
    )
    groups = [group.split(b"\0")[1:-1] for group in done.stdout.split(b"END\0")[:-1]]
    texts = [[each.decode(errors="surrogateescape") for each in group] for group in groups]
    return [None if b"BAD" in raw else text for raw, text in zip(groups, texts, strict=True)]


@given(st.lists(WORDS, min_size=60, max_size=60))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_a_word_becomes_what_bash_makes_of_it(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "empty"
    folder.mkdir(exist_ok=True)
    for written, got in zip(words, what_bash_makes(words, folder), strict=True):
        script = read_script(f"{SETTING}printf %s a {written}", folder, HOME)
        if got is None or script.doubts:
            continue
        ours = script.commands[-1].words[3:]
        if all(word.is_one and word.value is not None for word in ours):
            assert [word.value for word in ours] == got, written
        elif len(ours) == 1:
            word = ours[0]
            assert not word.values or set(got) <= set(word.values), written
            assert all(text.startswith(word.head) for text in got), written
            assert not word.is_one or len(got) == 1, written


def word(source: str, setting: str = "") -> Word:
    script = read_script(f"{setting}: {source}", Path("/w"), HOME)
    assert not script.doubts, script.doubts
    return script.commands[-1].words[1]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('"a b"', "a b"),
        ("a'b'\"c\"\\d", "abcd"),
        (r"$'\x2ddelete'", "-delete"),
        ("-ex''ec", "-exec"),
        ("~/x", "/home/somebody/x"),
        ('"$PWD/x"', "/w/x"),
        ("$HOME", "/home/somebody"),
        ("a\\ b", "a b"),
    ],
)
def test_quotes_are_taken_off(source: str, value: str) -> None:
    assert word(source).value == value
    assert word(source).is_one


def test_what_is_not_known_is_told_as_far_as_it_goes() -> None:
    assert word('"src/$1"').values == ()
    assert word('"src/$1"').head == "src/"
    assert word('"src/$1"').is_one
    assert not word("src/$1").is_one
    assert word("src/*.py").has_glob
    assert word("src/*.py").head == "src/"
    assert word("{a,b}.py").values == ("a.py", "b.py")
    assert not word("{a,b}.py").is_one
    assert not word("~other/x").values
    assert not word("~/x", "HOME=/elsewhere; cd; read HOME; ").values


def test_variables_are_followed_only_while_they_are_certain() -> None:
    loop = read_script(
        'for f in a "b c" $(ls); do cat "$f"; done; for g in a "b c"; do cat "$g"; done', Path("/w"), HOME
    )
    unknown, known = (command.words[1] for command in loop.commands if command.name == "cat")
    assert unknown.values == ()
    assert known.values == ("a", "b c")
    assert known.is_one
    assert set(word('"$x"', "x=1; if a; then x=2; fi; ").values) == {"1", "2"}
    for setting in ("x=1; read x; ", "x=1; x+=2; ", "x=1; eval y; ", "x=1; printf -v x a; ", "x=$(a); ", "x=1; . f; "):
        assert word('"$x"', setting).values == (), setting
    assert word('"$x"', "x=1; (x=2); ").value == "1"
    for change in (
        "IFS= read -r x",
        "<f read x",
        "command read x",
        "x+=a",
        "eval y",
        "for x in $(a); do b; done",
        "$y x",
    ):
        looped = read_script(f'x=1; for i in a b; do cat "$x"; {change}; done', Path("/w"), HOME)
        assert next(each.words[1] for each in looped.commands if each.name == "cat").values == (), change
    assert word("$x", "x='a b'; ").values == ("a", "b")
    assert not word("$x", "x='a b'; ").is_one
    assert word("$x", "IFS=b; x=abc; ").values == ()


def test_names_that_come_from_outside_are_listed() -> None:
    script = read_script('x=1; echo "$x" "$TOKEN" ${KEY:-a} "${#LEN}"; read y; echo $y $HOME', Path("/w"), HOME)
    assert script.variables == {"TOKEN", "KEY", "LEN"}


@pytest.mark.parametrize(
    "source",
    [
        "${x@P}",
        "${!x}",
        "${x:=a}",
        "${a[$(b)]}",
        "${a[i]}",
        "$((x))",
        "${x:y}",
        "$((a[0]))",
        "$x{1,2}",
        '"${x:-`a`}"\\\n',
    ],
)
def test_expansions_that_may_run_something_are_doubtful(source: str) -> None:
    assert read_script(f"echo {source}", Path("/w"), HOME).doubts
