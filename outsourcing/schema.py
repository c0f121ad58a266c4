"""What the OpenAPI document says beyond the single resources: how to sign in, problem details, idempotency keys, entity tags."""

from __future__ import annotations

from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is stable; `errors` names everything that is wrong.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "field", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "field": {"type": ["string", "null"], "description": "A path such as `lines[2].quantity`."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
PROBLEM_ANSWER = {
    "description": "Refused: a problem document.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same key and body within seven days is the same action: it is done once and answered alike.",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag of the row as it was read; 412 `stale` where somebody changed it since.",
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token made with `manage.py create_api_token`."}


class OwnSessionScheme(SessionScheme):
    """The session of somebody who signed in on the pages."""

    priority = 1


def add_manners(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say of every call what all calls have in common."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, item in result["paths"].items():
        for method, operation in item.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            operation["responses"]["default"] = PROBLEM_ANSWER
            headers = []
            if method == "post":
                headers.append(IDEMPOTENCY_KEY)
            if method == "patch" or (method == "post" and path.count("{") and not path.endswith("}/")):
                headers.append(IF_MATCH)
            if headers:
                operation["parameters"] = [*operation.get("parameters", []), *headers]
    return result
