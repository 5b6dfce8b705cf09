"""Turns what the SDK and its HTTP library raise into ``ModelError``: what happened, what to do, try again or not."""

from __future__ import annotations

import datetime
import email.utils
from typing import Any

from core.llm.errors import ModelError, ModelErrorKind

_AUTH_HINT = "Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) to a valid key and start again."

_BY_TYPE: dict[str, ModelErrorKind] = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "not_found_error": "not_found",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "server",
    "api_error": "server",
    "request_too_large": "too_long",
}

_BY_STATUS: dict[int, ModelErrorKind] = {
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "server",
    409: "server",
    413: "too_long",
    429: "rate_limit",
    529: "overloaded",
}


def classify(error: Exception) -> ModelError:
    """The ``ModelError`` for any exception of the SDK; one it does not know comes back as not retryable."""
    import anthropic
    import httpx2

    if isinstance(error, ModelError):
        return error
    if isinstance(error, anthropic.APIStatusError):
        return _status(error)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException | TimeoutError):
        return ModelError("connection", "The server did not answer in time.", "Check the network.")
    if isinstance(error, anthropic.APIConnectionError):
        cause = error.__cause__ or error
        return ModelError(
            "connection",
            f"The server cannot be reached ({_short(cause)}).",
            "Check the network and ANTHROPIC_BASE_URL.",
        )
    if isinstance(error, httpx2.TransportError | ConnectionError):
        return ModelError("dropped", f"The connection broke off ({_short(error)}).")
    if isinstance(error, TypeError) and "authentication" in str(error):
        return ModelError("auth", "There are no credentials for the API.", _AUTH_HINT)
    if isinstance(error, anthropic.AnthropicError | ValueError):
        kind: ModelErrorKind = "auth" if "redential" in type(error).__name__ else "invalid"
        return ModelError(kind, _short(error), _AUTH_HINT if kind == "auth" else "")
    return ModelError("invalid", f"Unexpected failure of the API client: {type(error).__name__}: {_short(error)}")


def _status(error: Any) -> ModelError:
    status: int = error.status_code
    kind = _BY_TYPE.get(error.type or "") or _BY_STATUS.get(status)
    text = str(getattr(error, "api_message", None) or error.message)
    if kind is None:
        kind = "server" if status >= 500 or status == 200 else "invalid"
    if kind == "invalid" and "prompt is too long" in text.lower():
        kind = "too_long"
    label = f"{status} {error.type or 'error'}" if status != 200 else f"{error.type or 'error'} while streaming"
    retry_after = _retry_after(error.response.headers)
    # A spending limit is a 429 without retry-after and does not pass by waiting a few seconds.
    is_spend_limit = "spend_limit" in str(getattr(error, "error_code", None) or "")
    hint = _hint(kind, retry_after)
    return ModelError(
        kind,
        f"{text.rstrip('.')} ({label}).",
        hint,
        retry_after_s=retry_after,
        is_retryable=False if is_spend_limit else None,
    )


def _hint(kind: ModelErrorKind, retry_after: float | None) -> str:
    match kind:
        case "auth":
            return _AUTH_HINT
        case "not_found":
            return "Check the model's name (--model, or model in the settings) and ANTHROPIC_BASE_URL."
        case "too_long":
            return "Start a new session, or send less."
        case "rate_limit" if retry_after:
            return f"The server asks to wait {retry_after:.0f} s."
        case _:
            return ""


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
        except ValueError:
            continue
        if moment.tzinfo is None:
            # A date in zone -0000: it is in UTC, and comes without a zone.
            moment = moment.replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


def _short(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
