"""Every command that bash runs is found in the line: a law over random programs, and the ways to hide one."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.permissions.shell.parse import read_script
from core.permissions.shell.script import Command, Script
from core.permissions.shell.spelling import spellings

CWD = Path("/work")
HOME = Path("/home/somebody")


def read(source: str) -> Script:
    return read_script(source, CWD, HOME)


def texts(script: Script) -> list[str]:
    return [text for command in script.all_commands() for text in spellings(command)]


# Random programs. Commands that do not exist are told to a handler, which notes them down; those named f… fail.

ARGUMENTS = """a -x "b<c" 'd' $v "$v" * {p,q} ~ # a#b \\; $? x=1 ! = - "#" \\\\ "$PWD" $((1+2)) [ } done then "`m1 q`"
    x"y"z $(<f) "a`m2`b$(m3)" ${w:-l} >/dev/null 2>&1 <<<a <f &>o >>o <>f 3>&1""".split()
SETTINGS = """cd_sub cd_.. cd cd_sub/deep cd_nowhere cd_./sub v=1 v='a_b' export_v=2 v=x_w=y unset_v read_v<<<q :_a true
    false echo_hi [_-f_f_] [[_-n_$v_]] [[_a_==_b*_]] ((1)) test_1_=_1 eval_'m4_e' cd_"$PWD/sub"
    command_cd_sub""".split()
JOINTS = [" && ", " || ", "; ", "\n", " & ", " &&\n", "\n\n", " # c\n", ";", "&&", " || \\\n  ", " | ", " |& ", "|"]


Texts = st.SearchStrategy[str]


def one_of(texts: Sequence[str]) -> Texts:
    return st.sampled_from(texts)


@st.composite
def names(draw: st.DrawFn) -> str:
    dress = draw(one_of(["{}", "{}", "{}", '"{}"', "'{}'", "''{}"]))
    return dress.format(f"{draw(one_of('mmmf'))}{draw(st.integers(1, 99))}")


@st.composite
def simple(draw: st.DrawFn, inner: Texts | None = None) -> str:
    if draw(st.integers(0, 5)) == 0:
        return draw(one_of(SETTINGS)).replace("_", " ")
    arguments = draw(st.lists(one_of(ARGUMENTS), max_size=2))
    if inner is not None and draw(st.booleans()):
        form = draw(one_of(["$({})", '"$({})"', "<({})", "${{w:-$({})}}", '"${{w:-$({})}}"']))
        arguments.append(form.format(draw(inner)))
    prefix = draw(one_of(["", "", "", "", "A=1 ", "A=$v ", "command ", "time ", "time -p ", ">o ", "! "]))
    return prefix + " ".join([draw(names()), *arguments])


@st.composite
def compound(draw: st.DrawFn, inner: Texts) -> str:
    forms = [
        "( {} ); {}",
        "{{ {}; }} && {}",
        "if {}; then {}\nfi",
        "if false; then {}; else {}; fi",
        "for v in a b; do {}; done; {}",
        "while {}; do {}\nbreak; done",
        "case a in a|b) {};; *) {};; esac",
        "{{ {}\n}} 2>&1 | {}",
        "m5 <<'E' | m6 && {}\n$(m7)\nE\n{}",
        "m5 <<E 2>&1; {}\nx $v\nE\n{}",
        "! {}\n{}",
    ]
    return draw(one_of(forms)).format(draw(inner), draw(inner))


@st.composite
def chained(draw: st.DrawFn, inner: Texts) -> str:
    parts = [draw(inner)]
    for _ in range(draw(st.integers(0, 3))):
        parts += [draw(one_of(JOINTS)), draw(inner)]
    return "".join(parts)


PROGRAMS = st.recursive(chained(simple()), lambda inner: chained(simple(inner) | compound(inner)), max_leaves=6)


EACH = 'I=0; unset v w; for p in "${W[@]}"; do ( cd "$0"; eval "$p"; wait ) </dev/null &>/dev/null; I=$((I + 1)); done'


def what_bash_runs(programs: list[str], folder: Path) -> dict[int, list[tuple[Path, list[str]]]]:
    """The folder and the words of each unknown command that the programs run."""
    work, log, start = folder / "work", folder / "log", folder / "start.sh"
    (work / "sub" / "deep").mkdir(parents=True, exist_ok=True)
    (work / "f").write_text("text\n")
    log.write_bytes(b"")
    start.write_text(
        f'command_not_found_handle() {{ printf "%s\\0" "$I" "$PWD" "$@" END >> {log}; [[ $1 != f* ]]; }}\n'
        'mapfile -d "" -t W\n'
    )
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", EACH, str(work)],
        input="".join(f"{program}\0" for program in programs).encode(),
        capture_output=True,
        env={"BASH_ENV": str(start), "HOME": str(work / "sub"), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        check=True,
    )
    runs = defaultdict[int, list[tuple[Path, list[str]]]](list)
    for record in log.read_bytes().split(b"\0END\0")[:-1]:
        number, at, *words = (part.decode(errors="surrogateescape") for part in record.split(b"\0"))
        runs[int(number)].append((Path(at), words))
    return runs


def may_be(command: Command, at: Path, words: list[str]) -> bool:
    """Whether the command may have run there with these words."""
    if command.folders and at not in command.folders:
        return False
    if not all(word.is_one for word in command.words):
        return bool(command.words) and command.words[0].value in (words[0], None if command.doubt else words[0])
    return len(command.words) == len(words) and all(
        (not word.values or text in word.values) and text.startswith(word.head)
        for word, text in zip(command.words, words, strict=True)
    )


@given(st.lists(PROGRAMS, min_size=25, max_size=25))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_what_bash_runs_is_found(tmp_path_factory: pytest.TempPathFactory, programs: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "programs"
    runs = what_bash_runs(programs, folder)
    for number, program in enumerate(programs):
        script = read_script(program, folder / "work", folder / "work" / "sub")
        commands = list(script.all_commands())
        for at, words in runs[number]:
            if script.doubts:
                continue
            assert any(may_be(command, at, words) for command in commands), (program, at, words)


@pytest.mark.parametrize(
    "hidden",
    [
        "ls;touch X",
        "ls &touch X",
        "ls\n\n# c\ntouch X",
        "ls || touch X",
        "ls && (touch X)",
        "! touch X",
        "! { ls; touch X; } 2>/dev/null",
        "time { touch X; }",
        "coproc touch X",
        "[[ -f a ]] || touch X",
        "((1)) && touch X",
        "echo $(touch X)",
        'echo "$(touch X)"',
        "echo `touch X`",
        'echo "`touch X`"',
        "echo `echo \\`touch X\\``",
        "echo ${x:-$(touch X)}",
        "echo ${x:-`touch X`}",
        'echo "${PATH/a/$(touch X)}"',
        'echo "${PATH/a/`touch X`}"',
        "cat <(touch X) >(cat)",
        "ls >(touch X)",
        "cat <<E\n`touch X`\nE",
        "cat <<E\n$(touch X)\nE",
        "cat <<E\n${x:-`touch X`}\nE",
        "cat <<'A' <<'B'\n1\nA\n2\nB\ntouch X",
        "cat <<'E'\nx\nE \nE\ntouch X",
        'cat <<E "a\nb"; touch X\nE\n"',
        "cat <<E | touch X\nE",
        "cat <<E && ls; touch X\nE",
        "cat <<E \\\n; touch X\nE",
        "for f in $(touch X); do ls; done",
        "for f in a; do touch X; done",
        "select x in a; do touch X; done",
        "while touch X; do ls; done",
        "if ls; then a; elif touch X; then b; fi",
        "case $(touch X) in a) ls;; esac",
        "case a in $(touch X)) ls;; esac",
        "case a in a) touch X;; esac",
        "f() { touch X; }; f",
        "function f { touch X; }; f",
        "a=$(touch X)",
        "a=(1 $(touch X))",
        "a[$(touch X)]=1",
        "export a=$(touch X)",
        "declare -a a=($(touch X))",
        "[ -n $(touch X) ]",
        "[[ a == $(touch X) ]]",
        "[[ a =~ $(touch X) ]]",
        "echo $(( $(touch X) + 1 ))",
        "(( $(touch X) ))",
        "for ((i=$(touch X); i<1; i++)); do ls; done",
        "ls <<<$(touch X)",
        "ls > $(touch X)",
        "ls\n\\touch X",
        "ls >a\n\\touch X",
        "ls\n\\\n\\\ntouch X",
        "to\\\nuch X",
        "true\\\n&& touch X",
        "echo a #\\\ntouch X",
        '"touch" X',
        "$'\\x74ouch' X",
        "t''ouch X",
        "/usr/bin/touch X",
        "/???/???/touch X",
        "{touch,X}",
        "x='touch X'; $x",
        "x=touch; $x X",
        'for c in ls touch; do "$c" X; done',
        "A=1 B=$x touch X",
        ">f touch X",
        "command touch X",
        "command -p -- touch X",
        "builtin eval 'touch X'",
        "time -p touch X",
        "timeout -k 1 --signal=TERM 5s touch X",
        "timeout --unknown 5 touch X",
        "nice -5 nohup stdbuf -oL touch X",
        "env touch X",
        "env -i -u C A=b touch X",
        "env -S 'touch X'",
        "env --split-string='touch X'",
        "sudo -u root -- touch X",
        "sudo A=b touch X",
        "doas touch X",
        "su -c 'touch X'",
        "su root --command='touch X'",
        "exec -a b touch X",
        "setsid -w touch X",
        "ionice -c3 touch X",
        "flock /tmp/l touch X",
        "flock /tmp/l -c 'touch X'",
        "watch -n 1 touch X",
        "strace -f -e trace=file touch X",
        "chroot . touch X",
        "busybox touch X",
        "busybox sh -c 'touch X'",
        "bash -c 'ls; touch X'",
        "bash -xec 'touch X'",
        "bash --norc -o pipefail -c 'touch X' a",
        "sh -c \"sh -c 'touch X'\"",
        "eval touch X",
        'eval "touch X"',
        "trap 'touch X' EXIT",
        "echo 'touch X' | sh",
        "cat <<'E' | sh\ntouch X\nE",
        "bash <<'E'\ntouch X\nE",
        "bash <<< 'touch X'",
        "ls | xargs touch X",
        "ls | xargs -n1 -P 4 touch X",
        "find . -exec touch X \\;",
        "find . -ok touch X \\;",
        "find . -a \\( -true -exec touch X \\; \\)",
        "find . '-ex'ec touch X +",
        "fd a -x touch X",
        "fd a --exec-batch touch X",
        "ssh host touch X",
        "docker exec app touch X",
        "npx touch X",
        "parallel touch X ::: a",
        "$BASH -c 'touch X'",
        "pkexec touch X",
        "pkexec --user root touch X",
        "run0 touch X",
        "run0 -u root touch X",
        "cpulimit -l 50 touch X",
        "cpulimit -l 50 -- touch X",
        "winpty touch X",
        "ts touch X",
        "watchexec -e py touch X",
        "watchexec -e py 'touch X'",
        "aws-vault exec x -- touch X",
        "nocorrect touch X",
        "runuser -u x touch X",
        "runuser -u x -- touch X",
        "runuser x -c 'touch X'",
        "runuser -l x -c 'touch X'",
        "runuser --user=x touch X",
        "sg g -c 'touch X'",
        "sg g 'touch X'",
        "cat <<< 'touch X' | bash",
        "cat <<< 'touch X' | cat | bash",
        "echo 'touch X' | cat | sh",
        "echo -e 'touch X' | sh",
        "printf '%s\\n' 'touch X' | sh",
        "source <(echo touch X)",
        ". <(echo 'touch X')",
        "source <(cat <<< 'touch X')",
        "bash <(echo touch X)",
        'eval "$(echo touch X)"',
        'bash -c "$(echo touch X)"',
        "source /dev/stdin <<< 'touch X'",
        "bash /dev/stdin <<< 'touch X'",
        "jobs -x touch X",
        "jobs -rx touch X",
        "ls | while read a; do touch X; done",
        "ls 2>&1 <<<a; touch X",
        "ls &&\n# c\ntouch X",
        "touch X; if ls; then",
    ],
)
def test_a_command_is_found_wherever_it_hides(hidden: str) -> None:
    assert any(text == "touch X" or text.startswith("touch X ") for text in texts(read(hidden)))


def test_text_that_only_looks_like_a_command_is_none() -> None:
    for source in (
        "echo 'a; touch X'",
        'echo "a && touch X"',
        "ls # ; touch X",
        "cat <<'E'\n$(touch X)\n`touch X`\nE",
        "grep -n '$(touch X)' f",
        "cat <<E\ntouch X\nE",
        "git commit -m \"$(cat <<'E'\ntouch X\nE\n)\"",
    ):
        script = read(source)
        assert not script.doubts, source
        assert not any(text.startswith("touch") for text in texts(script)), source


@pytest.mark.parametrize(
    "source",
    [
        "ls\n\\touch X",
        "ls \\\n\\\n -l",
        "l\\\ns",
        "ls\u200b",
        "ls\u00a0-l",
        "ls \u202ex",
        "ls\r\n",
        "ls \x08",
        "echo " + "a" * 10_000,
        "if ls",
        "ls )",
        "f() { ls; }",
        "ls > >(",
        "{ ls",
        "ls {a[$(b)]}>f",
        "exec {fd}>f",
        "echo $((a))",
        "((a=1))",
        "a[b]=1",
        "cat <<E\n`ls`\nE",
        "cat <<E",
        "echo $(cat <<'E'; ls\na\nE\n)",
        "cat <<E'O'F\nEOF",
        "[-f f ]",
        "{a x\n}",
        "until] x\ndo a; done",
        "echo $(\\ ls)",
        "ls; \\<<<x y",
        "echo ${}",
        "! { ls; }",
    ],
)
def test_what_is_not_understood_is_doubtful(source: str) -> None:
    script = read(source)
    assert script.doubts
    assert all(doubt and not doubt.endswith(".") for doubt in script.doubts)


@pytest.mark.parametrize(
    ("unit", "times", "end"),
    [
        ("$(", 3_000, "ls" + ")" * 3_000),
        ("(", 5_000, ""),
        ("a|", 5_000, "b"),
        ('"$(', 2_000, ""),
        ("${a:-", 2_000, ""),
        ("find -exec ", 900, ""),
        ("npx sudo env ", 500, "ls"),
        ("<<E\n`$(\nE\n", 900, ""),
        ("((a", 3_000, ""),
    ],
)
def test_a_hostile_line_is_doubtful_and_ends(unit: str, times: int, end: str) -> None:
    script = read(unit * times + end)
    assert script.doubts or any(command.doubt for command in script.all_commands())


def test_what_cannot_run_is_refused() -> None:
    assert "NUL" in read("ls\0").refusal
    assert "longer" in read("a" * 131_072).refusal
    assert read("ls \ud800").refusal
    assert not read("ls").refusal


@pytest.mark.parametrize(
    ("source", "doubtful"),
    [
        ("test -v 'a[$(touch X)]'", True),
        ("test -v a", False),
        ('[ -n "$a" ]', False),
        ('[ "$a" = "$b" ]', False),
        ("[ $a = b ]", True),
        ('test "$a" "$b"', True),
        ("[[ $a == b ]]", False),
        ("[[ $a -eq 1 ]]", True),
        ("[[ 2 -gt 1 ]]", False),
        ("[[ -v a[1] ]]", True),
        ("read -r line", False),
        ("read 'a[$(touch X)]'", True),
        ('read "$x"', True),
        ("printf '%s' \"$a\"", False),
        ("printf -v 'a[$(touch X)]' 1", True),
        ("unset 'a[$(touch X)]'", True),
        ("unset -v a", False),
        ("let 'a[$(touch X)]=1'", True),
        ("declare -i n", True),
        ('export A=1 B="$x"', False),
        ("export $x", True),
        ("$x a", True),
        ("sudo --new ls", True),
        ("timeout --new 5 ls", True),
        ('bash -c "$x"', True),
        ("eval $x", True),
        ('source "$x/activate"', False),
        ("source <(curl a)", True),
        ('bash "$x"', True),
        ("curl a | sh", True),
        ("command -v ls", False),
        ("mapfile -C 'touch X' -c 1 a", True),
        ("jobs -x touch X", True),
    ],
)
def test_builtins_that_evaluate_their_words_are_doubtful(source: str, doubtful: bool) -> None:
    script = read(source)
    assert not script.doubts
    assert any(command.doubt for command in script.all_commands()) is doubtful


@pytest.mark.parametrize(
    ("source", "folders"),
    [
        ("cd a && ls", ["a"]),
        ("cd a; ls", ["", "a"]),
        ("cd a || exit 1; ls", ["a"]),
        ("(cd a); ls", [""]),
        ("cd a && (cd ../b && ls)", ["b"]),
        ("cd a | b; ls", [""]),
        ("if cd a; then ls; fi", ["a"]),
        ("if b; then cd a; fi; ls", ["", "a"]),
        ("while b; do cd a; ls; done", []),
        ('cd "$x" && ls', []),
        ("cd - && ls", []),
        ("pushd a && ls", []),
        ("CDPATH=/; cd a && ls", []),
        ("cd && ls", ["/home/somebody"]),
        ("cd ~/x && ls", ["/home/somebody/x"]),
        ("command cd a && ls", ["a"]),
        ("eval 'cd a'; ls", []),
        ("cd a && cd .. && cd b/c && ls", ["b/c"]),
        ("env -C a ls", []),
        ("cd a && b 2>&1 | ls", ["a"]),
        ("for d in a b; do (cd $d && ls); done", ["a", "b"]),
    ],
)
def test_the_folder_is_known_where_it_is_certain(source: str, folders: list[str]) -> None:
    listing = next(command for command in reversed(list(read(source).all_commands())) if command.name == "ls")
    assert set(listing.folders) == {CWD / folder for folder in folders}
    assert listing.cwd == (CWD / folders[0] if len(folders) == 1 else None)


def test_pipes_bind_before_other_operators() -> None:
    script = read("a && b 2>&1 | c >f | d && e | f || g")
    fed = {command.name: [each.name for each in command.piped_from] for command in script.commands}
    assert fed == {"a": [], "b": [], "c": ["b"], "d": ["b", "c"], "e": [], "f": ["e"], "g": []}
    group = read("a | { b; c; } | d").commands
    assert [[each.name for each in command.piped_from] for command in group] == [[], ["a"], ["a"], ["a", "b", "c"]]


def test_redirections_belong_to_their_command() -> None:
    (command,) = read("ls 2>&1 >a &>>b <c <<<d <<'E' x 3>&-\nbody\nE").commands
    assert [word.source for word in command.words] == ["ls", "x"]
    assert [(each.kind, each.target.value if each.target else None) for each in command.redirects] == [
        ("duplicate", "1"),
        ("write", "a"),
        ("write", "b"),
        ("read", "c"),
        ("here_string", "d"),
        ("heredoc", None),
        ("duplicate", None),
    ]
    assert command.redirects[5].text == "body\n"
    assert [each.source for each in read("{ ls; } >a; >b; while a; do b; done <c").redirects] == [">a", ">b", "<c"]


@pytest.mark.parametrize(
    ("source", "inner"),
    [
        ("timeout 5 npm test", "npm test"),
        ("timeout -s KILL 1.5m npm test", "npm test"),
        ("nice -n 5 npm test", "npm test"),
        ("nohup npm test", "npm test"),
        ("stdbuf -oL -e 0 npm test", "npm test"),
        ("time npm test", "npm test"),
        ("command npm test", "npm test"),
        ("noglob npm test", "npm test"),
        ("timeout 30 nice -n 5 npm test", "nice -n 5 npm test"),
    ],
)
def test_allowing_rules_look_through_plain_wrappers(source: str, inner: str) -> None:
    (command,) = read(source).commands
    assert command.is_wrapper
    assert not command.doubt
    assert [each.text for each in command.runs] == [inner]


def test_allowing_rules_do_not_look_through_others() -> None:
    others = (
        "env a",
        "sudo a",
        "setsid a",
        "ionice -c3 a",
        "xargs -n1 a",
        "find . -exec a \\;",
        "./timeout 5 a",
        "npx a",
    )
    for source in (*others, "timeout --weird 5 a", "watch a", "bash -c a", "command -v a", "nice -x a"):
        assert not read(source).commands[0].is_wrapper, source


def test_input_is_not_known() -> None:
    (_list, bare) = read("ls | xargs rm -f").commands
    assert bare.is_wrapper
    assert [word.value for word in bare.runs[0].words] == ["rm", "-f", None]
    replaced = read("ls | xargs -I % cp % b/").commands[1].runs[0]
    assert [word.value for word in replaced.words[:3]] == ["cp", None, "b/"]
    found = read("find src -exec cat {} +").commands[0].runs[0].words[1]
    assert (found.value, found.head, found.is_one) == (None, "src", False)


def test_a_substitution_alone_tells_what_it_lists() -> None:
    word = read("wc -l $(git ls-files | grep x)").commands[-1].words[2]
    assert [command.text for command in word.lists] == ["git ls-files", "grep x"]
    assert not word.is_one
    assert not read("wc a$(ls)").commands[-1].words[1].lists
    assert not read("wc $(ls && ls)").commands[-1].words[1].lists
    assert not read("wc $(ls | wc && ls)").commands[-1].words[1].lists


def test_a_command_is_spelled_in_every_way_that_a_rule_may_mean_it() -> None:
    assert set(spellings(read('/bin/"rm" -r "$x"').commands[0])) == {
        '/bin/"rm" -r "$x"',
        '/bin/rm -r "$x"',
        'rm -r "$x"',
    }
    loop = read("for f in a b; do rm $f; done").commands[0]
    assert {"rm $f", "rm a", "rm b"} <= set(spellings(loop))
    assert "rm -f" in spellings(read("ls | xargs rm -f").commands[1].runs[0])
    assert len(spellings(read("for f in {1..20}; do rm $f $f $f $f $f; done").commands[0])) < 100
