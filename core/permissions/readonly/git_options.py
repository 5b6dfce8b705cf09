"""The options of git's reading subcommands that are known to be harmless (git 2.39 to 2.51).

Left out on purpose: ``--output`` writes, ``--ext-diff`` and ``--textconv`` run what the repository names,
``--open-files-in-pager`` runs a pager, ``--show-signature`` runs gpg, ``--filter`` may fetch.
"""

from __future__ import annotations

from core.permissions.readonly.grammar import Grammar

DIFF_SHORT = "puU:sRabwWzB?M?C?D?l:S:G:O<X?"
DIFF_LONG = (
    "patch no-patch unified: output-indicator-new: output-indicator-old: output-indicator-context: raw "
    "patch-with-raw indent-heuristic no-indent-heuristic minimal patience histogram anchored: diff-algorithm: stat? "
    "compact-summary numstat shortstat dirstat? cumulative dirstat-by-file? summary patch-with-stat name-only "
    "name-status submodule? color? no-color color-moved? no-color-moved color-moved-ws: no-color-moved-ws word-diff? "
    "word-diff-regex: color-words? no-renames rename-empty no-rename-empty check ws-error-highlight: full-index "
    "binary abbrev? no-abbrev break-rewrites? find-renames? find-copies? find-copies-harder irreversible-delete "
    "diff-filter: find-object: pickaxe-all pickaxe-regex skip-to: rotate-to: relative? no-relative text "
    "ignore-cr-at-eol ignore-space-at-eol ignore-space-change ignore-all-space ignore-blank-lines "
    "ignore-matching-lines: inter-hunk-context: function-context exit-code quiet no-ext-diff no-textconv "
    "ignore-submodules? src-prefix: dst-prefix: no-prefix default-prefix line-prefix: ita-invisible-in-index "
    "stat-width: stat-name-width: stat-graph-width: stat-count: diff-merges: no-diff-merges combined-all-paths "
    "cc dd"
)
REVISIONS_SHORT = "n:iEFPgm"
REVISIONS_LONG = (
    "max-count: skip: since: after: until: before: author: committer: grep-reflog: grep: all-match invert-grep "
    "regexp-ignore-case basic-regexp extended-regexp fixed-strings perl-regexp remove-empty merges no-merges "
    "min-parents: max-parents: no-min-parents no-max-parents first-parent exclude-first-parent-only not all branches? "
    "tags? remotes? glob: exclude: exclude-hidden: reflog alternate-refs single-worktree ignore-missing bisect "
    "cherry-mark cherry-pick left-only right-only cherry walk-reflogs merge boundary simplify-by-decoration "
    "show-pulls full-history dense sparse simplify-merges ancestry-path? date-order author-date-order topo-order "
    "reverse no-walk? do-walk since-as-filter: use-bitmap-index left-right count maximal-only"
)
PRETTY_LONG = (
    "pretty? format: abbrev-commit no-abbrev-commit oneline encoding: expand-tabs? no-expand-tabs notes? no-notes "
    "show-notes? standard-notes no-standard-notes relative-date date: parents children graph no-graph "
    "show-linear-break? follow no-decorate decorate? decorate-refs: decorate-refs-exclude: clear-decorations source "
    "mailmap no-mailmap use-mailmap no-use-mailmap full-diff log-size"
)
LOG_SHORT = DIFF_SHORT + REVISIONS_SHORT + "ctqL:"
LOG_LONG = f"{DIFF_LONG} {REVISIONS_LONG} {PRETTY_LONG}"
REFS_LONG = (
    "count: sort: format: color? points-at: merged? no-merged? contains? no-contains? ignore-case omit-empty "
    "include-root-refs exclude: stdin"
)


def _text(short: str = "", long: str = "", *, has_numbers: bool = False, most: int | None = None) -> Grammar:
    return Grammar(short=short, long=long, operands="text", has_numbers=has_numbers, most=most)


LOG = _text(LOG_SHORT, LOG_LONG, has_numbers=True)
DIFF = _text(DIFF_SHORT + "123c0q", DIFF_LONG + " cached staged merge-base no-index base ours theirs")
GREP_SHORT = "aiIrvwhHEGFPnlLzocpe:f<A:B:C:Wqm:"

