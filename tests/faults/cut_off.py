"""Run a module on a host without a way to a port: ``-m tests.faults.cut_off PORT -m MODULE ...``.

Only connections made by an event loop are refused, as all gateways make theirs.
"""

import runpy
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any


def main(port: str, dash_m: str, module: str, *arguments: str) -> None:
    """Run a module whose connections to a port all fail before they are made."""
    connect = BaseSelectorEventLoop.sock_connect

    async def cut(self: BaseSelectorEventLoop, sock: Any, address: Any) -> None:
        if address[1] == int(port):
            raise OSError(113, "No route to host")
        await connect(self, sock, address)

    BaseSelectorEventLoop.sock_connect = cut  # type: ignore[method-assign, assignment]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
