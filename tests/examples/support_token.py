"""Signs a token for Deskhand with AUTH_SECRET. Needs only Python's standard library."""

import base64
import hashlib
import hmac
import json
import os
import time


def support_token(user, secret=None):
    """Returns a token for `user`, a dict with id, tenants, and if known name and verified email."""
    claims = {
        "sub": user["id"],
        "name": user.get("name"),
        "email": user.get("email"),
        "tenants": user["tenants"],
        "scope": "support_requests:create support_requests:read",
        "exp": int(time.time()) + 300,
    }
    content = _encode({"alg": "HS256", "typ": "JWT"}) + b"." + _encode(claims)
    key = (secret or os.environ["AUTH_SECRET"]).encode()
    return (content + b"." + _base64url(hmac.digest(key, content, hashlib.sha256))).decode()


def _encode(value):
    return _base64url(json.dumps(value).encode())


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
