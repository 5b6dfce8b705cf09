"""The programs that rework text or tell of the system, with every option of theirs that is known to be harmless.

What is not here is left out on purpose: options that write a file, set something, start a program or ask the network.
Sources: the manuals of coreutils 9, util-linux 2.38, procps 4 and iproute2 6.
"""

from __future__ import annotations

import re

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, Parsed
from core.permissions.readonly.look import Look


def _says(short: str = "", long: str = "") -> Grammar:
    """A program that tells of the system and takes no operands."""
    return Grammar(short=short, long=long + " help version", operands="none", is_harmless=True)


def _date(_look: Look, parsed: Parsed) -> None:
    for word in parsed.operands:
        if not word.head.startswith("+"):
            raise NotReadOnlyError("date with anything but a +FORMAT sets the clock")


def _getent(_look: Look, parsed: Parsed) -> None:
    known = {"passwd", "group", "services", "protocols", "shells", "rpc"}
    if not parsed.operands or parsed.operands[0].value not in known:
        raise NotReadOnlyError("getent may ask the network")


def _getconf(_look: Look, parsed: Parsed) -> None:
    if not all(re.fullmatch(r"\w+|/.*|\.", word.value or "") for word in parsed.operands):
        raise NotReadOnlyError("getconf of something unknown")


def _bc(_look: Look, parsed: Parsed) -> None:
    if parsed.operands:
        raise NotReadOnlyError("bc runs the programs in its files")


def _top(_look: Look, parsed: Parsed) -> None:
    if not parsed.has("-b"):
        raise NotReadOnlyError("top without -b waits for keys")


def _man(_look: Look, parsed: Parsed) -> None:
    if not parsed.has("-w", "-f", "-k", "--where", "--path"):
        raise NotReadOnlyError("man starts a pager")


def _sysctl(_look: Look, parsed: Parsed) -> None:
    if any("=" in (word.value or "=") for word in parsed.operands):
        raise NotReadOnlyError("sysctl sets what holds an equals sign")


def _without_names(_look: Look, parsed: Parsed) -> None:
    if not parsed.has("-n"):
        raise NotReadOnlyError("without -n it asks the network for names")


def _ps(look: Look, parsed: Parsed) -> None:
    taken = [option.argument for option in parsed.options]
    own = [word for word in look.words if not any(word is each for each in taken)]
    clusters = [word.head[1:].partition("o")[0] for word in own if re.match(r"-[^-]", word.head)]
    letters = "".join(clusters)
    # Where ps cannot make sense of dashed options it reads all anew as if they had no dash.
    is_retried = "e" in letters and (parsed.operands or re.search(r"[uUGgtpqsmC]|L.*T|T.*L", letters))
    if is_retried or not _are_plain_letters([word.value or "" if word.head[:1] != "-" else "-" for word in own]):
        look.reveal("ps e shows the environment of programs")


def _are_plain_letters(texts: list[str]) -> bool:
    """Whether the words of ps without a dash are process ids, or letters other than ``e``; of those ``o`` and ``k``
    take the next word."""
    texts = list(texts)
    while texts:
        text = texts.pop(0)
        if re.fullmatch(r"[acfghjlmnrsuvwxATXLSH]*[okpUt]", text):
            if not texts or texts.pop(0) in ("", "-"):
                return False
        elif not re.fullmatch(r"-|\d+(?:,\d+)*|[acfghjlmnrsuvwxATXLSH]+", text):
            return False
    return True


def _only(parsed: Parsed, words: str, name: str) -> None:
    if any(word.value not in words.split() for word in parsed.operands):
        raise NotReadOnlyError(f"{name} with these operands is not known to be harmless")


def _need(parsed: Parsed, *names: str) -> None:
    if not parsed.has(*names):
        raise NotReadOnlyError(f"it only reads with {names[0]}")


