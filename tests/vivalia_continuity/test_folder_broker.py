"""A message on the embedded broker is there whole or not at all.

Each test names a queue of its own: Kombu remembers bindings for the life of the process.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from kombu import Connection

from vivalia_continuity import folder_broker


@pytest.fixture
def connection(tmp_path):
    """Connect to a folder of its own."""
    folder_broker.register()
    options = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection("folder://localhost", transport_options=options) as made:
        yield made


def test_what_is_put_is_got(connection):
    queue = connection.SimpleQueue("bell")
    queue.put({"ring": 1})
    assert queue.get(timeout=1).payload == {"ring": 1}


def test_a_message_that_is_still_being_written_is_not_seen(connection, tmp_path):
    (tmp_path / "1_a.unfinished.msg.unfinished").touch()
    queue = connection.SimpleQueue("unfinished")
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_a_message_gets_its_name_once_it_is_whole(connection, tmp_path, monkeypatch):
    named = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        named.append(json.loads(path.read_text()))
        assert not target.exists()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    connection.SimpleQueue("whole").put({"ring": 1})
    bound, message = named
    assert bound == [["whole", "", "whole"]]
    assert message["properties"]["delivery_info"]["routing_key"] == "whole"
    assert len(list(tmp_path.glob("*.whole.msg"))) == 1


def test_a_folder_that_is_gone_is_said(connection, tmp_path):
    queue = connection.SimpleQueue("bell")
    channel = queue.producer.channel
    channel.data_folder_out = str(tmp_path / "gone")
    with pytest.raises(Exception, match="cannot write"):
        channel._put("bell", {})


def test_workers_that_start_at_once_bind_every_queue(connection, tmp_path):
    channels = [connection.channel() for _ in range(8)]
    with ThreadPoolExecutor(len(channels)) as pool:
        for number in range(20):
            start = Barrier(len(channels))

            def bind(place: int, number: int = number, start: Barrier = start) -> None:
                start.wait()
                channels[place]._queue_bind(f"at-once-{number}", "", "", f"queue-{place}")

            list(pool.map(bind, range(len(channels))))
            bound = channels[0].get_table(f"at-once-{number}")
            assert {one.queue for one in bound} == {f"queue-{place}" for place in range(8)}
    assert not list((tmp_path / "control").glob("*.unfinished"))


def test_an_empty_list_of_queues_is_written_anew(connection, tmp_path):
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "cut.exchange").touch()
    connection.SimpleQueue("cut").put({"ring": 1})
    assert connection.SimpleQueue("cut").get(timeout=1).payload == {"ring": 1}
