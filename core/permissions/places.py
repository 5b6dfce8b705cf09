"""Names of protected and of secret places: tables, and the matching of a path by its names alone.

The protected ones are those that Claude Code documents as never approved beforehand (permission-modes: protected
paths), with what the advisories on agents since then have added: other agents' folders, credentials, what runs at
login, what Python runs when it starts. The secret ones are where the documentation of each tool says that it keeps
keys, tokens or what was typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Places that are protected for one reason, all in small letters."""

    reason: str
    folders: frozenset[str] = frozenset()
    """With all that is in them, at any depth."""
    pairs: Pairs = frozenset()
    """Folders or files that mean something only in a certain other folder."""
    files: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> Pairs:
    return frozenset((first, second) for first, _, second in (pair.partition("/") for pair in text.split()))


CREDENTIALS = Kind(
    "credentials are kept there",
    _words(".ssh .gnupg .aws .azure .kube .password-store .oci"),
    _pairs(
        "share/keyrings library/keychains etc/shadow etc/shadow- etc/gshadow etc/gshadow- etc/master.passwd "
        ".config/gh .config/glab-cli .config/gcloud .config/op .config/rclone .config/doctl .config/sops "
        ".docker/config.json .cargo/credentials .cargo/credentials.toml .gem/credentials .m2/settings-security.xml"
    ),
    _words(".netrc _netrc .pypirc .pgpass .git-credentials .dockercfg .vault-token .my.cnf .mylogin.cnf"),
)
"""What is there is protected, and secret too."""

KINDS = (
    CREDENTIALS,
    Kind(
        "git runs or obeys what is there",
        _words(".git"),
        _pairs(".config/git"),
        _words(".gitmodules .gitconfig .gitattributes"),
    ),
    Kind(
        "a shell or another program runs it when it starts",
        pairs=_pairs(".config/fish .config/nushell .config/environment.d etc/profile etc/profile.d etc/bash.bashrc"),
        files=_words(
            ".bashrc .bash_profile .bash_login .bash_aliases .bash_logout .profile .zshrc .zshenv .zprofile .zlogin "
            ".zlogout .kshrc .cshrc .tcshrc .login .logout .envrc .inputrc .xprofile .xinitrc .xsession .xsessionrc "
            ".pam_environment .vimrc .exrc .nvim.lua .gdbinit .lldbinit .pdbrc .irbrc .tmux.conf .screenrc .curlrc "
            ".wgetrc .ripgreprc"
        ),
    ),
    Kind(
        "it steers this program",
        _words(".agent-tui .agents"),
        _pairs(".config/agent-tui share/agent-tui state/agent-tui .cache/agent-tui logs/agent-tui")
        | {("application support", "agent-tui")},
        _words("claude.md agents.md claude.local.md agents.local.md"),
    ),
    Kind(
        "another agent or an editor runs or obeys it",
        _words(
            ".claude .cursor .gemini .codex .vscode .idea .devcontainer .windsurf .continue .opencode .zed .fleet .kiro"
        ),
        files=_words(".mcp.json .claude.json .devcontainer.json opencode.json pyrightconfig.json"),
    ),
    Kind(
        "it runs when something is committed",
        _words(".husky"),
        files=_words(
            "lefthook.yml lefthook.yaml .lefthook.yml .lefthook.yaml lefthook-local.yml lefthook-local.yaml "
            ".pre-commit-config.yaml .pre-commit-config.yml"
        ),
    ),
    Kind(
        "a package manager or build tool runs or obeys it",
        _words(".yarn .cargo .mvn .pip .bundle"),
        _pairs(".config/pip .config/uv .gradle/init.gradle .gradle/init.d .gradle/gradle.properties .m2/settings.xml"),
        _words(
            ".npmrc .yarnrc .yarnrc.yml .pnp.cjs .pnp.loader.mjs .pnpmfile.cjs .pnpmfile.mjs bunfig.toml .bunfig.toml "
            ".bazelrc .bazelversion .bazeliskrc gradle-wrapper.properties maven-wrapper.properties"
        ),
    ),
    Kind(
        "it runs at login or at set times",
        pairs=_pairs(
            "library/launchagents library/launchdaemons .config/autostart .config/autostart-scripts .config/systemd "
            ".config/upstart .local/bin spool/cron spool/at etc/crontab etc/crontabs etc/cron.d etc/cron.hourly "
            "etc/cron.daily etc/cron.weekly etc/cron.monthly etc/systemd etc/init.d etc/ld.so.preload etc/sudoers "
            "etc/sudoers.d etc/passwd etc/xdg"
        ),
    ),
    Kind("Python runs it when it starts", files=_words("sitecustomize.py usercustomize.py")),
)

PROTECTED_FOLDERS = frozenset(name for kind in KINDS for name in kind.folders)
PROTECTED_FILES = frozenset(name for kind in KINDS for name in kind.files)
PROTECTED_PAIRS = frozenset(pair for kind in KINDS for pair in kind.pairs)

UNPROTECTED_PAIR = (".claude", "worktrees")
"""Where other checkouts are kept: ordinary files, but for what is protected among them by its own name."""

PACKAGES = _words("site-packages dist-packages")
"""Python runs every ``*.pth`` in these."""

IGNORABLE = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF))
"""Characters that HFS+ passes over in a name: the list of git's ``next_hfs_char``."""

