"""What left and whose fate nobody knows, or shows wrongly, is found."""

import pytest

from notifications.models import Delivery, DeliveryPart, Notice, Receipt
from tests.appointments.bulletins.builders import RELEASE
from tests.vivalia_continuity.promises.day import delivery_of, faults
from tests.vivalia_continuity.unguarded import break_by, copy_row

pytestmark = pytest.mark.django_db


class TestUnknownIsAState:
    def test_an_unknown_delivery_of_a_closed_notice_is_found(self, day):
        delivery = delivery_of(day["told"])
        break_by(Delivery, "UPDATE {table} SET state = 'unknown' WHERE id = %s", delivery.pk)
        assert any(f": {delivery.pk}" in fault for fault in faults(4))

    def test_a_delivery_that_hangs_without_a_lease_is_found(self, day):
        delivery = delivery_of(day["landline"])
        break_by(Delivery, "UPDATE {table} SET state = 'submitting' WHERE id = %s", delivery.pk)
        assert any(f": {delivery.pk}" in fault for fault in faults(4))

    def test_an_unknown_delivery_without_a_limit_is_found(self, day):
        delivery = self.open_again(day, "unknown")
        assert faults(4) == [
            f"1 envois au sort inconnu que rien ne mènera à la liste d'appel : {delivery.pk}"
        ]

    def test_an_accepted_sms_that_waits_for_its_receipt_without_a_limit_is_found(self, day):
        delivery = self.open_again(day, "accepted")
        assert faults(4) == [f"1 SMS remis dont l'accusé est attendu sans limite : {delivery.pk}"]

    @pytest.mark.parametrize("state", ["unknown", "accepted"])
    def test_with_a_limit_each_is_a_state_like_another(self, day, state):
        delivery = self.open_again(day, state)
        break_by(
            Delivery, "UPDATE {table} SET lease_until = %s WHERE id = %s", RELEASE, delivery.pk
        )
        assert faults(4) == []

    def test_an_accepted_sms_that_already_counts_as_told_needs_no_limit(self, day):
        assert delivery_of(day["told"]).lease_until is None
        assert faults(4) == []

    def open_again(self, day, state: str) -> Delivery:
        """Leave the told patient's SMS in a state, their notice open, and nothing to end it."""
        delivery = delivery_of(day["told"])
        break_by(Notice, "UPDATE {table} SET state = 'open' WHERE id = %s", delivery.notice_id)
        break_by(Delivery, "UPDATE {table} SET state = %s WHERE id = %s", state, delivery.pk)
        return delivery


class TestReceipts:
    def says(self, delivery: Delivery, state: str = "delivered", key: str = "1") -> None:
        Receipt.objects.create(
            gateway="console", key=key, delivery=delivery, state=state, received_at=RELEASE
        )

    @pytest.mark.parametrize("state", ["accepted", "unknown", "failed", "expired"])
    def test_a_receipt_that_the_sms_does_not_show_is_found(self, day, state):
        delivery = delivery_of(day["told"])
        self.says(delivery)
        break_by(Delivery, "UPDATE {table} SET state = %s WHERE id = %s", state, delivery.pk)
        sentence = "1 SMS qu'un accusé dit reçus et qui montrent autre chose"
        assert f"{sentence} : {delivery.pk}" in faults(4)

    def test_what_it_shows_is_no_fault(self, day):
        delivery = delivery_of(day["told"])
        self.says(delivery)
        break_by(Delivery, "UPDATE {table} SET state = 'delivered' WHERE id = %s", delivery.pk)
        assert faults(4) == []

    @pytest.mark.parametrize("state", ["on_its_way", "failed", "expired"])
    def test_only_delivered_settles_it(self, day, state):
        self.says(delivery_of(day["told"]), state)
        assert faults(4) == []

    def test_a_receipt_without_its_sms_says_nothing_yet(self, day):
        self.says(None)
        assert faults(4) == []

    @pytest.mark.parametrize(("other", "is_found"), [("on_its_way", False), ("delivered", True)])
    def test_a_long_sms_is_delivered_when_each_of_its_parts_is(self, day, other, is_found):
        delivery = delivery_of(day["told"])
        Delivery.objects.filter(pk=delivery.pk).update(parts=2)
        for part, state in enumerate(("delivered", other), 1):
            DeliveryPart.objects.create(
                delivery=delivery, part=part, gateway="console", provider_id=part, state=state
            )
        self.says(delivery)
        assert bool(faults(4)) is is_found

    def test_without_numbered_parts_one_receipt_speaks_for_a_long_sms(self, day):
        delivery = delivery_of(day["told"])
        Delivery.objects.filter(pk=delivery.pk).update(parts=2)
        self.says(delivery)
        assert any(f"autre chose : {delivery.pk}" in fault for fault in faults(4))

    @pytest.mark.parametrize("channel", ["sms", "phone"])
    @pytest.mark.parametrize(
        ("notice", "is_found"),
        [("open", True), ("unreachable", True), ("told", False), ("withdrawn", False)],
    )
    def test_a_try_that_reached_its_patient_without_the_notice_is_found(
        self, day, channel, notice, is_found
    ):
        delivery = delivery_of(day["told"])
        break_by(
            Delivery,
            "UPDATE {table} SET state = 'delivered', channel = %s WHERE id = %s",
            channel,
            delivery.pk,
        )
        break_by(Notice, "UPDATE {table} SET state = %s WHERE id = %s", notice, delivery.notice_id)
        assert any(f"comme dit : {delivery.pk}" in fault for fault in faults(4)) is is_found

    @pytest.mark.parametrize(("newer", "is_found"), [("open", False), ("withdrawn", True)])
    def test_one_given_up_may_stay_so_once_a_newer_notice_says_what_holds(
        self, day, newer, is_found
    ):
        delivery = delivery_of(day["told"])
        break_by(Delivery, "UPDATE {table} SET state = 'delivered' WHERE id = %s", delivery.pk)
        copy_row(Notice, delivery.notice_id, version=2, state=newer)
        break_by(
            Notice, "UPDATE {table} SET state = 'unreachable' WHERE id = %s", delivery.notice_id
        )
        assert any(f"comme dit : {delivery.pk}" in fault for fault in faults(4)) is is_found
