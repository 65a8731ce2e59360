"""The fake SMSC counts rightly, also from a process of its own: much is asserted by it."""

import json
import subprocess
import sys

from notifications.gateways import gateway_from_url
from tests.notifications.gateways.conformance import submit
from tests.notifications.gateways.smpp_client import LONG, message
from tests.smpp_peer import SmscPeer


def test_it_sees_who_got_a_message_twice() -> None:
    with SmscPeer() as peer:
        url = peer.url
        submit(gateway_from_url(url), [message(LONG), message(number=1)])
        submit(gateway_from_url(url), [message(number=1)])
    assert peer.sent_by_phone == {"+32470000000": 1, "+32470000001": 2}
    assert peer.counts["twice"] == ["+32470000001"]
    assert (peer.counts["submitted"], peer.counts["messages"]) == (4, 3)


def test_it_runs_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.smpp_peer", "--latency", "0.01"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())
        submit(gateway_from_url(f"smpp://a:b@127.0.0.1:{port}"), [message(number=7)])
        process.stdin.write("count\n")
        process.stdin.flush()
        counts = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) == 0
    assert (counts["messages"], counts["binds"]) == (1, 1)
