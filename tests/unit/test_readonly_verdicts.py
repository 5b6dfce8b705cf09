"""What is told of a command beside whether it only reads: files, secrets, edits, what must never go unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.judge import judge_script
from core.permissions.readonly.options import literal, parse
from core.permissions.readonly.verdict import Judged, Verdict
from core.permissions.shell.parse import read_script
from core.permissions.shell.script import Word

HOME = Path("/home/u")
CWD = Path("/home/u/proj")

GRAMMAR = Grammar(short="ab:c?f<", long="all bytes: color? file<")


def judged(command: str) -> Judged:
    return judge_script(read_script(command, CWD, HOME), HOME)


def only(command: str) -> Verdict:
    """The verdict on the last command of a line."""
    return judged(command).commands[-1][1]


def names(paths: tuple[Path, ...]) -> list[str]:
    return [str(path.relative_to(CWD)) if path.is_relative_to(CWD) else str(path) for path in paths]


def told(*texts: str) -> Parsed:
    return parse(tuple(map(literal, texts)), GRAMMAR)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (("-a", "x"), [("-a", None)]),
        (("-ab", "x"), [("-a", None), ("-b", "x")]),
        (("-bx",), [("-b", "x")]),
        (("-abx",), [("-a", None), ("-b", "x")]),
        (("-ca",), [("-c", "a")]),
        (("--bytes=x",), [("--bytes", "x")]),
        (("--bytes", "x"), [("--bytes", "x")]),
        (("--color",), [("--color", None)]),
        (("--color=x",), [("--color", "x")]),
        (("x", "-a", "--", "-z"), [("-a", None)]),
    ],
)
def test_options_are_told_from_operands(texts: tuple[str, ...], options: list[tuple[str, str | None]]) -> None:
    found = [(each.name, each.argument.value if each.argument else None) for each in told(*texts).options]
    assert found == options


@pytest.mark.parametrize(
    "text", ["-z", "-az", "--zoo", "--byte=x", "--al", "--all=x", "-b", "--bytes", "-a-", "---all"]
)
def test_what_is_not_an_option_in_full_is_refused(text: str) -> None:
    with pytest.raises(NotReadOnlyError):
        told(text)


@given(st.lists(st.text("abcxyz-=/.", max_size=6), max_size=5), st.sampled_from(["-z", "--zoo", "-oz", "--zoo=1"]))
def test_an_unknown_option_is_found_wherever_it_stands(texts: list[str], unknown: str) -> None:
    """Unless it stands behind ``--``, or is what an option takes."""
    if any(text == "--" or text in ("--bytes", "--file") or (text[:1] == "-" and text[-1:] in "bf") for text in texts):
        return
    with pytest.raises(NotReadOnlyError):
        told(*texts, unknown)


def test_a_word_that_may_become_an_option_is_refused_unless_all_are_harmless() -> None:
    word = Word(source="$x", is_one=False)
    with pytest.raises(NotReadOnlyError):
        parse((word,), GRAMMAR)
    assert parse((literal("--"), word), GRAMMAR).operands == (word,)
    assert parse((word,), Grammar(is_harmless=True)).operands == (word,)


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("cat a b", ["a", "b"]),
        ("cat /etc/hosts ../x", ["/etc/hosts", "../x"]),
        ("head -n 5 a", ["a"]),
        ("grep x a b", ["a", "b"]),
        ("grep -e x a", ["a"]),
        ("grep -f a b", ["a", "b"]),
        ("sed -n 1p a", ["a"]),
        ("sed 'r x' a", ["x", "a"]),
        ("awk '{print}' n=1 a", ["a"]),
        ("jq .x a", ["a"]),
        ("find src tests -name x", ["src", "tests"]),
        ("cd src && cat a", ["src/a"]),
        ("cat src/*.py", ["src"]),
        ("cat - < x", []),
        ("tar tf a.tar b", ["a.tar"]),
        ("timeout 5 cat a", ["a"]),
        ("bash -c 'cat a'", ["a"]),
        ("for f in a b; do cat $f; done", ["a", "b"]),
        ("git diff /etc/passwd x", ["/etc/passwd"]),
    ],
)
def test_the_files_it_reads_are_told(command: str, reads: list[str]) -> None:
    verdict = only(command)
    assert verdict.is_read_only
    assert [name.removesuffix("/") for name in names(verdict.reads)] == reads


def test_a_file_read_by_a_redirection_is_told() -> None:
    found = judged("wc -l < src/x")
    assert names(found.redirects[0][1].reads) == ["src/x"]
    assert found.is_read_only


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("touch a b", ["a", "b"]),
        ("mkdir -p a/b", ["a/b"]),
        ("rm -rf a", ["a"]),
        ("rmdir a", ["a"]),
        ("mv a b", ["a", "b", "b/a"]),
        ("cp a b c", ["c", "c/a", "c/b"]),
        ("sed -i s/x/y/ a", ["a"]),
        ("sed -i.bak s/x/y/ a", ["a", "a.bak"]),
        ("timeout 5 touch a", ["a"]),
        ("nice -n 5 time touch a", ["a"]),
        ("for f in a b; do rm $f; done", ["a", "b"]),
    ],
)
def test_plain_edits_tell_what_they_write(command: str, writes: list[str]) -> None:
    verdict = only(command)
    assert names(verdict.writes) == writes
    assert verdict.is_file_edit
    assert not verdict.is_read_only


@pytest.mark.parametrize(
    "command",
    [
        "rm $x", "rm *.o", "cp $x a", "sed -i 's/a/b/w c' d", "sed -i -f x a", "sed --in-pl s/a/b/ c",
        "cp --backup a b",
        "FOO=1 rm a", "tee a", "find . -exec rm {} +", "ls | xargs rm", "rm", "ln -s a b", "cat a",
        "env touch a", "bash -c 'touch a'", "env -C b touch a", "sudo touch a", "timeout 5 env touch a",
    ],
)  # fmt: skip
def test_others_are_no_plain_edits(command: str) -> None:
    assert not only(command).is_file_edit


def test_redirections_and_tee_tell_what_they_write() -> None:
    assert names(judged("echo x > a").redirects[0][1].writes) == ["a"]
    assert names(judged("cd b && echo x >> a").redirects[0][1].writes) == ["b/a"]
    assert names(judged("cd b; echo x > a").redirects[0][1].writes) == ["a", "b/a"]
    assert judged('echo x > "$y"').redirects[0][1].writes == ()
    assert names(only("ls | tee -a a b").writes) == ["a", "b"]
    assert judged("echo x > /dev/null 2>&1").redirects == ()


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /", "rm -rf /usr", "rm -rf /*", "rm -rf ~", "rm -rf ~/", "rm -rf ~/*",
        "rm -rf $HOME", 'rm -r "$HOME"/*',
        "rm -rf .", "rm -rf ..", "rm -rf ./*", "rm -rf *", "rm -rf .*", "rm -rf /home", "rm -rf /home/u/proj/",
        'rm -rf "$DIR"/*', "rm -rf $DIR/*", 'rm -rf "${DIR}"/', "rmdir /home/u", "rm -rf -- /", "rm -rf src/..",
        "sudo rm -rf /", "timeout 5 rm -rf ~", "bash -c 'rm -rf /'", "cd src && rm -rf ..", "cd / && rm -rf usr",
        "ls | xargs rm -rf /", "rm --no-preserve-root -rf /", "/bin/rm -rf /", "command rm -rf ~", "rm -rf {/,x}",
        "for d in / x; do rm -rf $d; done",
        "rm -rf //", "rm -rf //usr", "rm -rf //home/u", "rm -rf //*", "rm -rf ///", "rm -r /usr/*", "rm -rf /home/v",
        'cd "$X" && rm -rf *', "cd $X; rm -rf ./*", 'cd "$X" && rm -rf .', 'cd "$X" && rm -rf ..', "sudo rm -rf *",
        "rm -rf $(pwd)", 'rm -rf "$(pwd)"', "rm -rf `pwd`/", "rm -rf ~+", "rm -rf ~-", "rm -rf ~u", "rm -rf ~root",
        "rm -rf ~root/x", 'rm -rf "$OLDPWD"', "rm -rf $A$B/*", 'rm -rf "${X:-}/"*', 'rm -rf "${DIR}/../"',
        'rm -rf "$X/bin"', 'rm -rf "${DIR}"/{a,b}', 'rm -rf "$x"', "rm -rf $x", "rm -rf **/*", "rm -rf */",
        "rm -rf */*",
        "rm -rf $(ls /)", "ls / | xargs rm -rf", "ls / | xargs -I% rm -r %", "find / | xargs rm -rf",
        "rm --recursive $x", "rm --rec $x", "rm -fR $x", "rm x -r $y",
        "rm -rf C:/", "rm -rf 'c:\\'", "rm -rf C:/Users", "rm -rf /mnt/c", "rm -rf /mnt/c/Users", "rm -rf /mnt/c/*",
        "find / -delete", "find ~ -delete", "find -delete", "find . -delete", "find . -type f -delete",
        "find . ! -name x -delete", "find . -name '*' -delete", "find . -name x -o -delete", "find $x -delete",
        "find / -name x -delete", "find .. -name x -delete", "find // -delete", "cd / && find . -name x -delete",
        "find ~ -exec rm -rf {} +", "find / -exec rm -rf {} \\;", "find . -exec rm -rf {} +",
        "find / -name x -exec rm -rf {} +",
        "/usr/../bin/rm -rf /", "./rm -rf /", "X=1 rm -rf /", "env rm -rf /",
    ],
)  # fmt: skip
def test_removing_what_everything_hangs_on_is_critical(command: str) -> None:
    assert only(command).critical


@pytest.mark.parametrize(
    "command",
    ["rm -rf build", "rm -rf ./build/*", "rm *.pyc", "rm -rf /home/u/other", "rm -f a", "ls /",
     "rm -rf node_modules dist/*.map", "rm -rf src/**/*.pyc", 'rm "$x"', "rm -f $x", "rm -rf /tmp/x /tmp/y/*",
     "rm -rf *.egg-info", 'cd "$X" && rm -rf build', "for d in a b; do rm -rf $d; done", "x=build; rm -rf $x",
     "find . -name '*.pyc' -delete", "find src -delete", "find . -type d -empty -delete", "find . -name x",
     "find . -name node_modules -exec rm -rf {} +", "find . -name __pycache__ | xargs rm -rf", "find / -name x",
     "find . -name '*.o' -exec rm {} \\;", "rm -rf $(find . -name __pycache__)", "rmdir $x",
     'T=$(mktemp -d); ls; rm -rf "$T"',
     "find . -name x -not -path './a/*' -exec ls {} +"],
)  # fmt: skip
def test_removing_something_else_is_not(command: str) -> None:
    assert not only(command).critical


@pytest.mark.parametrize(
    "command",
    [
        "env", "printenv", "set", "export -p", "declare -p", "cat .env", "cat /proc/self/environ", "grep -r x ~/.ssh",
        "echo $API_KEY", 'printf %s "${DB_PASSWORD}"', "jq -n env", "awk 'BEGIN{print ENVIRON[\"X\"]}'", "cat .env*",
        "git config --list", "git show HEAD:.env", "ps auxe", "cat < .env", "grep -r x ~",
        "find . -name .env | xargs cat",
    ],
)  # fmt: skip
def test_what_shows_secrets_is_told(command: str) -> None:
    found = judged(command)
    assert found.secrets or not found.is_read_only


@pytest.mark.parametrize(
    "command",
    ["echo $HOME", "echo $PATH", "echo $NODE_ENV", "grep -rn password src", "ls -la .env", "cat .env.example",
     "jq .env x", "printenv PATH", "echo $x", "cat *.json", "ls ~/.ssh", "git config user.name"],
)  # fmt: skip
def test_ordinary_looks_show_none(command: str) -> None:
    found = judged(command)
    assert found.is_read_only and not found.secrets


def test_git_is_told() -> None:
    assert only("git status").uses_git
    assert only("timeout 5 git status").uses_git
    assert not only("ls").uses_git


def test_git_in_another_folder_is_asked_about_where_that_may_bring_its_own_settings(tmp_path: Path) -> None:
    def runs(command: str) -> bool:
        return judge_script(read_script(command, tmp_path, HOME), HOME).is_read_only

    (tmp_path / ".git").mkdir()
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "module" / "deep").mkdir(parents=True)
    (tmp_path / "module" / ".git").write_text("gitdir: x\n")
    (tmp_path / "link").symlink_to("module")
    for name in ("objects", "refs"):
        (tmp_path / "bare" / name).mkdir(parents=True)
    (tmp_path / "bare" / "HEAD").write_text("x")
    assert runs("cd . && git status")
    assert runs("cd src && git status")
    assert runs("cd src/deep && git log -1")
    assert runs(f"cd {tmp_path} && git status")
    for elsewhere in (
        "module",
        "module/deep",
        "bare",
        "bare/refs",
        "link",
        "link/deep",
        "nosuch",
        "..",
        "/",
        "src/../module",
    ):
        assert not runs(f"cd {elsewhere} && git status"), elsewhere


def test_the_reason_says_what_is_wrong() -> None:
    assert only("sort -o x y").reason == "its option -o is not known to be harmless"
    assert only("awk '{print > \"x\"}' y").reason == "print in awk writes to a file"
    assert only("git push").reason == "git push may change something"
    assert judged("ls > x").redirects[0][1].reason == "> x writes a file"
