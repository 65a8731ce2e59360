"""Statements about many notices at once, by their numbers, in one round trip each.

Numbers go in as one parameter and are found by their primary key, whatever the planner thinks
of states that change by the thousand: this sets the pace of all sending.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection

from notifications.texts import render as texts
from staff.database import as_list, as_moment, as_parameter, is_one_of, is_postgresql


def lock_notices_of(deliveries: Iterable[int]) -> None:
    """Lock the notices of deliveries by id, the order in which everyone does.

    On SQLite the transaction itself is the lock.
    """
    if not is_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT notice_id FROM notifications_delivery WHERE {is_one_of('id')}",  # noqa: S608
            [as_list(deliveries)],
        )
        notices = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"""SELECT id FROM notifications_notice WHERE {is_one_of("id")}
                ORDER BY id FOR UPDATE""",  # noqa: S608
            [as_list(notices)],
        )


def lines_of(notices: Sequence[int]) -> dict[int, list[texts.Line]]:
    """Return what each notice says."""
    lines: dict[int, list[texts.Line]] = {notice: [] for notice in notices}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT notice_id, starts_at, word, site_id FROM notifications_noticeitem
                WHERE {is_one_of("notice_id")}""",  # noqa: S608
            [as_list(notices)],
        )
        for notice, starts_at, word, site_id in cursor.fetchall():
            lines[notice].append(texts.Line(as_moment(starts_at), word, site_id=site_id))
    return lines


def hand_over_notices(notices: Iterable[int], *, at: dt.datetime) -> None:
    """Note when the first message of each notice left."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE notifications_notice SET handed_over_at = %s
                WHERE {is_one_of("id")} AND handed_over_at IS NULL""",  # noqa: S608
            [as_parameter(at), as_list(notices)],
        )


def tell_notices(notices: Iterable[int], *, at: dt.datetime) -> None:
    """Close open notices as told by the gateway."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE notifications_notice SET state = 'told', settled_at = %s
                WHERE {is_one_of("id")} AND state = 'open'""",  # noqa: S608
            [as_parameter(at), as_list(notices)],
        )
