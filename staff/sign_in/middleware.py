"""The answer to a try to sign in: the wait, or the cookie of a known device."""

import math
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from staff import clock
from staff.sign_in import devices
from staff.sign_in.tries import Paused


class SignInMiddleware:
    """Answers a refused try with the wait, and sets the cookie of a device that signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        paused: Paused | None = getattr(request, "sign_in_paused", None)
        if paused:
            seconds = max(1, math.ceil((paused.until - clock.real()).total_seconds()))
            context = {"paused": paused, "seconds": seconds}
            response = render(request, "staff/locked_out.html", context, status=429)
            response.headers["Retry-After"] = str(seconds)
        signed_in = getattr(request, "signed_in_now", None)
        if signed_in:
            devices.remember(request, response, signed_in)
        return response
