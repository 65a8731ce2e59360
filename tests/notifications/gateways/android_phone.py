"""A server that behaves as android-sms-gateway does, for the tests of the phone as a gateway."""

import json
from typing import Any

from aiohttp import web

from tests.notifications.gateways.conformance import (
    PATIENCE,
    PHONE,
    REFERENCE,
)

KEY = "k3y-of-the-ph0ne"
HOOK = "0123456789abcdef-h00k"
LONG_TEXT = "Votre rendez-vous est annulé. " * 8
DEVICE = {
    "id": "phone-1",
    "name": "Fairphone/FP4",
    "simCards": [{"slotIndex": 0, "simNumber": 1, "carrierName": "Proximus"}],
}


class APhone:
    """Keeps messages by their id, as the app's table does, and answers what it is asked."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.devices: Any = [DEVICE]
        self.webhooks: list[dict[str, str]] = []
        self.state = "Pending"
        self.error: str | None = None

    async def __call__(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Answer as the routes of the app do."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["messages"]:
                return self._enqueue(json.loads(body))
            case "GET", ["messages", number]:
                return self._state_of(number)
            case "GET", ["device"]:
                return web.json_response(self.devices)
            case "GET", ["webhooks"]:
                return web.json_response(self.webhooks)
            case "GET", ["health"]:
                checks = {"battery:level": {"observedValue": 94, "status": "pass"}}
                said = {"version": "1.60.0", "status": "fail", "checks": checks}
                return web.json_response(said, status=500)
        return web.json_response({}, status=404)

    def _enqueue(self, message: dict[str, Any]) -> web.StreamResponse:
        if message["id"] in self.messages:
            return web.json_response({"message": "message already exists"}, status=409)
        self.messages[message["id"]] = message
        return web.json_response({"id": message["id"], "state": "Pending"}, status=202)

    def _state_of(self, number: str) -> web.StreamResponse:
        if number not in self.messages:
            return web.Response(status=404)
        message = self.messages[number]
        recipient = {
            "phoneNumber": message["phoneNumbers"][0],
            "state": self.state,
            "error": self.error,
        }
        said = {
            "id": number,
            "state": self.state,
            "textMessage": message["textMessage"],
            "recipients": [recipient],
            "states": {self.state: "2022-05-15T20:30:00.000+02:00"},
        }
        return web.json_response(said)


QUEUE = {"error": "QueueLimitExceeded", "message": "queue limits exceeded: too many pending"}


def url_to(port: int, options: str = "") -> str:
    """Return the URL of a phone; tests have no time for a phone's pace."""
    return f"android+http://sms:s3cret@127.0.0.1:{port}/?timeout={PATIENCE}&tps=1000&{options}"


def event(name: str, **payload: Any) -> dict[str, Any]:
    """Return an event as the app sends it."""
    said = {"messageId": REFERENCE, "sender": "+32470000009", "recipient": PHONE, "simNumber": 1}
    return {
        "deviceId": "phone-1",
        "event": name,
        "id": "Ey6ECgOkVVFjz3CL48B8C",
        "payload": said | payload,
        "webhookId": "LreFUt-Z3sSq0JufY9uWB",
    }
