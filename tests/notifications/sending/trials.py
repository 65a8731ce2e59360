"""A gateway to be tried, and ``manage.py gateway``, for tests."""

import asyncio
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from notifications.gateways import (
    Accepted,
    Gateway,
    Inbound,
    Message,
    OnReport,
    Options,
    ReceiptReport,
    Result,
)
from notifications.sending import trial as gateway_trials
from staff.services import command_line

PHONE = "+32470000001"


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("gateway", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code, the sentence and what was printed before."""
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("gateway", *arguments, stdout=out)
    return error.value.returncode, str(error.value), out.getvalue()


def life(gateway: Gateway, *, wait: float = 5.0) -> list[str]:
    """Send one message and return the words of each step."""
    steps: list[gateway_trials.Step] = []
    gateway_trials.send_one(
        gateway=gateway, to=PHONE, text="Test", wait=wait, by=command_line.user(), tell=steps.append
    )
    return [step.words for step in steps]


class Fake(Gateway):
    """Answers and reports as it is told; ``{ref}`` stands for the message's reference."""

    def __init__(
        self,
        result: Result | None = None,
        *,
        reports: Sequence[ReceiptReport] = (),
        reports_at_once: Sequence[Inbound] = (),
        **options: Any,
    ) -> None:
        super().__init__(name="fake", options=Options(**options))
        self.result = result or Accepted("n-1")
        self.reports = reports
        self.reports_at_once = reports_at_once
        self.has_receipts = self.listens = bool(reports)
        self.was_opened = False
        self.sent: list[Message] = []

    async def open(self, on_report: OnReport) -> None:
        self.was_opened = True
        self.on_report = on_report
        for report in self.reports_at_once:
            await on_report(report)

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        self.sent += messages
        self.tasks = [asyncio.create_task(self.on_report(one)) for one in self.reports]
        return [self.result] * len(messages)
