"""WebFetch against a site on this machine: what comes back, what is refused, what is bounded, what is let go."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.tools.base import ToolError
from core.tools.builtin.web_fetch.tool import WebFetch
from core.tools.web import client, text
from core.tools.web.address import WebError
from core.tools.web.client import WebClient
from tests.fakes.tools import Bench, make_bench
from tests.fakes.website import Answer, Website, redirect, website

PAGE = """<!doctype html><html><head><title>Tabs &amp;
 blanks</title><style>p {color: red}</style><script>alert("<p>no</p>")</script></head>
<body><nav><a href="/home">Home</a></nav><h1>Parser</h1><p>See <a href="guide.html#tabs">the guide</a> or
<a href="//cdn.example.org/x">this</a>.</p><pre><code class="language-python">if a &lt; b:
    pass
</code></pre><table><tr><th>Key</th><th>Does</th></tr><tr><td>tab</td><td>indents</td></tr></table>
<template>Unseen</template></body></html>"""


def bench_for(site: Website, tmp_path: Path, *allowed: str) -> Bench:
    bench = make_bench(tmp_path)
    bench.services = replace(bench.services, web=WebClient(allowed or (site.authority,)))
    return bench


def certified(host: str, file: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for the host, which is written to the file."""
    key = file.with_suffix(".key")
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={host}"
    command += f" -addext subjectAltName=DNS:{host} -keyout {key} -out {file}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context


async def failure(bench: Bench, url: str) -> str:
    """What the model reads of a fetch that cannot be made."""
    with pytest.raises((WebError, ToolError)) as caught:
        await bench.run(WebFetch(), url=url)
    return str(caught.value)


async def test_a_page_is_markdown_with_absolute_links(tmp_path: Path) -> None:
    async with website(page=PAGE) as site:
        bench = bench_for(site, tmp_path)
        result = await bench.run(WebFetch(), url=site.url("/page#part"))
    assert isinstance(result.content, str)
    assert result.content.startswith("Title: Tabs & blanks\n\n# Parser\n")
    assert f"[the guide]({site.url('/guide.html#tabs')})" in result.content
    assert "[this](http://cdn.example.org/x)" in result.content
    assert "```python\nif a < b:\n    pass\n```" in result.content
    assert "| tab | indents |" in result.content
    assert not any(word in result.content for word in ("alert", "color: red", "Home", "Unseen"))
    assert result.display.summary == f"200 · {len(PAGE)} B"
    assert [target for target, _ in site.asked] == ["/page"]
    headers = site.asked[0][1]
    assert headers["host"] == site.authority
    assert "text/markdown" in headers["accept"] and headers["user-agent"].startswith("agent-tui/")
    assert bench.reports[-1] == (f"{len(PAGE)} B", 0)


@pytest.mark.parametrize(
    ("content_type", "body", "reads"),
    [
        ("text/plain", b"a <b>\n", "a <b>"),
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("application/vnd.api+json; charset=utf-8", b"[]", "[]"),
        ("application/xml", b"<a>1</a>", "<a>1</a>"),
        ("text/markdown", b"# Head", "# Head"),
        ("text/plain; charset=ISO-8859-1", b"Gr\xf6\xdfe \x80", "Größe €"),
        ("text/plain; charset=punycode", "Größe".encode(), "Größe"),
        ("text/plain; charset=nonsense", "Größe".encode(), "Größe"),
        ("text/plain", b"\xff\xfeh\x00i\x00", "hi"),
        ("text/plain", b"\xef\xbb\xbfhi", "hi"),
        ("text/plain", b"bad \xff byte", "bad \ufffd byte"),
        ("text/html", b'<meta charset="windows-1251"><p>\xcf\xf0\xe8\xe2\xe5\xf2', "Привет"),
        (
            "text/xml",
            b'<?xml version="1.0" encoding="koi8-r"?><a>\xf0</a>',
            '<?xml version="1.0" encoding="koi8-r"?><a>П</a>',
        ),
        ("", b"plain words", "plain words"),
        ("", b"\n <!-- x --> <!DOCTYPE html><p>One <b>two</b>", "One **two**"),
        ("application/octet-stream", b"key = 1", "key = 1"),
        ("text/html", b"", "[The page is empty (HTTP 200 OK).]"),
        ("text/plain", b" \n", "[The page is empty (HTTP 200 OK).]"),
    ],
)
async def test_text_of_all_kinds(tmp_path: Path, content_type: str, body: bytes, reads: str) -> None:
    async with website(page=Answer(body, content_type)) as site:
        assert await bench_for(site, tmp_path).text(WebFetch(), url=site.url("/page")) == reads


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("image/png", b"\x89PNG"), ("application/pdf", b"%PDF"), ("", b"\x7fELF\0\0"), ("text/plain", b"a\0b")],
)
async def test_what_is_no_text_is_refused_with_a_way_to_get_it(tmp_path: Path, content_type: str, body: bytes) -> None:
    async with website(page=Answer(body, content_type)) as site:
        said = await failure(bench_for(site, tmp_path), site.url("/page"))
        assert "is no text" in said and f"curl -fsSL -o FILE {site.url('/page')}" in said
        assert content_type in said


