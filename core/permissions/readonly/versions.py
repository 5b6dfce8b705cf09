"""Programs asked for nothing but their version."""

from __future__ import annotations

from core.permissions.readonly.options import is_literal
from core.permissions.shell.script import Word

DASHED = frozenset(
    """node nodejs npm python python3 python2 pip pip3 uv ruff mypy pyright poetry cargo rustc rustup go gofmt java
    javac ruby gem bundle perl php composer deno bun gcc g++ cc c++ clang clang++ make gmake cmake ninja
    docker podman tsc swift kotlin scala dotnet lua luajit ghc stack cabal elixir julia bash zsh fish sh git
    rg fd fdfind jq yq sed awk gawk grep find tar gzip curl wget ssh openssl sqlite3 psql mysql redis-cli vim
    nvim nano tmux less more bat htop top shellcheck shfmt hadolint terraform kubectl helm aws gcloud az gh
    glab ansible nginx code ls cat sort sudo systemctl diff rsync zip unzip xz zstd ffmpeg convert pandoc
    protoc buf xcodebuild black""".split()
)
VERSION_OPTIONS = frozenset({"--version", "-V", "-version"})
SHORT_V = frozenset("node nodejs npm php ruby perl docker podman deno bun nginx go java openssl".split())
"""For these ``-v`` is the version; others begin to talk."""
WITH_WORD = {("go", "version"), ("openssl", "version"), *((name, "--help") for name in ("python", "python3", "node"))}


def tells_version(name: str, words: tuple[Word, ...]) -> bool:
    """Whether it is called only to tell which version it is."""
    if len(words) != 1 or not is_literal(words[0]):
        return False
    text = words[0].head
    if (name, text) in WITH_WORD:
        return True
    return name in DASHED and (text in VERSION_OPTIONS or (text == "-v" and name in SHORT_V))