OTHERS: dict[str, Grammar] = {
    "sort": Grammar(
        short="bcCdfgik:hmMnrRst:uVz",
        long="ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting month-sort "
        "human-numeric-sort numeric-sort random-sort reverse sort: version-sort check? debug key: merge "
        "stable field-separator: parallel: unique zero-terminated files0-from< help version",
    ),
    "uniq": Grammar(
        short="cdDf:is:uw:z",
        long="count repeated all-repeated? skip-fields: group? ignore-case skip-chars: unique check-chars: "
        "zero-terminated help version",
        most=1,
        has_numbers=True,
    ),
    "tr": Grammar(
        short="cCdst", long="complement delete squeeze-repeats truncate-set1", operands="text", is_harmless=True
    ),
    "shuf": Grammar(
        short="ei:n:rz",
        long="echo input-range: head-count: repeat zero-terminated random-source< help version",
    ),
    "numfmt": Grammar(
        short="d:z",
        long="delimiter: field: format: from: from-unit: grouping header? invalid: padding: round: suffix: to: "
        "to-unit: zero-terminated debug help version",
        operands="text",
        is_harmless=True,
        has_numbers=True,
    ),
    "seq": Grammar(
        short="f:s:w", long="format: separator: equal-width", operands="text", is_harmless=True, has_numbers=True
    ),
    "bc": Grammar(short="lqsw", long="mathlib quiet standard warn version help", check=_bc),
    "factor": Grammar(operands="text", is_harmless=True),
    "base64": Grammar(short="dDiw:", long="decode ignore-garbage wrap: help version", most=1),
    "base32": Grammar(short="diw:", long="decode ignore-garbage wrap: help version", most=1),
    "xxd": Grammar(short="abc:dEeg:hil:n:o:pPrs:uv", most=1),
    "date": Grammar(
        short="d:f<I?Rr<u",
        long="date: file< iso-8601? rfc-email rfc-2822 rfc-3339: reference< utc universal debug help version",
        operands="text",
        check=_date,
    ),
    "cal": Grammar(short="13jmnsyYwA:B:", operands="text", is_harmless=True),
    "uptime": _says("ps", "pretty since"),
    "uname": _says(
        "asnrvmpio", "all kernel-name nodename kernel-release kernel-version machine processor operating-system"
    ),
    "arch": _says(),
    "nproc": _says("", "all ignore:"),
    "hostname": _says("sI", "short all-ip-addresses"),
    "whoami": _says(),
    "logname": _says(),
    "tty": _says("s", "silent quiet"),
    "groups": Grammar(operands="text", is_harmless=True),
    "id": Grammar(short="agGnruz", long="group groups name real user zero context", operands="text", is_harmless=True),
    "users": _says(),
    "who": _says("abdHlmpqrstTuw", "all boot dead heading login count runlevel message users"),
    "w": Grammar(short="hsfiou", operands="text", is_harmless=True),
    "last": Grammar(short="aFin:wxR", operands="text", has_numbers=True),
    "free": _says("bkmghltwvs:c:", "bytes kilo mega giga human lohi total wide si seconds: count: kibi mebi gibi"),
    "vmstat": Grammar(short="afmnsdDwS:t", operands="text"),
    "lscpu": _says("abceJpxy", "all online offline json parse? extended? hex physical"),
    "lsblk": Grammar(short="abdfJilmnOo:pPrStTxsz", long="all bytes json list nodeps fs output: paths raw noheadings"),
    "lsusb": _says("tv"),
    "lspci": _says("kmntv"),
    "lsmod": _says(),
    "lsof": Grammar(short="i?nPp:tu:c:as?", operands="files", check=_without_names),
    "pgrep": Grammar(
        short="acd:fg:G:ilnoP:s:t:u:U:vwx",
        long="list-name list-full delimiter: full pgroup: group: ignore-case newest oldest parent: session: terminal: "
        "euid: uid: inverse exact count help version",
        operands="text",
        is_harmless=True,
    ),
    "ps": Grammar(
        short="AaCdefFgGHjlLmMNno:O:p:qsStTu:U:vwxyZC:G:",
        long="no-headers headers forest sort: pid: ppid: user: format: cols: width: deselect help version",
        operands="text",
        check=_ps,
    ),
    "pidof": Grammar(short="sqcx", operands="text", is_harmless=True),
    "pstree": Grammar(short="aAcghlnpstTuUSZ", operands="text"),
    "top": Grammar(short="bcHin:d:o:p:u:w?1e:E:s", operands="none", check=_top),
    "ss": Grammar(
        short="tulnpaex4i6moswH",
        long="tcp udp listening numeric processes all extended summary ipv4 ipv6 unix raw no-header options memory "
        "info",
        operands="text",
        check=lambda _look, parsed: _only(parsed, "state listening established", "ss"),
    ),
    "netstat": Grammar(short="tulnpaeirsgc46", operands="none", check=_without_names),
    "ifconfig": Grammar(short="a", operands="text", most=1),
    "dmesg": _says(
        "HTkuxtPl:f:Le", "human ctime kernel userspace decode notime level: facility: color? reltime nopager"
    ),
    "sysctl": Grammar(short="anNeq", long="all names values", operands="text", check=_sysctl),
    "getent": Grammar(operands="text", check=_getent),
    "getconf": Grammar(short="a", operands="text", check=_getconf),
    "locale": Grammar(short="akmc", long="all-locales keyword-name", operands="text", is_harmless=True),
    "which": Grammar(short="as", long="all", operands="text", is_harmless=True),
    "whereis": Grammar(short="bmsul", operands="text"),
    "whatis": Grammar(operands="text"),
    "apropos": Grammar(operands="text"),
    "man": Grammar(short="wfka", long="where path all", operands="text", check=_man),
    "basename": Grammar(short="as:z", long="multiple suffix: zero", operands="text", is_harmless=True),
    "dirname": Grammar(short="z", long="zero", operands="text", is_harmless=True),
    "pathchk": Grammar(short="pP", long="portability", operands="text", is_harmless=True),
    "expr": Grammar(operands="text", is_harmless=True, is_ordered=True),
    "sleep": Grammar(operands="text", is_harmless=True),
    "yes": Grammar(operands="text", is_harmless=True),
    "tsort": Grammar(most=1),
    "tput": Grammar(operands="text", check=lambda _look, parsed: _only(parsed, "cols lines colors longname", "tput")),
    "dpkg-query": Grammar(short="lsWSLf:p", long="list status show search listfiles showformat:", operands="text"),
    "ldconfig": Grammar(short="p", operands="none", check=lambda _look, parsed: _need(parsed, "-p")),
    "dpkg": Grammar(short="lsLSp", long="list status listfiles search print-architecture version", operands="text"),
    "mount": _says("l"),
    "findmnt": _says("lnDAJt:o:"),
    "timedatectl": _says("", "no-pager"),
    "tokei": Grammar(short="fs:e:t:", long="files sort: exclude: type:", names_only=True),
}

IP_OPTIONS = frozenset("-4 -6 -br -brief -c -color -o -oneline -j -json -s -stats -d -details -p -pretty".split())
IP_OBJECTS = frozenset({"a", "addr", "address", "link", "l", "r", "route", "neigh", "n", "rule", "maddr"})


def look_at_ip(look: Look) -> None:
    """ip: the objects it shows."""
    words = [word.value or "?" for word in look.words]
    while words and words[0] in IP_OPTIONS:
        del words[0]
    shows = len(words) == 1 or (len(words) in (2, 3, 4) and words[1] in ("show", "list", "ls", "s", "l", "sh"))
    if not shows or words[0] not in IP_OBJECTS:
        raise NotReadOnlyError("ip may change the network's settings")