async def test_an_error_status_is_an_error_with_the_beginning_of_what_it_says(tmp_path: Path) -> None:
    async with website(
        gone=Answer("<h1>Moved to the attic</h1>" + "<p>x</p>" * 5_000, status=410),
        empty=Answer(b"", status=503),
    ) as site:
        bench = bench_for(site, tmp_path)
        gone = await bench.run(WebFetch(), url=site.url("/gone"))
        empty = await bench.run(WebFetch(), url=site.url("/empty"))
    assert gone.is_error and empty.is_error
    assert isinstance(gone.content, str) and len(gone.content) < 2_200
    assert gone.content.startswith(f"HTTP 410 Gone from {site.url('/gone')}\n\n# Moved to the attic")
    assert empty.content == f"HTTP 503 Service Unavailable from {site.url('/empty')}"
    assert gone.display.summary == "HTTP 410 Gone"


async def test_redirects_of_the_site_itself_are_followed(tmp_path: Path) -> None:
    async with website(a=redirect("/b", 301), b=redirect("c?x=1", 308)) as site:
        site.answers["/c?x=1"] = Answer("words", "text/plain")
        said = await bench_for(site, tmp_path).text(WebFetch(), url=site.url("/a"))
    assert said == f"[Fetched from {site.url('/c?x=1')}]\n\nwords"
    assert [target for target, _ in site.asked] == ["/a", "/b", "/c?x=1"]


async def test_a_redirect_to_another_host_is_told_and_not_followed(tmp_path: Path) -> None:
    async with website(words="no") as other, website() as site:
        for number, target in enumerate((other.url("/words"), "https://example.com/a", "//example.com/b")):
            site.answers[f"/{number}"] = redirect(target)
        bench = bench_for(site, tmp_path, site.authority, other.authority)
        told = [await bench.text(WebFetch(), url=site.url(f"/{number}")) for number in range(3)]
    assert other.asked == []
    assert other.url("/words") in told[0] and "https://example.com/a" in told[1] and "http://example.com/b" in told[2]
    assert all("302 Found" in said and "Call WebFetch with that URL" in said for said in told)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://user:secret@localhost/", "gopher://localhost/"])
async def test_a_redirect_to_what_is_no_page_is_refused(tmp_path: Path, target: str) -> None:
    async with website(a=redirect(target)) as site:
        said = await failure(bench_for(site, tmp_path), site.url("/a"))
        assert "http" in said or "user name" in said


async def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    async with website(a=redirect("/b"), b=redirect("/a")) as site:
        assert "more than 5 times" in await failure(bench_for(site, tmp_path), site.url("/a"))
        assert len(site.asked) == 6