SUBCOMMANDS: dict[str, Grammar] = {
    "status": _text(
        "sbvu?zM?",
        "short branch no-branch show-stash porcelain? long verbose untracked-files? ignore-submodules? ignored? "
        "column? "
        "no-column ahead-behind no-ahead-behind renames no-renames find-renames? null",
    ),
    "diff": DIFF,
    "log": LOG,
    "show": LOG,
    "shortlog": _text(
        LOG_SHORT + "snew?", f"{REVISIONS_LONG} numbered summary email group: format: date: committer", has_numbers=True
    ),
    "rev-list": _text(
        LOG_SHORT,
        f"{REVISIONS_LONG} {PRETTY_LONG} objects objects-edge objects-edge-aggressive unpacked header timestamp "
        "no-object-names object-names quiet disk-usage? bisect-vars bisect-all count commit-header no-commit-header",
        has_numbers=True,
    ),
    "diff-tree": _text(LOG_SHORT + "rtsvm", f"{LOG_LONG} root no-commit-id always merge-base"),
    "diff-index": _text(DIFF_SHORT + "mc", f"{DIFF_LONG} cached merge-base"),
    "diff-files": _text(DIFF_SHORT + "q0123c", f"{DIFF_LONG} base ours theirs"),
    "range-diff": _text(DIFF_SHORT, f"{DIFF_LONG} creation-factor: no-dual-color left-only right-only"),
    "branch": _text(
        "avrlqi",
        f"{REFS_LONG} all verbose remotes list show-current quiet abbrev? no-abbrev column? no-column no-color",
    ),
    "tag": _text("ln?i", f"{REFS_LONG} list column? no-column"),
    "for-each-ref": _text("spt", f"{REFS_LONG} shell perl python tcl"),
    "show-ref": _text("dhqs?", "head heads branches tags dereference hash? verify quiet abbrev? exists"),
    "remote": _text("vn", "verbose all push"),
    "rev-parse": _text(
        "q",
        "parseopt sq sq-quote verify quiet short? symbolic symbolic-full-name abbrev-ref? all branches? tags? "
        "remotes? glob: exclude: "
        "disambiguate: revs-only no-revs flags no-flags default: prefix: git-dir absolute-git-dir git-common-dir "
        "show-toplevel show-superproject-working-tree show-prefix show-cdup is-inside-git-dir is-inside-work-tree "
        "is-bare-repository is-shallow-repository local-env-vars path-format: git-path: shared-index-path since: "
        "until: after: before: not show-object-format? show-ref-format",
    ),
    "ls-files": _text(
        "cdmosiukztvfx:X<",
        "cached deleted modified others stage ignored unmerged killed directory no-empty-directory eol deduplicate "
        "exclude: exclude-from< exclude-per-directory: exclude-standard error-unmatch full-name recurse-submodules "
        "abbrev? debug sparse format: resolve-undo with-tree:",
    ),
    "ls-tree": _text("drtlz", "long name-only name-status object-only full-name full-tree abbrev? format:"),
    "cat-file": _text(
        "tspe", "batch? batch-check? batch-all-objects buffer unordered follow-symlinks allow-unknown-type"
    ),
    "config": _text(
        "lz",
        "get get-all get-regexp get-urlmatch get-color get-colorbool list global system local worktree show-origin "
        "show-scope "
        "name-only type: bool int bool-or-int path expiry-date null includes no-includes default: all regexp "
        "value: url: "
        "fixed-value",
    ),
    "stash": _text(LOG_SHORT, f"{LOG_LONG} include-untracked only-untracked no-include-untracked", has_numbers=True),
    "worktree": _text("vz", "porcelain verbose"),
    "merge-base": _text("a", "all octopus independent is-ancestor fork-point"),
    "check-ignore": _text("qvnz", "quiet verbose stdin non-matching no-index"),
    "check-attr": _text("az", "all cached stdin"),
    "check-ref-format": _text("", "allow-onelevel no-allow-onelevel refspec-pattern normalize branch"),
    "check-mailmap": _text("", "stdin"),
    "hash-object": _text("t:", "stdin stdin-paths no-filters path: literally"),
    "var": _text("l"),
    "version": _text("", "build-options"),
    "grep": Grammar(
        short=GREP_SHORT,
        long="cached untracked no-index no-exclude-standard exclude-standard recurse-submodules text ignore-case "
        "recursive "
        "no-recursive max-depth: word-regexp invert-match full-name extended-regexp basic-regexp perl-regexp "
        "fixed-strings line-number column files-with-matches name-only files-without-match null only-matching count "
        "color? no-color break heading show-function function-context context: after-context: before-context: "
        "max-count: threads: and or not all-match quiet regexp:",
        operands="text",
        has_numbers=True,
    ),
    "blame": _text(
        "bltfnsewcpL:M?C?S<h",
        "root show-stats porcelain line-porcelain incremental encoding: date: abbrev: first-parent reverse "
        "ignore-rev: "
        "ignore-revs-file< color-lines color-by-age score-debug show-name show-number show-email minimal since:",
    ),
    "annotate": _text("bltfnsewpL:M?C?", "root date:"),
    "describe": _text(
        "",
        "dirty? broken? all tags contains abbrev: candidates: exact-match debug long match: exclude: always "
        "first-parent",
    ),
    "reflog": _text(LOG_SHORT, LOG_LONG, has_numbers=True),
    "name-rev": _text("", "tags refs: exclude: all name-only no-undefined always annotate-stdin stdin"),
    "cherry": _text("v", "verbose abbrev?"),
    "count-objects": _text("vH", "verbose human-readable"),
    "show-branch": _text(
        "ar",
        "all remotes topo-order date-order sparse current list merge-base independent "
        "no-name sha1-name topics color? no-color",
    ),
    "symbolic-ref": _text("q", "quiet short recurse no-recurse", most=1),
    "submodule": _text("q", "quiet recursive cached"),
    "notes": _text("", "ref:", most=2),
    "bisect": _text("", "", most=1),
    "get-tar-commit-id": _text("", most=0),
    "stripspace": _text("sc", "strip-comments comment-lines", most=0),
    "patch-id": _text("", "stable unstable verbatim", most=0),
    "column": _text("", "mode: width: indent: nl: padding:", most=0),
}
