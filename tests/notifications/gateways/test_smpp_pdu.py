"""PDUs as bytes, compared with smpplib wherever it can read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import smpp

from notifications.gateways.smpp import pdu as smpp_pdu
from notifications.gateways.smpp.pdu import Garbled, Pdu


def by_smpplib(data: bytes):
    """Read a PDU with smpplib."""
    return smpp.parse_pdu(data, allow_unknown_opt_params=True, sequence=1)


def deliver(**fields) -> bytes:
    """Make a deliver_sm with smpplib."""
    usual = {"source_addr": "32470000001", "destination_addr": "Vivalia", "short_message": b"STOP"}
    return smpp_pdu.make("deliver_sm", 9, **(usual | fields))


@pytest.mark.parametrize("whole", [False, True])
def test_a_submission_is_what_smpplib_reads(whole: bool) -> None:
    text = "a" * 300
    *_others, last = smpp_pdu.parts_of(text, reference=1, alphabet="gsm7", whole=whole)
    data = last["message_payload" if whole else "short_message"]
    read = by_smpplib(smpp_pdu.make("submit_sm", 7, destination_addr="32470000001", **last))
    assert (read.sequence, read.data_coding, read.destination_addr) == (7, 0, b"32470000001")
    assert (read.message_payload if whole else read.short_message) == data
    assert (read.esm_class, read.sm_length) == ((0, 0) if whole else (0x40, len(data)))


class TestFrames:
    PDUS = [Pdu(0x80000004, 0, n, b"12345\0" * n) for n in range(4)]
    BYTES = b"".join(smpp_pdu._HEADER.pack(16 + len(one.body), *one[:3]) + one.body for one in PDUS)

    @given(st.lists(st.integers(0, len(BYTES)), max_size=6))
    def test_they_come_whole_however_the_stream_is_cut(self, cuts: list[int]) -> None:
        places = [0, *sorted(cuts), len(self.BYTES)]
        buffer, found = bytearray(), []
        for start, end in zip(places, places[1:], strict=False):
            buffer += self.BYTES[start:end]
            found += list(smpp_pdu.take_from(buffer))
        assert found == self.PDUS
        assert not buffer

    @pytest.mark.parametrize("length", [0, 15, 0x48545450])
    def test_a_length_that_no_pdu_has_ends_it(self, length: int) -> None:
        buffer = bytearray(length.to_bytes(4) + bytes(12))
        with pytest.raises(Garbled):
            list(smpp_pdu.take_from(buffer))


class TestDeliveries:
    @given(
        st.sampled_from([0, 4, 0x40]),
        st.sampled_from([0, 3, 8]),
        st.binary(min_size=1, max_size=200),
        st.from_regex(r"[0-9a-f]{0,20}", fullmatch=True),
    )
    def test_what_smpplib_makes_is_read(self, esm_class, coding, data, number) -> None:
        made = deliver(
            esm_class=esm_class,
            data_coding=coding,
            short_message=data,
            receipted_message_id=number,
            message_state=2,
        )
        read = smpp_pdu.read_delivery(Pdu(smpp_pdu.DELIVER, 0, 9, made[16:]))
        oracle = by_smpplib(made)
        assert read.source.encode() == oracle.source_addr
        assert (read.esm_class, read.coding, read.data) == (esm_class, coding, data)
        assert read.tlvs[smpp_pdu.MESSAGE_STATE] == b"\x02"
        assert smpp_pdu.text_of(read.tlvs.get(smpp_pdu.RECEIPTED_MESSAGE_ID, b"")) == number

    def test_an_id_without_its_zero_keeps_its_last_digit(self) -> None:
        body = deliver()[16:] + b"\x00\x1e\x00\x031A2"
        read = smpp_pdu.read_delivery(Pdu(smpp_pdu.DELIVER, 0, 9, body))
        assert smpp_pdu.text_of(read.tlvs[smpp_pdu.RECEIPTED_MESSAGE_ID]) == "1A2"

    def test_unknown_and_cut_parameters_are_passed_over(self) -> None:
        tlvs = smpp_pdu.read_tlvs(b"\x14\x00\x00\x01x\x04\x27\x00\x01\x05\x00\x1e\x00\x09ab")
        assert tlvs == {0x1400: b"x", 0x0427: b"\x05"}

    def test_a_text_in_the_payload_is_found(self) -> None:
        made = deliver(short_message=b"", message_payload=b"STOP")
        assert smpp_pdu.read_delivery(Pdu(smpp_pdu.DELIVER, 0, 9, made[16:])).data == b"STOP"

    def test_data_sm_is_read_too(self) -> None:
        made = smpp_pdu.make(
            "data_sm",
            9,
            source_addr="32470000001",
            destination_addr="1",
            esm_class=4,
            data_coding=3,
            message_payload=b"id:1",
        )
        read = smpp_pdu.read_delivery(Pdu(smpp_pdu.DATA, 0, 9, made[16:]))
        assert (read.source, read.esm_class, read.coding, read.data) == (
            "32470000001",
            4,
            3,
            b"id:1",
        )

    @given(st.sampled_from([smpp_pdu.DELIVER, smpp_pdu.DATA]), st.binary(max_size=300))
    def test_whatever_comes_is_read_or_garbled(self, command: int, body: bytes) -> None:
        try:
            read = smpp_pdu.read_delivery(Pdu(command, 0, 1, body))
        except Garbled:
            return
        assert len(read.data) <= len(body)
