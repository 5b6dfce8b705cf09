"""The programs that show files, with every option of theirs that is known to be harmless.

What is not here is left out on purpose: options that write a file, start a program or choose a folder for temporary
files. Sources: the manuals of coreutils 9, grep 3, util-linux 2.38 and binutils 2.40.
"""

from __future__ import annotations

from dataclasses import replace

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look, names_secret
from core.permissions.readonly.options import literal


def _looks(short: str = "", long: str = "", *, has_numbers: bool = False, names_only: bool = False) -> Grammar:
    """A program that shows files, none of whose options can do harm."""
    long = f"{long} help version"
    return Grammar(short=short, long=long, is_harmless=True, has_numbers=has_numbers, names_only=names_only)


def _need(parsed: Parsed, *names: str) -> None:
    if not parsed.has(*names):
        raise NotReadOnlyError(f"it only reads with {names[0]}")


def _unzip(_look: Look, parsed: Parsed) -> None:
    _need(parsed, "-l", "-p", "-Z", "-t", "-v", "-c")


def _decompress(look: Look, parsed: Parsed) -> None:
    looks = parsed.has("-l", "--list", "-t", "--test") and not parsed.has("-d", "--decompress", "--uncompress")
    shows = parsed.has("-c", "--stdout", "--to-stdout") or looks
    if not shows and parsed.operands:
        raise NotReadOnlyError(f"{look.command.name} replaces the file; with -c it only shows it")


def _bat(_look: Look, parsed: Parsed) -> None:
    if parsed.operands and parsed.operands[0].value == "cache":
        raise NotReadOnlyError("bat cache changes its cache")
    if any(word.value != "never" for word in parsed.given("--paging")):
        raise NotReadOnlyError("bat starts a pager")


def _jar(look: Look, parsed: Parsed) -> None:
    if not parsed.operands or parsed.operands[0].value not in ("tf", "tvf"):
        raise NotReadOnlyError("jar only lists with tf")
    for word in parsed.operands[1:2]:
        look.read(word)


def _ar(look: Look, parsed: Parsed) -> None:
    if not parsed.operands or parsed.operands[0].value not in ("t", "tv", "p", "pv"):
        raise NotReadOnlyError("ar only reads with t or p")
    for word in parsed.operands[1:2]:
        look.read(word)


def _grep(look: Look, parsed: Parsed) -> None:
    # Of ``--include=*.py`` bash knows only when it runs that no file is meant.
    unsure = [word for word in parsed.operands if word.head.startswith("-")]
    texts = [word.value or word.head + "*" for word in parsed.given("--include")]
    texts += [word.source.partition("=")[2] for word in unsure if word.head.startswith("--include")]
    for text in filter(names_secret, texts):
        look.reveal(f"{text} may match files that hold secrets")
    has_pattern = parsed.has("-e", "-f", "--regexp", "--file")
    is_recursive = parsed.has("-r", "-R", "--recursive", "--dereference-recursive")
    if is_recursive and len(parsed.operands) - len(unsure) == (not has_pattern):
        look.read(literal("."))


def _tree(look: Look, parsed: Parsed) -> None:
    if parsed.has("--fromfile"):
        for word in parsed.operands:
            look.read(word)


CHECKSUM = _looks("bctwz", "binary check text tag zero ignore-missing quiet status strict warn")
"""``-c`` reads the files that a list of sums names, and tells only whether they are the same."""

GREP_SHORT = "EFGPe:f<ivywxcLlqsbHhnTZzA:B:C:aIrRUm:oD:d:u"
GREP_LONG = (
    "extended-regexp fixed-strings basic-regexp perl-regexp regexp: file< ignore-case no-ignore-case invert-match "
    "word-regexp line-regexp count color? colour? files-without-match files-with-matches max-count: only-matching "
    "quiet silent no-messages byte-offset with-filename no-filename label: line-number initial-tab null null-data "
    "after-context: before-context: context: text binary-files: devices: directories: exclude: exclude-from< "
    "exclude-dir: include: recursive dereference-recursive line-buffered binary unix-byte-offsets"
)
GREP = Grammar(
    short=GREP_SHORT,
    long=GREP_LONG + " help version",
    operands="pattern",
    is_harmless=True,
    has_numbers=True,
    pattern_options=("-e", "-f", "--regexp", "--file"),
    check=_grep,
)
DECOMPRESS = Grammar(short="cdfkqvlthLVnN", long="stdout to-stdout decompress uncompress keep quiet verbose list test")

