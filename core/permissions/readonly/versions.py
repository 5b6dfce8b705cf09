"""Programs asked for nothing but their version."""

from __future__ import annotations

from pathlib import Path

from core.permissions.readonly.options import is_literal
from core.permissions.shell.script import Word

DASHED = frozenset(
    """node nodejs npm python python3 python2 pip pip3 uv ruff mypy pyright poetry cargo rustc rustup go gofmt java
    javac ruby gem bundle perl php composer deno bun gcc g++ cc c++ clang clang++ make gmake cmake ninja
    docker podman tsc swift kotlin scala dotnet lua luajit ghc stack cabal elixir julia bash zsh fish sh git
    rg fd fdfind jq yq sed awk gawk grep find tar gzip curl wget ssh openssl sqlite3 psql mysql redis-cli vim
    nvim nano tmux less more bat htop top shellcheck shfmt hadolint kubectl helm aws gcloud az gh
    glab ansible nginx code ls cat sort sudo systemctl diff rsync zip unzip xz zstd ffmpeg convert pandoc
    protoc buf xcodebuild black""".split()
)
VERSION_OPTIONS = frozenset({"--version", "-V", "-version"})
SHORT_V = frozenset("node nodejs npm php ruby perl docker podman deno bun nginx go java openssl".split())
"""For these ``-v`` is the version; others begin to talk."""
WITH_WORD = {("go", "version"), ("openssl", "version"), *((name, "--help") for name in ("python", "python3", "node"))}


RUST = ("rust-toolchain", "rust-toolchain.toml")
CHOOSERS = {
    **dict.fromkeys(("cargo", "rustc", "rustup"), RUST),
    "go": ("go.mod", "go.work"),
    "dotnet": ("global.json",),
}
"""Programs that may be front ends; these files, there or above, choose which program they run or download."""


def tells_version(name: str, words: tuple[Word, ...], folder: Path | None) -> bool:
    """Whether it is called only to tell which version it is."""
    if len(words) != 1 or not is_literal(words[0]):
        return False
    if name in CHOOSERS and (folder is None or _is_chosen(folder, CHOOSERS[name])):
        return False
    text = words[0].head
    if (name, text) in WITH_WORD:
        return True
    return name in DASHED and (text in VERSION_OPTIONS or (text == "-v" and name in SHORT_V))


def _is_chosen(folder: Path, names: tuple[str, ...]) -> bool:
    real = folder.resolve()
    folders = {folder, *folder.parents, real, *real.parents}
    return any((each / name).exists() for each in folders for name in names)
