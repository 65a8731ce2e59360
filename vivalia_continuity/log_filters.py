"""Filters for secrets in the logs."""

import logging
import re

_HOOK = re.compile(r"(/hooks/)[^/\s?#]+")


class HideHookSecrets(logging.Filter):
    """Removes the secret from the URLs that gateways call, which Django logs on a fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record if needed; never drop one."""
        if "/hooks/" in (text := record.getMessage()):
            record.msg, record.args = _HOOK.sub(r"\1…", text), None
        return True
