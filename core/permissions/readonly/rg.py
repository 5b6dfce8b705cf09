"""ripgrep: ``--pre``, ``--hostname-bin`` and ``--search-zip`` start programs and are not among its options here."""

from __future__ import annotations

from core.permissions.readonly.grammar import Grammar, Parsed
from core.permissions.readonly.look import Look, names_secret

LONG = (
    "regexp: file< after-context: before-context: context: context-separator: no-context-separator ignore-case "
    "case-sensitive smart-case fixed-strings word-regexp line-regexp invert-match count count-matches "
    "files-with-matches files-without-match files only-matching quiet no-messages line-number no-line-number "
    "with-filename no-filename heading no-heading column no-column color: colors: null null-data text binary "
    "no-binary "
    "glob: iglob: glob-case-insensitive type: type-not: type-add: type-list type-clear: hidden no-hidden no-ignore "
    "ignore "
    "no-ignore-vcs no-ignore-parent no-ignore-dot no-ignore-global no-ignore-exclude no-ignore-files "
    "no-ignore-messages "
    "no-require-git ignore-file< unrestricted follow no-follow max-depth: maxdepth: max-count: max-columns: "
    "max-columns-preview max-filesize: multiline no-multiline multiline-dotall pcre2 no-pcre2 engine: "
    "auto-hybrid-regex "
    "replace: passthru passthrough json vimgrep pretty sort: sortr: sort-files stats no-stats trim no-trim "
    "byte-offset crlf "
    "threads: mmap no-mmap one-file-system path-separator: print0 encoding: no-config no-unicode unicode include-zero "
    "dfa-size-limit: regex-size-limit: line-buffered block-buffered no-pre no-search-zip debug stop-on-nonmatch help "
    "version pcre2-version field-context-separator: field-match-separator: hyperlink-format:"
)


def check(look: Look, parsed: Parsed) -> None:
    """With ``--files`` the first operand is a folder, too."""
    if parsed.has("--files", "--type-list") and parsed.operands:
        look.read(parsed.operands[0], names_only=True)
    for word in parsed.given("-g", "--glob", "--iglob", "--type-add"):
        text = (word.value or word.head + "*").rpartition(":")[2]
        if not text.startswith("!") and names_secret(text):
            look.reveal(f"{text} may match files that hold secrets")


GRAMMAR = Grammar(
    short="e:f<A:B:C:isSFwxvclLoqnNHIpg:t:T:.uPUM:m:d:r:abj:0hVE:",
    long=LONG,
    operands="pattern",
    pattern_options=("-e", "-f", "--regexp", "--file"),
    check=check,
)
