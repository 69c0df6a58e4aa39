"""What an authorization server says of its refusal, as far as a log and a page may repeat it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

CODES: Final = frozenset({
    "access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client",
    "invalid_grant", "invalid_request", "invalid_request_object", "invalid_request_uri", "invalid_scope",
    "invalid_target", "login_required", "registration_not_supported", "request_not_supported",
    "request_uri_not_supported", "server_error", "temporarily_unavailable", "unauthorized_client",
    "unsupported_grant_type", "unsupported_response_type", "unsupported_token_type",
})  # fmt: skip
"""Error codes of RFC 6749 (4.1.2.1 and 5.2), OpenID Connect Core (3.1.2.6), RFC 7009 and RFC 8707."""
OTHER: Final = "another error"
_WORD: Final = re.compile(r"[(\"']*[a-z]{1,19}(?:['-][a-z]{1,18})?[)\"'.,:;!?]*")
"""A word of plain language: no digit, no sign of an address, no capital, not long; no token is one, and no name."""
_WORDS: Final = 20
_LEFT_OUT: Final = "..."


def error_code(content: Mapping[str, Any]) -> str:
    """The code of a refusal, one that a standard knows; :data:`OTHER` for any other, empty where there is none."""
    code = content.get("error")
    if not isinstance(code, str) or not code:
        return ""
    return code if code in CODES else OTHER


def said_of(content: Mapping[str, Any]) -> str:
    """Code and plain words of a refusal, for the log: what may be a token, a number or a name is left out."""
    code, text = error_code(content), content.get("error_description")
    words = text.split() if isinstance(text, str) else []
    plain = [word if _WORD.fullmatch(word) else _LEFT_OUT for word in words[:_WORDS]]
    if len(words) > _WORDS:
        plain.append(_LEFT_OUT)
    return ": ".join(part for part in (code, " ".join(plain)) if part)