@pytest.mark.parametrize(
    "host",
    "localhost LOCALHOST. a.localhost 127.0.0.1 127.1 2130706433 0x7f.0.0.1 0177.1 [::1] [::ffff:127.0.0.1]".split(),
)
async def test_this_machine_is_not_reached_without_leave(tmp_path: Path, host: str) -> None:
    async with website(words="no") as site:
        said = await failure(bench_for(site, tmp_path, "other.example"), f"http://{host}:{site.port}/words")
        assert "webFetch.allowPrivate" in said
        assert site.asked == []


async def test_the_error_names_the_very_entry_that_allows_it(tmp_path: Path) -> None:
    async with website(words=Answer("words", "text/plain")) as site:
        url = f"http://0x7f.1:{site.port}/words"
        said = await failure(bench_for(site, tmp_path, "other.example"), url)
        entry = said.split('"')[1]
        assert await bench_for(site, tmp_path, entry).text(WebFetch(), url=url) == "words"


async def test_a_public_name_that_leads_to_this_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look at the name decides both what is checked and what is connected to: it cannot change in between."""
    looked: list[str] = []
    async with website(words="no") as site:
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def resolve(host: str, port: int, **more: int) -> object:
            looked.append(host)
            first = await real("93.184.216.34", port, **more)
            return [*first, *await real("127.0.0.1", port, **more)]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        said = await failure(bench_for(site, tmp_path), f"http://rebind.example:{site.port}/words")
    assert "rebind.example leads to 127.0.0.1, a private or reserved address" in said
    assert looked == ["rebind.example"] and site.asked == []


async def test_it_connects_to_the_address_that_was_looked_at_and_names_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with website(words=Answer("words", "text/plain")) as site:
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo
        asked: list[str] = []

        async def resolve(host: str | bytes, port: int, **more: int) -> object:
            name = host.decode() if isinstance(host, bytes) else host
            asked.append(name)
            return await real("127.0.0.1" if name == "docs.example" else name, port, **more)

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        bench = bench_for(site, tmp_path, "docs.example")
        assert await bench.text(WebFetch(), url=f"http://docs.example:{site.port}/words") == "words"
    assert asked.count("docs.example") == 1
    assert site.asked[0][1]["host"] == f"docs.example:{site.port}"


async def test_each_hop_of_a_redirect_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site may send to its own name with www., and that name may lead inside."""
    async with website(words="no") as site:
        site.answers["/a"] = redirect(f"http://www.docs.example:{site.port}/words")
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def resolve(host: str | bytes, port: int, **more: int) -> object:
            name = host.decode() if isinstance(host, bytes) else host
            return await real("127.0.0.1" if name.endswith("docs.example") else name, port, **more)

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        said = await failure(bench_for(site, tmp_path, "docs.example"), f"http://docs.example:{site.port}/a")
    assert "www.docs.example leads to 127.0.0.1" in said
    assert [target for target, _ in site.asked] == ["/a"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
async def test_a_certificate_is_held_against_the_name_and_not_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = certified("docs.example", tmp_path / "cert.pem")
    named: list[str | None] = []
    serving.sni_callback = lambda _socket, name, _context: named.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with website(serving, words=Answer("words", "text/plain")) as site:
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def resolve(host: str | bytes, port: int, **more: int) -> object:
            name = host.decode() if isinstance(host, bytes) else host
            return await real("127.0.0.1" if name.endswith(".example") else name, port, **more)

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        bench = bench_for(site, tmp_path, "docs.example", "other.example")
        assert await bench.text(WebFetch(), url=f"https://docs.example:{site.port}/words") == "words"
        said = await failure(bench, f"https://other.example:{site.port}/words")
    assert "certificate" in said and "other.example" in said
    assert named == ["docs.example", "other.example"]
    assert len(site.asked) == 1


async def test_a_host_that_does_not_exist_or_answer_is_told(tmp_path: Path) -> None:
    async with website() as site:
        bench = bench_for(site, tmp_path)
        free = site.port
    assert "cannot be reached" in await failure(bench, f"http://localhost:{free}/")
    assert "no host nowhere.invalid" in await failure(bench, "http://nowhere.invalid/")


async def test_a_page_that_is_too_large_is_refused_packed_or_not(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a" * 4 * client.MAX_BYTES)
    async with website(
        plain=Answer(b"a" * (client.MAX_BYTES + 1), "text/plain"),
        bomb=Answer(bomb, "text/plain", headers={"Content-Encoding": "gzip"}),
        packed=Answer(gzip.compress(b"words"), "text/plain", headers={"Content-Encoding": "gzip"}),
        broken=Answer(b"no gzip", "text/plain", headers={"Content-Encoding": "gzip"}),
    ) as site:
        bench = bench_for(site, tmp_path)
        for path in ("/plain", "/bomb"):
            assert "larger than 10 MB" in await failure(bench, site.url(path))
        assert {told for told, _ in bench.reports} >= {"1.0 MB", "9.4 MB"}, (
            "unpacked piece by piece, no further than that"
        )
        assert len(bench.reports) == 9, "of what says beforehand that it is too large nothing is read"
        assert await bench.text(WebFetch(), url=site.url("/packed")) == "words"
        assert "cannot be unpacked" in await failure(bench, site.url("/broken"))


async def test_a_server_that_dawdles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with website(slow=Answer("begins", hangs=True)) as site:
        bench = bench_for(site, tmp_path)
        monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.05)
        assert "said nothing" in await failure(bench, site.url("/slow"))
        monkeypatch.setattr(client, "READ_TIMEOUT_S", 30.0)
        monkeypatch.setattr(client, "TOTAL_TIMEOUT_S", 0.3)
        assert "in all" in await failure(bench, site.url("/slow"))


async def test_cancelling_lets_go_of_the_connection_at_once(tmp_path: Path) -> None:
    async with website(slow=Answer("begins", hangs=True)) as site:
        bench = bench_for(site, tmp_path)
        call = asyncio.create_task(bench.run(WebFetch(), url=site.url("/slow")))
        await bench.until_reported(lambda: bool(bench.reports))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(5):
            await site.left.wait()
    assert WebFetch.interrupt_behavior == "cancel"


@pytest.mark.parametrize("tags", ["<div>", "<p><b><i>", "<ul><li>", "<blockquote>", "<table><tr><td>", "<a ", "<!--"])
async def test_hostile_nesting_neither_crashes_nor_hangs(tmp_path: Path, tags: str) -> None:
    async with website(page="<html><p>Begins</p>" + tags * 50_000 + "deep") as site:
        said = await bench_for(site, tmp_path).text(WebFetch(), url=site.url("/page"))
    assert said.startswith("Begins")


async def test_a_converter_that_fails_or_dawdles_is_an_error_and_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with website(page="<p>x") as site:
        bench = bench_for(site, tmp_path)
        script = tmp_path / "converter.py"
        monkeypatch.setattr(text, "CONVERTER", script)
        script.write_text("import sys; sys.exit('out of memory')")
        assert "failed: out of memory" in await failure(bench, site.url("/page"))
        script.write_text("import signal; signal.pause()")
        monkeypatch.setattr(text, "CONVERT_TIMEOUT_S", 0.2)
        assert "took longer" in await failure(bench, site.url("/page"))
    assert await bench.is_quiet()


async def test_the_converter_imports_nothing_of_the_folder_it_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("html_to_markdown", "json", "core"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with website(page="<p>safe") as site:
        assert await bench_for(site, tmp_path).text(WebFetch(), url=site.url("/page")) == "safe"


def test_nothing_heavy_is_loaded_before_the_first_fetch() -> None:
    code = (
        "import sys, core.engine.wiring; print([m for m in ('httpx2', 'html_to_markdown', 'idna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_what_is_asked_names_the_host(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    arguments = WebFetch.input_type(url="https://Docs.Example.com./a")
    access = WebFetch().check_permissions(arguments, bench.context)
    assert access.hosts == ("docs.example.com",) and "docs.example.com" in access.sends
    assert WebFetch().is_concurrency_safe(arguments, bench.state)
    with pytest.raises(WebError, match=r"webFetch\.allowPrivate"):
        WebFetch().check_permissions(WebFetch.input_type(url="http://169.254.169.254/latest"), bench.context)
