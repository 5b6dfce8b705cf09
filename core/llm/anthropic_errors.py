"""Turns what the SDK and its HTTP library raise into ``ModelError``: what happened, what to do, try again or not."""

from __future__ import annotations

import datetime
import email.utils
import html
import http
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from core.llm.errors import ModelError, ModelErrorKind
from core.llm.retry import MAX_RETRY_AFTER_S

_AUTH_HINT = (
    "Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) to a valid key and start again with --continue; "
    "a profile that is mended counts from the next prompt on."
)
_HINTS: dict[ModelErrorKind, str] = {
    "auth": _AUTH_HINT,
    "billing": "Look after the account's credit and limits in the console; waiting a little does not help.",
    "not_found": "Check the model's name (--model, or model in the settings) and ANTHROPIC_BASE_URL.",
    "too_long": "Send less.",
}
_MAX_TEXT = 300
"""Characters of a server's own words that are shown."""

_BY_TYPE: dict[str, ModelErrorKind] = {
    "invalid_request_error": "invalid",
    "authentication_error": "auth",
    "permission_error": "auth",
    "billing_error": "billing",
    "not_found_error": "not_found",
    "conflict_error": "server",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "server",
    "api_error": "server",
    "request_too_large": "too_long",
}

_BY_STATUS: dict[int, ModelErrorKind] = {
    401: "auth",
    402: "billing",
    403: "auth",
    404: "not_found",
    408: "server",
    409: "server",
    413: "too_long",
    429: "rate_limit",
    529: "overloaded",
}

_BY_WORDS: dict[str, ModelErrorKind] = {
    "prompt is too long": "too_long",
    "bound to a different conversation": "binding",
    "credit balance": "billing",
    "usage limits": "billing",
}
"""What a 400 can mean that has no code of its own."""


def classify(error: Exception, *, is_streaming: bool = False) -> ModelError:
    """The ``ModelError`` for any exception of the SDK. ``is_streaming``: the response had begun; then one that is
    not known means that what came was garbled, else it comes back as not retryable."""
    import anthropic
    import httpx2

    if isinstance(error, ModelError):
        return error
    if isinstance(error, anthropic.APIStatusError):
        return _status(error)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException | TimeoutError):
        if any(isinstance(cause, httpx2.ConnectTimeout) for cause in _causes(error)):
            return ModelError("connection", "The server cannot be reached in time.", "Check the network.")
        return ModelError("silent", "Nothing came from the server for too long.", "Check the network.")
    if isinstance(error, anthropic.APIConnectionError):
        return _unreached(error)
    if isinstance(error, httpx2.TransportError | ConnectionError):
        return ModelError("dropped", f"The connection broke off ({_short(error)}).")
    if is_streaming:
        return ModelError("dropped", f"The response was garbled ({type(error).__name__}: {_short(error)}).")
    if isinstance(error, TypeError) and "authentication" in str(error):
        return ModelError("auth", "There are no credentials for the API.", _AUTH_HINT)
    if isinstance(error, anthropic.AnthropicError | ValueError):
        kind: ModelErrorKind = "auth" if "redential" in type(error).__name__ else "invalid"
        return ModelError(kind, _short(error), _HINTS.get(kind, ""))
    return ModelError("invalid", f"Unexpected failure of the API client: {type(error).__name__}: {_short(error)}")


def _unreached(error: Exception) -> ModelError:
    """No connection: what stood in the way."""
    import httpx2

    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ModelError(
                "connection",
                f"The server's certificate is not accepted ({_short(cause)}).",
                "Behind a company's proxy, point SSL_CERT_FILE at its certificates; else check the clock.",
                is_retryable=False,
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            hint = "Check ANTHROPIC_BASE_URL (https or http?) and proxies."
            return ModelError("connection", f"No secure connection can be made ({_short(cause)}).", hint)
        if isinstance(cause, socket.gaierror):
            hint = "Check the network and ANTHROPIC_BASE_URL."
            return ModelError("connection", f"The server's name cannot be looked up ({_short(cause)}).", hint)
    cause = error.__cause__ or error
    if isinstance(cause, httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError):
        return ModelError("connection", f"The server hung up before it answered ({_short(cause)}).")
    hint = "Check the network and ANTHROPIC_BASE_URL."
    return ModelError("connection", f"The server cannot be reached ({_short(cause)}).", hint)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _status(error: Any) -> ModelError:
    status: int = error.status_code
    is_streaming = status == http.HTTPStatus.OK
    text = _readable(str(getattr(error, "api_message", None) or error.message), status)
    kind = _kind(status, error.type or "", text.lower())
    if "spend_limit" in str(getattr(error, "error_code", None) or ""):
        # A 429 without retry-after that does not pass by waiting a few seconds.
        kind = "billing"
    label = f"{error.type or 'error'} while streaming" if is_streaming else f"{status} {error.type or ''}".strip()
    headers = error.response.headers
    retry_after = None if is_streaming else _retry_after(headers)
    asked = None if is_streaming else {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    return ModelError(
        kind,
        f"{text.rstrip('.')} ({label}).",
        _hint(kind, status, retry_after),
        retry_after_s=retry_after,
        # A server cannot ask for what would fail in the same way, or would cost money.
        is_retryable=asked if kind not in ("billing", "binding", "too_long") else None,
        status=None if is_streaming else status,
    )


def _kind(status: int, error_type: str, words: str) -> ModelErrorKind:
    kind = _BY_STATUS.get(status) or _BY_TYPE.get(error_type)
    if kind is None:
        kind = (
            "server" if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.OK else "invalid"
        )
    if kind == "invalid":
        for phrase, meant in _BY_WORDS.items():
            if phrase in words:
                return meant
    return kind


def _hint(kind: ModelErrorKind, status: int, retry_after: float | None) -> str:
    if retry_after and retry_after > MAX_RETRY_AFTER_S:
        return f"The server asks to wait {_waiting(retry_after)}."
    if status == http.HTTPStatus.FORBIDDEN:
        return "This key may not do that: use another key, or another model (--model)."
    return _HINTS.get(kind, "")


def _waiting(seconds: float) -> str:
    """``600 s`` is told in minutes, more than two hours in hours, and more than two days as such."""
    if seconds > 48 * 3600:
        return "for more than two days"
    return f"{seconds / 3600:.0f} hours" if seconds > 2 * 3600 else f"{seconds / 60:.0f} minutes"


def _readable(text: str, status: int) -> str:
    """What the server said in one line. A proxy answers with a page: its title says what there is to say."""
    if "<" in text and (title := re.search(r"<title[^>]*>([^<]+)</title>", text, re.IGNORECASE)):
        text = html.unescape(title[1])
    elif text.lstrip().startswith("<") or not text.strip():
        known = {member.value: member.phrase for member in http.HTTPStatus}
        text = known.get(status, "The server failed without a word")
    return " ".join(text.split())[:_MAX_TEXT]


def _retry_after(headers: Any) -> float | None:
    """Seconds the server asks to wait; from a number of milliseconds, of seconds, or a date."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        raw = headers.get(name)
        if raw is None:
            continue
        try:
            return max(0.0, float(raw) / scale)
        except ValueError:
            pass
        try:
            moment = email.utils.parsedate_to_datetime(raw)
        except (ValueError, OverflowError):
            continue
        if moment.tzinfo is None:
            # A date in zone -0000: it is in UTC, and comes without a zone.
            moment = moment.replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


def _short(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:_MAX_TEXT]