SHORT = re.compile(r"(?P<base>[^.~]{1,6})~\d(?:\.[^.]{0,3})?")
"""A name of eight and three characters, as Windows file systems make them beside long ones."""

HASHED_SHORT = _words("gi7eba~1 gi7d29~1")
"""``.gitmodules`` and ``.gitattributes`` where there are many names alike: the list of git's ``is_ntfs_dot_str``."""


def folded(name: str) -> str:
    """A name as the most forgiving file system reads it: no case, no invisible characters, composed letters, nothing
    after a colon, no blanks or dots at the end."""
    plain = unicodedata.normalize("NFC", name.translate(IGNORABLE)).casefold()
    return plain.partition(":")[0].rstrip(" .") or plain


def _short(name: str) -> str:
    """What stands before ``~1`` in the short form of a name."""
    stem, dot, _ = name.lstrip(".").rpartition(".")
    return (stem if dot else name.lstrip(".")).replace(".", "")[:6]


_SHORT_FOLDERS = frozenset(_short(name) for kind in KINDS for name in kind.folders if name.startswith("."))
_SHORT_FILES = frozenset(_short(name) for kind in KINDS for name in kind.files)


def why_protected_name(path: Path) -> str:
    """The reason why a write to this path is dangerous, by its names; empty where there is none."""
    parts = [folded(part) for part in path.parts]
    if not parts:
        return ""
    pairs = set(pairwise(parts))
    names = {
        first for first, second in zip(parts, [*parts[1:], ""], strict=True) if (first, second) != UNPROTECTED_PAIR
    }
    for kind in KINDS:
        if not kind.folders.isdisjoint(names) or not kind.pairs.isdisjoint(pairs) or parts[-1] in kind.files:
            return kind.reason
    if any(_is_short(part, _SHORT_FOLDERS) for part in parts) or _is_short(parts[-1], _SHORT_FILES):
        return "it is another name of a protected place on Windows file systems"
    if parts[-1].endswith(".pth") and not PACKAGES.isdisjoint(parts):
        return "Python runs it when it starts"
    return ""


def _is_short(part: str, bases: frozenset[str]) -> bool:
    match = SHORT.fullmatch(part)
    return match is not None and (match["base"] in bases or part in HASHED_SHORT)


# Secrets

SECRET_FILES = CREDENTIALS.files | _words(
    "credentials credentials.json .credentials.json credentials.toml credentials.tfrc.json .terraformrc .htpasswd "
    "kubeconfig .boto .s3cfg .s3curl .env application_default_credentials.json key3.db key4.db cookies.sqlite "
    "secrets.yml secrets.yaml secrets.json secrets.toml secrets.env "
    ".bash_history .zsh_history .zhistory .sh_history .ksh_history .history .python_history .node_repl_history "
    ".psql_history .mysql_history .sqlite_history .rediscli_history .irb_history fish_history "
    ".vault_pass .vault_pass.txt .envrc .curlrc .wgetrc"
)
SECRET_PAIRS = CREDENTIALS.pairs | _pairs(
    ".m2/settings.xml .codex/auth.json .config/hub pip/pip.conf .pip/pip.conf containers/auth.json .subversion/auth "
    "run/secrets ssl/private etc/sudoers etc/sudoers.d .git/config"
)
SECRET_ENDS = tuple(".pem .key .p12 .pfx .jks .keystore .ppk .kdbx .tfvars .tfstate .secret .secrets".split())
KEY_BEGINNINGS = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss")
JSON_KEY_BEGINNINGS = ("client_secret", "service-account", "service_account", "serviceaccount")
HOME_SECRETS = _words(".npmrc .yarnrc.yml .claude.json .condarc .gemrc")
"""Beside settings these hold a token where they are the user's own; in a project they rarely do."""
HARMLESS_ENDS = tuple(".example .sample .template .dist .defaults .pub .md .rst".split())
HARMLESS_PARTS = (".example.", ".sample.", ".template.")
"""Of a file that shows what the secret one would look like, and of the public half of a key."""
SOURCE_ENDS = tuple(".py .js .ts .go .rs .rb .java .c .h .cpp .cs .sh".split())
"""Code about keys is no key: ``id_rsa_test.go``."""
PROCESS_SECRETS = _words("environ mem auxv")
"""What ``/proc`` shows of the inside of a process."""


def why_secret_name(path: Path, home: Path) -> str:
    """The reason why a read of this path may show a secret, by its names; empty where there is none."""
    parts = [folded(part) for part in path.parts]
    if not parts:
        return ""
    name = parts[-1]
    if not CREDENTIALS.folders.isdisjoint(parts) or not SECRET_PAIRS.isdisjoint(pairwise(parts)):
        return "" if name.endswith(".pub") else CREDENTIALS.reason
    if path.parts[:2] == ("/", "proc"):
        return "it shows what a process keeps in memory" if name in PROCESS_SECRETS else ""
    if name.endswith(HARMLESS_ENDS) or any(part in name for part in HARMLESS_PARTS):
        return ""
    is_secret = (
        name in SECRET_FILES
        or name.startswith(".env.")
        or name.endswith(SECRET_ENDS)
        or (name.startswith("ssh_host_") and name.endswith("_key"))
        or (name.startswith(KEY_BEGINNINGS) and not name.endswith(SOURCE_ENDS))
        or (name.startswith(JSON_KEY_BEGINNINGS) and name.endswith(".json"))
        or (name in HOME_SECRETS and path.parent == home)
    )
    return "it may hold secrets" if is_secret else ""
