"""Signatures of thinking blocks, bound to the conversation they were written in.

A signature seals the family of the model, a digest of everything before the block (thinking excepted), the thinking
block before it, and the text that was shown. Leaving thinking out of the digest and chaining it instead gives the
documented rule: dropping thinking from the start up to some point is fine, dropping it from the middle is not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.api_canon import Item, Json, is_array


def digest(*parts: str) -> str:
    """A short hash of the parts, boundaries included."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        state.update(len(raw).to_bytes(8, "big") + raw)
    return state.hexdigest()[:32]


@dataclass(frozen=True)
class Seal:
    """What a genuine signature says."""

    family: str
    prefix: str
    link: str
    shown: str


@dataclass
class Prefix:
    """The running digest of a conversation, fed item by item."""

    value: str = ""
    link: str = ""

    def advance(self, item: Item) -> None:
        """Take one more item into the prefix."""
        if item.is_thinking:
            self.link = digest(seal_text(item.block))
        else:
            self.value = digest(self.value, item.text)


def seal_text(block: Json) -> str:
    """The field of a thinking block that holds its seal."""
    return str(block.get("signature") if block.get("type") == "thinking" else block.get("data"))


class Signer:
    """Signs thinking and reads signatures back; the same secret reads them in another process too."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()

    def sign(self, family: str, prefix: Prefix, shown: str) -> str:
        """A signature for thinking that comes right after this prefix."""
        payload = json.dumps([family, prefix.value, prefix.link, digest(shown)]).encode()
        return base64.b64encode(self._mac(payload) + payload).decode()

    def read(self, signature: str) -> Seal | None:
        """What the signature says, or None when this server did not issue it."""
        try:
            raw = base64.b64decode(signature, validate=True)
        except ValueError:
            return None
        if not hmac.compare_digest(raw[:32], self._mac(raw[32:])):
            return None
        fields: Any = json.loads(raw[32:])
        return Seal(*(str(field) for field in fields)) if is_array(fields) else None