FILES: dict[str, Grammar] = {
    "ls": _looks(
        "aAbBcCdDfFgGhHikI:lLmnNopqQrRsStT:uUvw:xXZ1",
        "all almost-all author escape block-size: ignore-backups color? directory dired classify? file-type format: "
        "full-time group-directories-first no-group human-readable si dereference-command-line inode hide: "
        "dereference-command-line-symlink-to-dir hyperlink? indicator-style: ignore: kibibytes dereference "
        "numeric-uid-gid literal hide-control-chars show-control-chars quote-name quoting-style: reverse recursive "
        "size sort: time: time-style: tabsize: width: context zero",
        names_only=True,
    ),
    "dir": _looks("aAbBcCdfFgGhHiklLmnopqQrRsStuUvxX1", "all almost-all color? human-readable", names_only=True),
    "vdir": _looks("aAbBcCdfFgGhHiklLmnopqQrRsStuUvxX1", "all almost-all color? human-readable", names_only=True),
    "tree": Grammar(
        short="adfxL:P:I:lCAnNqDpugshirtcvUSJXFQQ",
        long="dirsfirst filesfirst noreport matchdirs ignore-case prune filelimit: sort: du si timefmt: inodes device "
        "gitignore charset: fromfile metafirst info help version",
        names_only=True,
        check=_tree,
    ),
    "cat": _looks("AbeEnstTuv", "show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting"),
    "tac": _looks("brs:", "before regex separator:"),
    "head": _looks("c:n:qvz", "bytes: lines: quiet silent verbose zero-terminated", has_numbers=True),
    "tail": _looks(
        "c:n:qvzfFs:",
        "bytes: lines: quiet silent verbose zero-terminated pid: sleep-interval: max-unchanged-stats:",
        has_numbers=True,
    ),
    "wc": _looks("cmlLw", "bytes chars lines max-line-length words files0-from< total:", names_only=True),
    "nl": _looks(
        "b:d:f:h:i:l:n:ps:v:w:",
        "body-numbering: section-delimiter: footer-numbering: header-numbering: line-increment: join-blank-lines: "
        "number-format: no-renumber number-separator: starting-line-number: number-width:",
    ),
    "rev": _looks("", ""),
    "cut": _looks(
        "b:c:d:f:nsz",
        "bytes: characters: delimiter: fields: complement only-delimited output-delimiter: zero-terminated",
    ),
    "paste": _looks("d:sz", "delimiters: serial zero-terminated"),
    "comm": _looks("123z", "check-order nocheck-order output-delimiter: total zero-terminated"),
    "join": _looks(
        "a:e:i1:2:j:o:t:v:z", "ignore-case check-order nocheck-order header zero-terminated", has_numbers=False
    ),
    "fold": _looks("bsw:", "bytes spaces width:"),
    "fmt": _looks(
        "cp:stug:w:",
        "crown-margin prefix: split-only tagged-paragraph uniform-spacing goal: width:",
        has_numbers=True,
    ),
    "column": _looks(
        "tJc:s:o:N:R:T:H:O:W:l:n:dLxre",
        "table json columns: separator: output-separator: output-width: table-columns: table-right: table-truncate: "
        "table-hide: table-order: table-wrap: table-name: table-noheadings table-noextreme: table-header-repeat "
        "keep-empty-lines fillrows",
    ),
    "expand": _looks("it:", "initial tabs:", has_numbers=True),
    "unexpand": _looks("at:", "all first-only tabs:"),
    "od": _looks(
        "A:j:N:S:t:vw?abcdfhilosxe",
        "address-radix: skip-bytes: read-bytes: strings? format: output-duplicates width? endian:",
    ),
    "hexdump": _looks("bcCde:f<n:os:vx", "canonical length: skip: no-squeezing one-byte-octal one-byte-char"),
    "hd": _looks("bcCde:f<n:os:vx"),
    "strings": _looks("afn:t:e:ows:", "all print-file-name bytes: radix: encoding: data", has_numbers=True),
    "cmp": _looks("bi:ln:s", "print-bytes ignore-initial: verbose bytes: quiet silent"),
    "cksum": _looks("a:zb", "algorithm: length: zero raw base64 untagged check warn status strict quiet"),
    "sum": _looks("rs", "sysv"),
    **dict.fromkeys(("md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum"), CHECKSUM),
    "shasum": _looks("a:bctpUq", "algorithm: binary check text portable"),
    "stat": _looks("Lfc:t", "dereference file-system format: printf: terse cached:", names_only=True),
    "du": _looks(
        "0aAB:bcdDd:hHklLmPsSt:xX<",
        "null all apparent-size block-size: bytes total dereference-args max-depth: human-readable inodes "
        "dereference no-dereference separate-dirs si summarize threshold: time? time-style: exclude-from< exclude: "
        "one-file-system files0-from<",
        names_only=True,
    ),
    "df": _looks(
        "aB:hHiklPt:Tx:",
        "all block-size: human-readable si inodes local no-sync output? portability total type: print-type "
        "exclude-type:",
        names_only=True,
    ),
    "realpath": _looks(
        "eEmLPqsz",
        "canonicalize-existing canonicalize-missing logical physical quiet relative-to: relative-base: strip "
        "no-symlinks zero",
        names_only=True,
    ),
    "readlink": _looks(
        "femnqsvz",
        "canonicalize canonicalize-existing canonicalize-missing no-newline quiet silent verbose zero",
        names_only=True,
    ),
    "file": Grammar(
        short="bcEF:hikLlNnrsv0e:P:",
        long="brief checking-printout exclude: exclude-quiet: extension separator: no-dereference mime mime-type "
        "mime-encoding keep-going list dereference no-pad no-buffer print0 parameter: raw special-files "
        "apple debug help version",
        names_only=True,
    ),
    "diff": _looks(
        "qscC:uU:enyplW:tTrNx:X<S:iEZbwBI:aF:dHD:",
        "normal brief report-identical-files context? unified? ed rcs side-by-side width: left-column "
        "suppress-common-lines show-c-function show-function-line: label: expand-tabs initial-tab tabsize: "
        "suppress-blank-empty recursive no-dereference new-file unidirectional-new-file ignore-file-name-case "
        "no-ignore-file-name-case exclude: exclude-from< starting-file: from-file< to-file< ignore-case "
        "ignore-tab-expansion ignore-trailing-space ignore-space-change ignore-all-space ignore-blank-lines "
        "ignore-matching-lines: text strip-trailing-cr ifdef: minimal horizon-lines: speed-large-files color? "
        "palette: line-format: old-line-format: new-line-format: unchanged-line-format: group-format:",
        has_numbers=True,
    ),
    "diff3": Grammar(short="AeE3xXimaTL:", long="show-all ed show-overlap easy-only merge text label: help version"),
    "sdiff": Grammar(
        short="iEZbWBI:aw:ltdHs",
        long="ignore-case ignore-space-change ignore-all-space ignore-blank-lines text width: left-column "
        "suppress-common-lines expand-tabs minimal help version",
    ),
    "colordiff": Grammar(short="uU:rqNwbBiyW:", long="unified? brief recursive color?"),
    "zcat": _looks("fhLVqvS:l", "force list quiet verbose"),
    "gzcat": _looks("f", ""),
    **dict.fromkeys(("bzcat", "xzcat", "lzcat", "zstdcat", "lz4cat"), Grammar(short="fkqvs", long="quiet verbose")),
    **dict.fromkeys(("grep", "egrep", "fgrep"), GREP),
    **dict.fromkeys(("zgrep", "zegrep", "zfgrep", "bzgrep", "xzgrep"), replace(GREP, is_harmless=False)),
    "ag": Grammar(
        short="A:B:C:acDfFgG:HhiLlm:nopQRrsStuUvwz0",
        long="after? before? context? ackmate all-types all-text column color nocolor count depth: files-with-matches "
        "files-without-matches filename nofilename group nogroup heading noheading hidden ignore: ignore-case "
        "ignore-dir: literal max-count: numbers nonumbers only-matching print-long-lines passthrough silent "
        "case-sensitive smart-case stats unrestricted vimgrep invert-match word-regexp width: null follow nopager "
        "python js ts html css json java ruby rust go cpp cc markdown shell yaml xml",
        operands="pattern",
        has_numbers=True,
    ),
    "ack": Grammar(
        short="A:B:C:cfg:hHilLm:nosvwxQ1",
        long="after-context: before-context: context: count color nocolor nocolour colour column files-with-matches "
        "files-without-matches group nogroup heading noheading ignore-case literal max-count: no-filename "
        "with-filename invert-match word-regexp noenv nopager ignore-dir: type: python js perl html css json java "
        "ruby rust go cpp cc",
        operands="pattern",
    ),
    "readelf": _looks(
        "aAcdDegGhHIlLnNrsSStTuvVWzx:p:R:",
        "all file-header program-headers segments section-headers sections section-groups section-details headers "
        "syms symbols dyn-syms notes relocs unwind dynamic version-info arch-specific use-dynamic hex-dump: "
        "string-dump: relocated-dump: decompress archive-index histogram wide demangle? lto-syms",
    ),
    "objdump": Grammar(
        short="aDdfghij:lM:prRsStTxzwC?",
        long="archive-headers file-headers private-headers headers section-headers all-headers disassemble? "
        "disassemble-all source full-contents debugging syms dynamic-syms reloc dynamic-reloc section: demangle? wide "
        "line-numbers no-show-raw-insn start-address: stop-address: disassembler-options: help version",
    ),
    "nm": Grammar(
        short="aABCDef:gjlnopPrsSt:uvVX:",
        long="debug-syms print-file-name demangle? dynamic extern-only format: line-numbers numeric-sort no-sort "
        "portability print-size print-armap reverse-sort defined-only undefined-only size-sort radix: help version",
    ),
    "size": Grammar(short="ABdoxtG", long="format: radix: common totals help version"),
    "unzip": Grammar(short="lpZ1tvqcCa", check=_unzip),
    "zipinfo": Grammar(short="12smlvhtTzC"),
    **dict.fromkeys(
        ("bat", "batcat"),
        Grammar(
            short="pAnl:r:H:m:u",
            long="plain show-all number language: line-range: highlight-line: color: decorations: paging: style: wrap: "
            "tabs: "
            "theme: terminal-width: list-languages list-themes file-name: diff version",
            check=_bat,
        ),
    ),
    **dict.fromkeys(
        ("eza", "exa", "lsd"),
        Grammar(
            short="1laTRrs:L:dFghimuSBbtHI:xAD",
            long="all long tree recurse level: git icons? header sort: reverse only-dirs group-directories-first "
            "color? colour? oneline grid git-ignore ignore-glob: classify time-style: no-user no-permissions no-time",
            names_only=True,
        ),
    ),
    "iconv": Grammar(short="f:t:lcs", long="from-code: to-code: list silent help version"),
    "xmllint": Grammar(long="noout format xpath: nonet nowarning huge version"),
    "jar": Grammar(operands="text", check=_jar),
    "ar": Grammar(operands="text", check=_ar),
    **dict.fromkeys(
        ("gunzip", "gzip", "bzip2", "bunzip2", "xz", "unxz", "zstd", "unzstd"),
        Grammar(short=DECOMPRESS.short, long=DECOMPRESS.long, check=_decompress),
    ),
}
