"""Run as a program of its own: HTML from standard input to Markdown on standard output.

The converter holds the interpreter's lock while it works, half a second for a large page, and a hostile page may take
seconds and gigabytes: none of that in the program that draws the window. Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import sys

MAX_MEMORY = 2_000_000_000
"""Bytes of address space: about what the worst 10 MB of nested tags take."""


def main() -> None:
    """The base of relative links is the first argument."""
    import resource

    from html_to_markdown import ConversionOptions, convert

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    html = sys.stdin.buffer.read().decode("utf-8", "replace")
    options = ConversionOptions(
        base_url=sys.argv[1],
        extract_metadata=False,
        hidden_content="reachable",
        inline_data_media="alt_text_only",
        exclude_selectors=["svg"],
    )
    result = convert(html, options)
    sys.stdout.buffer.write(json.dumps(result.content or "").encode())


if __name__ == "__main__":
    main()
