"""Gateways, each against a real peer that behaves and misbehaves."""

import pytest

# Suites to inherit from: a failure there says what was found, as in a test file.
pytest.register_assert_rewrite(
    "tests.notifications.gateways.conformance", "tests.notifications.gateways.conformance_reports"
)
