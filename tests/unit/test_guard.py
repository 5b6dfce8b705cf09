"""The program inside other people's repositories: their ``core`` package must never be executed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from core.version import __version__
from tui.__main__ import guard

ROOT = Path(__file__).parents[2]
OWN = ("core", "themes", "tui")


def package(folder: Path, name: str = "core") -> Path:
    """A foreign package that leaves a trace when it is imported."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "__init__.py").write_text(f"open({str(folder / 'EXECUTED')!r}, 'w').close()\n")
    return folder


def run(folder: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run in ``folder`` as a user would there."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        argv,
        cwd=folder,
        env=variables | environ,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


# The import path


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own, so that the tests do not depend on where this one lies."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "python"))
    return tmp_path


def ours(folder: Path) -> str:
    for name in OWN:
        (folder / name).mkdir(parents=True, exist_ok=True)
    return str(folder)


def foreign(folder: Path) -> str:
    return str(package(folder))


@pytest.mark.parametrize("entry", ["", ".", "{work}", "{work}/", "{work}/sub", "sub", "{link}"])
def test_what_lies_in_the_working_folder_goes(prefix: Path, monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    root, work = ours(prefix / "app"), foreign(prefix / "work")
    foreign(prefix / "work" / "sub")
    (prefix / "link").symlink_to(work)
    monkeypatch.chdir(work)
    entry = entry.format(work=work, link=prefix / "link")
    assert guard([entry, "/stdlib", root], root, work) == ["/stdlib", root]


def test_another_folder_with_such_a_package_comes_after_ours(prefix: Path) -> None:
    root, other, work = ours(prefix / "app"), foreign(prefix / "other"), foreign(prefix / "work")
    assert guard([other, "/stdlib", root], root, work) == [root, other, "/stdlib"]
    assert guard([root, other], root, work) == [root, other]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("as_file", [False, True])
def test_each_of_our_packages_is_guarded(prefix: Path, name: str, as_file: bool) -> None:
    root, other = ours(prefix / "app"), prefix / "other"
    package(other, name)
    if as_file:
        shutil.rmtree(other / name)
        (other / f"{name}.py").write_text("")
    assert guard([str(other), root], root, "/")[0] == root


def test_nothing_changes_where_ours_come_first(prefix: Path) -> None:
    root = ours(prefix / "app")
    work = str(prefix / "elsewhere")
    path = [str(prefix / "bin"), "/stdlib", root, "/site"]
    assert guard(path, root, work) == path


def test_a_root_that_is_not_on_the_path_is_put_there(prefix: Path) -> None:
    root = ours(prefix / "app")
    assert guard(["/stdlib"], root, "/nowhere") == [root, "/stdlib"]


@pytest.mark.parametrize("start", [".", "core", "tui/rendering"])
def test_inside_this_program_itself_it_is_found(prefix: Path, start: str) -> None:
    root = ours(prefix / "app")
    work = prefix / "app" / start
    assert guard([str(work), "/stdlib", root], root, str(work))[-1] == root
    assert guard(["", "/stdlib"], root, root) in (["", "/stdlib"], [root, "/stdlib"])


def test_an_environment_inside_the_project_stays(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``project/.venv`` with the program in it, ``project/core`` of the user's."""
    work = foreign(prefix / "project")
    site = ours(prefix / "project" / ".venv" / "lib" / "site-packages")
    monkeypatch.setattr(sys, "prefix", str(prefix / "project" / ".venv"))
    kept = [str(prefix / "project" / ".venv" / "lib"), site]
    assert guard(["", work, *kept], site, work) == kept


def test_in_a_home_folder_the_users_own_packages_stay(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pip install --user`` and a session in ``~``: the libraries lie inside the working folder."""
    import site

    root = ours(prefix / "home" / "src" / "agent-tui")
    library = prefix / "home" / ".local" / "lib" / "site-packages"
    library.mkdir(parents=True)
    monkeypatch.setattr(site, "USER_SITE", str(library))
    assert guard(["/stdlib", root, str(library)], root, str(prefix / "home")) == ["/stdlib", root, str(library)]


def test_a_project_under_the_prefix_of_the_system_is_still_foreign(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system Python has ``/usr`` as its prefix, a project may lie in ``/usr/src``."""
    root, work = ours(prefix / "app"), foreign(prefix / "usr" / "src" / "project")
    monkeypatch.setattr(sys, "prefix", str(prefix / "usr"))
    monkeypatch.setattr(sys, "base_prefix", str(prefix / "usr"))
    library = str(prefix / "usr" / "lib" / "python3")
    assert guard([work, library, root], root, work) == [library, root]
    assert guard([work, library, root], root, str(prefix / "usr"))[0] == root


# As a real program


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return package(tmp_path / "project")


INVOCATIONS = {
    "python -m tui": ([sys.executable, "-m", "tui"], {"PYTHONPATH": str(ROOT)}),
    "PYTHONPATH=.": ([sys.executable, "-m", "tui"], {"PYTHONPATH": f".{os.pathsep}{ROOT}"}),
    "script, PYTHONPATH=.": ([str(Path(sys.prefix) / "bin" / "agent-tui")], {"PYTHONPATH": "."}),
    "script, PYTHONPATH=sub": ([str(Path(sys.prefix) / "bin" / "agent-tui")], {"PYTHONPATH": "sub"}),
    "script by path": ([sys.executable, str(ROOT / "tui" / "__main__.py")], {"PYTHONPATH": "."}),
}


@pytest.mark.parametrize("how", INVOCATIONS)
@pytest.mark.parametrize("arguments", [["--version"], ["-p", ""], ["--help"]], ids=lambda a: a[0])
def test_the_users_own_core_is_not_executed(project: Path, how: str, arguments: list[str]) -> None:
    package(project / "sub")
    argv, environ = INVOCATIONS[how]
    if not Path(argv[0]).exists():
        pytest.skip("the program is not installed in this environment")
    done = run(project, *argv, *arguments, **environ)
    assert not (project / "EXECUTED").exists(), done.stderr
    assert not (project / "sub" / "EXECUTED").exists(), done.stderr
    assert "Traceback" not in done.stderr
    assert {"--version": __version__, "-p": "no prompt", "--help": "usage"}[arguments[0]] in done.stdout + done.stderr


def test_a_library_in_the_folder_is_not_taken_for_the_real_one(project: Path) -> None:
    for name in ("anthropic", "pydantic", "textual", "pathspec"):
        package(project, name)
    done = run(project, sys.executable, "-m", "tui", "-p", "", PYTHONPATH=f".{os.pathsep}{ROOT}")
    assert "no prompt" in done.stderr
    assert not (project / "EXECUTED").exists()


def test_a_core_outside_the_folder_is_not_executed(project: Path, tmp_path: Path) -> None:
    other = package(tmp_path / "other")
    done = run(project, sys.executable, "-m", "tui", "-p", "", PYTHONPATH=f"{other}{os.pathsep}{ROOT}")
    assert "no prompt" in done.stderr
    assert not (other / "EXECUTED").exists()


@pytest.mark.parametrize("folder", [".", "core", "tests"])
def test_it_runs_inside_its_own_repository(folder: str) -> None:
    done = run(ROOT / folder, sys.executable, "-m", "tui", "--version", PYTHONPATH=str(ROOT))
    assert done.stdout == f"agent-tui {__version__}\n", done.stderr


def test_it_runs_from_an_environment_inside_the_project(project: Path) -> None:
    environment = project / ".venv"
    venv.create(environment, with_pip=False, symlinks=True)
    site = next(environment.glob("lib/python*/site-packages"))
    for name in OWN:
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    python = str(environment / "bin" / "python")
    for environ in ({}, {"PYTHONPATH": "."}):
        done = run(project, python, "-m", "tui", "--version", **environ)
        assert done.stdout == f"agent-tui {__version__}\n", done.stderr
        where = "import tui.__main__ as m, sys; m.main(['--version']); import core; print(core.__file__)"
        done = run(project, python, "-c", where, **environ)
        assert str(site) in done.stdout, done.stderr
    assert not (project / "EXECUTED").exists()


@pytest.mark.parametrize("arguments", [["--version"], ["-p", "hi"]], ids=["version", "prompt"])
def test_a_folder_that_is_gone_is_said(tmp_path: Path, arguments: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd {gone} && rmdir {gone} && exec {sys.executable} -m tui "$@"'
    done = run(tmp_path, "bash", "-c", script, "bash", *arguments, PYTHONPATH=str(ROOT))
    assert "Traceback" not in done.stderr
    assert "no longer exists" in done.stderr or __version__ in done.stdout
