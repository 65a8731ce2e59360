"""CM.com as its documentation says that it answers."""

import json
from typing import Any

from aiohttp import web

from tests.notifications.gateways.http_peers import Answerer, in_any_order

TOKEN = "00000000-s3cret"  # noqa: S105  # of nobody


def of(reference: str, code: int = 0, details: str | None = None) -> dict[str, Any]:
    """Return what an answer says of one message."""
    return {
        "to": "0032470000000",
        "status": "Rejected" if code else "Accepted",
        "reference": reference,
        "parts": 0 if code else 1,
        "messageDetails": details,
        "messageErrorCode": code,
    }


def answering(code: int = 0, odd: int | None = None) -> Answerer:
    """Return what says so of each message, in reverse; and ``odd`` of numbers that are."""

    async def answer(_request: web.Request, body: bytes) -> web.StreamResponse:
        await in_any_order()
        asked = json.loads(body)["messages"]
        if asked["authentication"]["productToken"] != TOKEN:
            return whole_call(101)
        if not asked["msg"]:
            return whole_call(203)
        said = []
        for message in reversed(asked["msg"]):
            is_odd = int(message["to"][0]["number"][-1]) % 2
            said.append(of(message["reference"], odd if is_odd and odd else code))
        refused = all(one["messageErrorCode"] for one in said)
        content = {"details": "Created", "errorCode": 201, "messages": said}
        return web.json_response(content, status=400 if refused else 200)

    return answer


def whole_call(code: int, status: int = 400) -> web.Response:
    """Return an answer to a call of which nothing was taken."""
    content = {"details": "No", "errorCode": code, "messages": []}
    return web.json_response(content, status=status)
