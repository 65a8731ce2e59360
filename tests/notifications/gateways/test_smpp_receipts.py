"""What an SMSC sends: receipts in all their variants, and replies."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import Inbound, ReceiptReport, Sent
from notifications.gateways.smpp.pdu import MESSAGE_STATE, RECEIPTED_MESSAGE_ID, DeliverSm
from notifications.gateways.smpp.receipts import (
    absolute_moment_of,
    e164,
    forms_of,
    moment_of,
    read,
    read_query,
)
from tests.notifications.gateways.conformance_reports import assert_can_be_stored

NOW = dt.datetime(2022, 5, 14, 12, 0, tzinfo=dt.UTC)
TEXT = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2205141200 done date:2205141359 "
    "stat:DELIVRD err:000 text:Votre rendez-vous"
)


def said(text: str, *, source: str = "32470000001", kind: int = 4, **tlvs: bytes) -> ReceiptReport:
    """Return what a receipt with this text says."""
    tags = {"number": RECEIPTED_MESSAGE_ID, "state": MESSAGE_STATE}
    found = {tags[name]: value for name, value in tlvs.items()}
    delivery = DeliverSm(source, kind, 0, text.encode("latin-1"), found)
    receipt = read(delivery, now=NOW, alphabet="gsm7")
    assert isinstance(receipt, ReceiptReport)
    return receipt


class TestReceipts:
    def test_one_as_the_standard_writes_it(self) -> None:
        receipt = said(TEXT)
        assert (receipt.state, receipt.failure, receipt.phone) == ("delivered", "", "+32470000001")
        assert receipt.provider_ids[0] == "0123456789"
        assert receipt.happened_at == dt.datetime(2022, 5, 14, 11, 59, tzinfo=dt.UTC)
        assert receipt.remark == "DELIVRD err:000"

    def test_our_own_text_is_not_kept(self) -> None:
        assert "Votre" not in repr(said(TEXT + " stat:UNDELIV"))
        assert said(TEXT + " stat:UNDELIV").state == "delivered"

    @pytest.mark.parametrize(
        "text",
        [
            "ID:7 STAT:delivrd",
            "id:7 submitdate:180122230957 donedate:000000000000 stat:DELIVERED err:",
            "stat:DELIVRD id:7",
            "id:7 stat:DELIVRD",
            "id:7\nstat:DELIVRD\n",
            "id:7 sub: dlvrd: stat:DELIVRD Text:",
        ],
    )
    def test_variants_of_makers(self, text: str) -> None:
        receipt = said(text)
        assert (receipt.state, receipt.provider_ids[0]) == ("delivered", "7")

    @pytest.mark.parametrize(
        ("stat", "state", "failure"),
        [
            ("ENROUTE", "on_its_way", ""),
            ("DELIVRD", "delivered", ""),
            ("EXPIRED", "expired", "expired"),
            ("DELETED", "failed", "rejected"),
            ("UNDELIV", "failed", "unreachable"),
            ("ACCEPTD", "on_its_way", ""),
            ("UNKNOWN", "on_its_way", ""),
            ("REJECTD", "failed", "rejected"),
            ("REJECTED", "failed", "rejected"),
            ("BUFFERED", "on_its_way", ""),
        ],
    )
    def test_each_state_has_its_meaning(self, stat: str, state: str, failure: str) -> None:
        receipt = said(f"id:1 stat:{stat} err:0A1")
        assert (receipt.state, receipt.failure) == (state, failure)
        assert receipt.remark == f"{stat} err:0A1"

    @pytest.mark.parametrize("number", range(1, 9))
    def test_the_parameter_counts_states_as_the_text_names_them(self, number: int) -> None:
        names = ("ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN")
        by_text = said(f"id:1 stat:{(*names, 'REJECTD')[number - 1]}")
        by_tlv = said("", number=b"1\0", state=bytes([number]))
        assert (by_tlv.state, by_tlv.failure) == (by_text.state, by_text.failure)

    def test_parameters_win_over_the_text(self) -> None:
        receipt = said("id:1 stat:DELIVRD err:000", number=b"99\0", state=b"\x05")
        assert (receipt.provider_ids[0], receipt.state) == ("99", "failed")

    @pytest.mark.parametrize("text", ["id: sub:001 stat:DELIVRD", "stat:DELIVRD", ""])
    def test_an_empty_number_is_no_number(self, text: str) -> None:
        assert said(text).provider_ids == ()

    def test_a_receipt_without_a_state_says_nothing_yet(self) -> None:
        assert said("id:7").state == "on_its_way"
        assert said("id:7").remark == "accusé sans état"

    def test_one_on_the_way_is_a_receipt_too(self) -> None:
        assert said("id:7 stat:ENROUTE", kind=0x20).state == "on_its_way"

    def test_what_only_looks_like_a_receipt_may_be_what_somebody_wrote(self) -> None:
        receipt = said(TEXT, kind=0)
        assert (receipt.state, receipt.provider_ids[0]) == ("delivered", "0123456789")
        assert isinstance(receipt.otherwise, Inbound)
        assert receipt.otherwise.text == TEXT
        assert said(TEXT).otherwise is None

    @pytest.mark.parametrize("text", ["stat:DELIVRD", "id:7", "mon id: 7", "STOP"])
    def test_a_text_without_both_number_and_fate_is_a_reply(self, text: str) -> None:
        delivery = DeliverSm("32470000001", 0, 0, text.encode(), {})
        assert isinstance(read(delivery, now=NOW, alphabet="gsm7"), Inbound)

    @pytest.mark.parametrize(
        "text",
        [
            "\x05{id:7 sub:001 stat:DELIVRD}",
            "{id:7} {sub:001} {stat:DELIVRD}",
            "zid:7 stat:DELIVRD",
            "\x01\x7fid:7 stat:DELIVRD",
            "id:7,sub:001,stat:DELIVRD",
            "id:7;stat:DELIVRD;",
            "\x00id:7 stat:DELIVRD",
        ],
    )
    @pytest.mark.parametrize("kind", [0, 4])
    def test_brackets_and_stray_octets_hide_no_field(self, text: str, kind: int) -> None:
        receipt = said(text, kind=kind)
        assert (receipt.provider_ids[0], receipt.state) == ("7", "delivered")

    def test_a_header_before_the_text_is_passed_over_and_need_not_be_there(self) -> None:
        for text in ("\x05\x00\x03A\x02\x01id:7 stat:DELIVRD", "id:7 stat:DELIVRD"):
            assert said(text, kind=0x44).provider_ids[0] == "7"

    @given(
        st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20),
        st.sampled_from([0, 4, 0x20, 0x40, 0x44]),
        st.integers(0, 255),
        st.binary(max_size=200)
        | st.from_regex(
            r"id:.{0,40} stat:.{0,20} done date:.{0,15}"
            r""
        ).map(lambda t: t.encode("latin-1", "replace")),
        st.dictionaries(st.sampled_from([0x1E, 0x423, 0x427]), st.binary(max_size=70)),
    )
    def test_whatever_comes_can_be_stored(self, source, kind, coding, data, tlvs) -> None:
        report = read(DeliverSm(source, kind, coding, data, tlvs), now=NOW, alphabet="gsm7")
        if not isinstance(report, ReceiptReport) or report.provider_ids:
            assert_can_be_stored(report)


class TestForms:
    def test_a_number_of_digits_may_be_either(self) -> None:
        assert forms_of("1234") == (
            "1234",
            "4660",
            "0000004660",
            "4d2",
            "4D2",
            "000004d2",
            "000004D2",
        )

    def test_leading_zeros_go(self) -> None:
        assert "123456789" in forms_of("0123456789")
        assert "6699" in forms_of("00001A2B")

    def test_letters_may_be_of_either_case(self) -> None:
        assert {"1A2b", "1a2b", "1A2B", "6699"} <= set(forms_of("1A2b"))

    def test_zeros_and_case_differ_at_any_length(self) -> None:
        uuid = "0E4B7F1C-0000-4000-8000-AB54A98CEB1F"
        assert {uuid, uuid.lower(), uuid.lstrip("0")} <= set(forms_of(uuid))

    @pytest.mark.parametrize("name", ["550e8400-e29b-41d4-a716-446655440000", "ab_-Z"])
    def test_a_name_is_no_number(self, name: str) -> None:
        assert forms_of(name)[0] == name
        assert not any(form.isdigit() for form in forms_of(name))

    @given(
        st.integers(1, 2**63),
        st.sampled_from(["{:x}", "{:X}", "{:d}"]),
        st.sampled_from(["{:x}", "{:X}", "{:d}", "{:010d}"]),
    )
    def test_what_was_answered_is_among_the_forms_of_what_is_reported(
        self, number: int, answered: str, reported: str
    ) -> None:
        forms = forms_of(reported.format(number))
        assert answered.format(number) in forms
        assert len(" ".join(forms[1:])) <= 200


class TestMoments:
    def test_local_time_in_summer_and_in_winter(self) -> None:
        assert moment_of("2205141359", now=NOW) == dt.datetime(2022, 5, 14, 11, 59, tzinfo=dt.UTC)
        assert moment_of("220114135930", now=NOW) == dt.datetime(
            2022, 1, 14, 12, 59, 30, tzinfo=dt.UTC
        )

    @pytest.mark.parametrize(
        ("now", "meant"),
        [
            ("00:31", "00:30"),  # the first time; the second is yet to come
            ("01:19", "00:30"),
            ("01:31", "01:30"),  # the second time
            ("05:00", "01:30"),
        ],
    )
    def test_the_hour_that_happens_twice(self, now: str, meant: str) -> None:
        night = dt.datetime(2022, 10, 30, tzinfo=dt.UTC)
        hour, minute = (int(one) for one in now.split(":"))
        found = moment_of("2210300230", now=night.replace(hour=hour, minute=minute))
        assert found
        assert f"{found:%H:%M}" == meant

    @pytest.mark.parametrize(
        "text", ["", "000000000000", "22051", "2213141359", "not a date!", "٢٢٠٥١٤١٣٥٩"]
    )
    def test_no_date_is_none(self, text: str) -> None:
        assert moment_of(text, now=NOW) is None

    def test_one_with_its_zone(self) -> None:
        ahead = absolute_moment_of("220514135900008+")
        behind = absolute_moment_of("220514135900004-")
        assert (ahead, behind) == (
            dt.datetime(2022, 5, 14, 11, 59, tzinfo=dt.UTC),
            dt.datetime(2022, 5, 14, 14, 59, tzinfo=dt.UTC),
        )
        assert absolute_moment_of("000000040000000R") is None

    @given(st.text(max_size=20) | st.from_regex(r"[0-9]{10,16}[+-]?", fullmatch=True))
    def test_whatever_is_said_is_a_moment_or_none(self, text: str) -> None:
        for found in (moment_of(text, now=NOW), absolute_moment_of(text)):
            assert found is None or found.tzinfo


class TestReplies:
    def reply(self, data: bytes, coding: int = 0, kind: int = 0, now: dt.datetime = NOW) -> Inbound:
        """Return a reply."""
        read_ = read(DeliverSm("32470000001", kind, coding, data, {}), now=now, alphabet="gsm7")
        assert isinstance(read_, Inbound)
        return read_

    def test_a_reply_is_read_in_its_alphabet(self) -> None:
        assert self.reply(b"STOP") == Inbound(
            "+32470000001", "STOP", happened_at=NOW, key=self.reply(b"STOP").key
        )
        assert self.reply("Жé".encode("utf-16-be"), 8).text == "Жé"

    def test_the_header_of_a_part_is_no_text_and_each_part_is_its_own_reply(self) -> None:
        first = self.reply(b"\x05\x00\x03\x01\x02\x01STOP", kind=0x40)
        second = self.reply(b"\x05\x00\x03\x01\x02\x02STOP", kind=0x40)
        assert first.text == second.text == "STOP"
        assert first.key != second.key

    def test_the_same_words_again_soon_are_one_reply_and_a_day_later_another(self) -> None:
        keys = [self.reply(b"STOP", now=NOW + dt.timedelta(hours=h)).key for h in (0, 0.2, 24)]
        assert keys[0] == keys[1] != keys[2]


class TestQueries:
    SENT = Sent("ref", "7", "+32470000001")

    def test_an_answer_is_a_receipt_for_our_reference(self) -> None:
        receipt = read_query(b"7\x00220514135900008+\0\x05\x22", self.SENT)
        assert receipt == ReceiptReport(
            "failed",  # type: ignore[arg-type]
            reference="ref",
            provider_ids=("7",),
            phone="+32470000001",
            failure="unreachable",
            remark="message_state 5 error_code 34",
            happened_at=dt.datetime(2022, 5, 14, 11, 59, tzinfo=dt.UTC),
        )

    @pytest.mark.parametrize("state", [0, 7, 9, 200])
    def test_a_state_that_says_nothing_is_no_answer(self, state: int) -> None:
        assert read_query(b"7\0\0" + bytes([state, 0]), self.SENT) is None

    @given(st.binary(max_size=60))
    def test_whatever_comes_is_read_as_something(self, body: bytes) -> None:
        receipt = read_query(body, self.SENT)
        assert receipt is None or receipt.reference == "ref"


@pytest.mark.parametrize(
    ("address", "phone"),
    [
        ("32470000001", "+32470000001"),
        ("+32470000001", "+32470000001"),
        ("0032470000001", "+32470000001"),
        ("8850", "8850"),
        ("0470000001", "0470000001"),
        ("Vivalia", "Vivalia"),
        ("9" * 20, "9" * 20),
    ],
)
def test_an_address_is_a_phone_where_it_can_be_one(address: str, phone: str) -> None:
    assert e164(address) == phone
