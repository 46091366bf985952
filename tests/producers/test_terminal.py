"""A simulated terminal, message by message: what it says, keeps, and says again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.fleet import SimulationError
from producers.jt808.connection import Connection, Received, Refused
from producers.jt808.framing import FLAG_BYTE
from producers.jt808.location import Location, LocationAnswer, LocationBatch
from producers.jt808.message import Message
from producers.jt808.queries import Parameters, QueryLocation, QueryParameters, Resend
from producers.jt808.session import (
    Authenticate,
    GeneralAnswer,
    Heartbeat,
    Register,
    RegisterAnswer,
)
from producers.profiles.profile import load_profiles
from producers.terminals import store as store_module
from producers.terminals.device import Device, DeviceMaker
from producers.terminals.radio import EVERY_MS, LONGEST_MS, Radio
from producers.terminals.tally import Tally
from producers.terminals.terminal import (
    CROWD,
    HEARTBEAT_S,
    MOST_IN_BATCH,
    MOST_UNDER_WAY,
    PATIENCE_S,
    TRIES,
    Terminal,
)
from producers.terminals.wording import location_of, reported
from streams.position import Position

MAKER = DeviceMaker(load_profiles())
START_MS = 1_775_050_200_000
PHONES = ("019900000001", "019900000002", "019900000003", "019900000004", "19900000009")


def position(second: int, phone: str = PHONES[0], **told: object) -> Position:
    fields = USUAL | told
    return Position("浙Y00001", START_MS + second * 1000, terminal_id=phone, **fields)


USUAL = {
    "lon": 120.1234567,
    "lat": 28.7654321,
    "speed_kmh": 32.1,
    "heading_deg": 77.0,
    "satellites": 11,
    "loaded": True,
    "lifted": False,
    "covered": True,
    "load_kg": 15_500.0,
}
WITHOUT_SENSORS = {"loaded": None, "lifted": None, "covered": None, "load_kg": None}


class Platform:
    """The other end of the wire: reads what the terminal says, and answers when it is told to."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.said: list[Message] = []
        self.connection = Connection()

    def hear(self, data: bytes) -> list[Message]:
        messages = []
        for event in self.connection.receive(data, 0.0):
            assert not isinstance(event, Refused), event.error
            if isinstance(event, Received):
                messages.append(event.message)
        self.said += messages
        return messages

    def say(self, message_id: int, body: object, now_s: float = 0.0) -> list[Message]:
        phone, version = self.terminal.device.phone, self.terminal.device.version
        return self.hear(
            self.terminal.receive(self.connection.send(message_id, phone, body, version), now_s)
        )

    def answer(self, message: Message, result: int = 0, now_s: float = 0.0) -> list[Message]:
        return self.say(0x8001, GeneralAnswer(message.serial, message.message_id, result), now_s)

    def let_in(self, now_s: float = 0.0) -> list[Message]:
        """A new connection, up to the first positions."""
        self.connection = Connection()
        (first,) = self.hear(self.terminal.connected(now_s))
        if isinstance(first.body, Register):
            (first,) = self.say(0x8100, RegisterAnswer(first.serial, 0, "secret"), now_s)
        assert isinstance(first.body, Authenticate)
        return self.answer(first, now_s=now_s)

    def reports(self, *seconds: int) -> list[Message]:
        """The truck is there at these seconds, one after the other."""
        heard = []
        for second in seconds:
            told = WITHOUT_SENSORS if self.terminal.device.version == "2011" else {}
            self.terminal.report(position(second, **told))
            heard += self.hear(self.terminal.outgoing(0.0))
        return heard


def device(phone: str = PHONES[0], **told: object) -> Device:
    return MAKER.device_for(position(0, phone, **told))


def terminal_and_platform(**options: object) -> tuple[Terminal, Platform]:
    terminal = Terminal(device(), Tally(), **options)
    return terminal, Platform(terminal)


def seconds(message: Message) -> list[int]:
    body = message.body
    locations = body.locations if isinstance(body, LocationBatch) else [body]
    return [(one.time_ms - START_MS) // 1000 for one in locations]


def test_a_new_terminal_registers_and_keeps_its_code():
    terminal, platform = terminal_and_platform()
    (first,) = platform.hear(terminal.connected(0.0))
    assert isinstance(first.body, Register)
    assert first.body.plate == "浙Y00001"
    assert first.body.maker == "SIMUL"
    (second,) = platform.say(0x8100, RegisterAnswer(first.serial, 0, "secret"))
    assert second.body.code == "secret"
    assert not terminal.was_let_in
    assert platform.reports(1) == []
    (report,) = platform.answer(second)
    assert terminal.was_let_in
    assert seconds(report) == [1]
    terminal.disconnected()
    (again,) = platform.hear(terminal.connected(1.0))
    assert again.body.code == "secret"


@pytest.mark.parametrize("phone", PHONES)
def test_both_editions_authenticate_and_report(phone):
    terminal = Terminal(device(phone), Tally())
    platform = Platform(terminal)
    platform.let_in()
    (report,) = platform.reports(3)
    assert report.version == terminal.device.version
    assert len(report.phone) == (20 if report.version == "2019" else 12)
    assert report.phone.lstrip("0") == phone.lstrip("0")
    assert seconds(report) == [3]


def test_a_platform_that_has_forgotten_the_code_is_asked_for_another():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    terminal.disconnected()
    (first,) = platform.hear(terminal.connected(0.0))
    (second,) = platform.answer(first, result=1)
    assert isinstance(second.body, Register)
    (third,) = platform.say(0x8100, RegisterAnswer(second.serial, 0, "another"))
    assert third.body.code == "another"
    platform.answer(third)
    assert terminal.was_let_in


@pytest.mark.parametrize("message_id", [0x8100, 0x8001])
def test_a_registration_that_is_refused_ends_the_connection(message_id):
    terminal, platform = terminal_and_platform()
    (first,) = platform.hear(terminal.connected(0.0))
    if message_id == 0x8100:
        assert platform.say(message_id, RegisterAnswer(first.serial, 4)) == []
    else:
        assert platform.answer(first, result=1) == []
    assert terminal.has_given_up
    terminal.disconnected()
    platform.let_in()
    assert terminal.was_let_in
    assert not terminal.has_given_up


def test_what_was_not_acknowledged_comes_again_as_backfill_in_order():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    sent = platform.reports(1, 2, 3, 4)
    assert [type(one.body) for one in sent] == [Location] * 4
    platform.answer(sent[1])
    terminal.disconnected()
    assert platform.reports(5, 6) == []
    (batch,) = platform.let_in()
    assert batch.body.kind == 1
    assert seconds(batch) == [1, 3, 4, 5, 6]
    assert len(terminal.store) == 5
    (live,) = platform.reports(7)
    assert isinstance(live.body, Location)
    platform.answer(batch)
    platform.answer(live)
    assert len(terminal.store) == 0
    tally = terminal._tally
    assert (tally.made, tally.sent, tally.again, tally.acknowledged) == (7, 7, 3, 7)
    assert tally.backfilled == 5
    assert tally.open == 0


def test_a_batch_has_as_many_parts_as_it_needs_and_parts_are_sent_again():
    terminal, platform = terminal_and_platform()
    for second in range(MOST_IN_BATCH + 5):
        terminal.report(position(second))
    first, second = platform.let_in()
    assert seconds(first) == list(range(MOST_IN_BATCH))
    assert seconds(second) == list(range(MOST_IN_BATCH, MOST_IN_BATCH + 5))
    message = terminal.store.under_way[first.serial]
    frames = message.frames.split(FLAG_BYTE)[1::2]
    assert len(frames) > 1
    wanted = platform.connection.send(
        0x8003, terminal.device.phone, Resend(first.serial, [2, 99]), terminal.device.version
    )
    assert terminal.receive(wanted, 1.0) == FLAG_BYTE + frames[1] + FLAG_BYTE
    assert platform.say(0x8003, Resend(999, [1])) == []


def test_many_that_wait_go_in_a_regular_batch():
    _, platform = terminal_and_platform()
    platform.let_in()
    sent = platform.reports(*range(MOST_UNDER_WAY + CROWD))
    assert len(sent) == MOST_UNDER_WAY
    (batch,) = platform.answer(sent[0])
    assert batch.body.kind == 0
    assert seconds(batch) == list(range(MOST_UNDER_WAY, MOST_UNDER_WAY + CROWD))


def test_a_terminal_of_2011_knows_no_batches():
    terminal = Terminal(device(**WITHOUT_SENSORS), Tally())
    platform = Platform(terminal)
    assert terminal.device.version == "2011"
    platform.reports(1, 2, 3)
    sent = platform.let_in()
    assert [type(one.body) for one in sent] == [Location] * 3
    assert [second for one in sent for second in seconds(one)] == [1, 2, 3]


def test_what_gets_no_answer_is_sent_again_and_then_the_connection_is_given_up():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    (sent,) = platform.reports(1)
    now_s, waits = 0.0, []
    while not terminal.has_given_up:
        now_s += 1.0
        again = [one for one in platform.hear(terminal.due(now_s)) if one.body == sent.body]
        if again:
            assert again[0].serial == sent.serial
            waits.append(now_s)
        assert now_s < 1_000
    assert waits == [PATIENCE_S, 3 * PATIENCE_S, 6 * PATIENCE_S]
    assert len(waits) == TRIES
    assert platform.hear(terminal.outgoing(now_s)) == []


def test_a_failure_is_no_acknowledgement_and_a_refusal_is_final():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    first, second = platform.reports(1, 2)
    platform.answer(first, result=1)
    platform.answer(second, result=2)
    assert len(terminal.store) == 1
    assert terminal._tally.refused == 1
    (again,) = platform.hear(terminal.due(PATIENCE_S))
    assert seconds(again) == [1]
    platform.answer(again)
    assert len(terminal.store) == 0
    platform.answer(again)
    assert terminal._tally.acknowledged == 1


def test_a_heartbeat_where_nothing_else_is_said():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    assert terminal.due(HEARTBEAT_S - 1) == b""
    (beat,) = platform.hear(terminal.due(HEARTBEAT_S))
    assert beat.body == Heartbeat()
    assert terminal.due(HEARTBEAT_S + 1) == b""


def test_queries_are_answered():
    _, platform = terminal_and_platform()
    platform.let_in()
    (nothing,) = platform.say(0x8201, QueryLocation())
    assert nothing.body.result == 1
    platform.reports(4)
    (where,) = platform.say(0x8201, QueryLocation())
    assert isinstance(where.body, LocationAnswer)
    assert where.body.location.time_ms == START_MS + 4_000
    (parameters,) = platform.say(0x8104, QueryParameters())
    assert isinstance(parameters.body, Parameters)
    assert {one.parameter_id for one in parameters.body.parameters} == {1, 2, 3}
    (unsupported,) = platform.say(0x8003 + 0x0500, _unknown())
    assert (unsupported.message_id, unsupported.body.result) == (0x0001, 3)


def _unknown() -> object:
    from producers.jt808.messages import Unknown

    return Unknown(b"\x01\x02")


def test_a_full_store_keeps_the_oldest():
    terminal, platform = terminal_and_platform(capacity=3)
    platform.reports(*range(5))
    assert terminal._tally.no_room == 2
    (batch,) = platform.let_in()
    assert seconds(batch) == [0, 1, 2]
    assert terminal._tally.open == 3


def test_garbage_from_the_platform_is_counted():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    assert terminal.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n\x7e\x00\x01\x7e", 0.0) == b""
    assert terminal._tally.protocol_errors == 2
    (report,) = platform.reports(1)
    assert seconds(report) == [1]


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    speed_kmh=st.none() | st.floats(0, 200),
    heading_deg=st.none() | st.floats(0, 360, exclude_max=True),
    satellites=st.none() | st.integers(0, 40),
    mileage_km=st.none() | st.floats(0, 1e6),
    located=st.booleans(),
    loaded=st.none() | st.booleans(),
    lifted=st.none() | st.booleans(),
    covered=st.none() | st.booleans(),
    load_kg=st.none() | st.floats(0, 60_000),
    phone=st.sampled_from(PHONES),
    millis=st.integers(0, 999),
)
def test_what_is_lost_in_a_terminals_words_is_what_the_protocol_has_none_for(phone, millis, **told):
    simulated = position(9, phone, **told)
    simulated.time_ms += millis
    own = MAKER.device_for(simulated)
    read = reported(location_of(simulated, own), own, backfill=False)
    assert read.truck_id == simulated.truck_id
    assert read.time_ms == simulated.time_ms - millis
    assert abs(read.lon - simulated.lon) <= 0.6e-6
    assert abs(read.lat - simulated.lat) <= 0.6e-6
    assert read.located == simulated.located
    assert read.satellites == simulated.satellites
    for name, step in (("speed_kmh", 0.1), ("mileage_km", 0.1)):
        was, now = getattr(simulated, name), getattr(read, name)
        assert (was is None) == (now is None)
        assert was is None or abs(was - now) <= step / 2 + 1e-6
    if simulated.heading_deg is None:
        assert read.heading_deg is None
    else:
        turned = abs(simulated.heading_deg - read.heading_deg)
        assert min(turned, 360 - turned) <= 0.5 + 1e-9
    assert (read.loaded, read.lifted, read.covered) == (
        simulated.loaded, simulated.lifted, simulated.covered,
    )  # fmt: skip
    assert (read.load_kg is None) == (simulated.load_kg is None)
    assert simulated.load_kg is None or abs(read.load_kg - simulated.load_kg) <= 5.1
    assert read.terminal_id == phone.lstrip("0")
    assert read.source == "jt808"


@pytest.mark.parametrize("phone", [None, "", "12A", "1" * 13])
def test_a_truck_whose_terminal_has_no_phone_is_told(phone):
    with pytest.raises(SimulationError, match=r"trucks\.csv: terminal_id .* of 浙Y00001"):
        MAKER.device_for(position(0, phone))


def test_reception_comes_and_goes_and_is_the_same_for_the_same_seed():
    def heard(seed: str) -> list[bool]:
        radio = Radio(seed)
        return [radio.reaches(START_MS + second * 1000) for second in range(0, 86_400, 10)]

    days = [heard(str(seed)) for seed in range(20)]
    assert heard("3") == days[3] != days[4]
    assert all(Radio("3", noise=0).reaches(START_MS + n * 10**6) for n in range(1_000))
    away = sum(not one for day in days for one in day) / sum(map(len, days))
    expected = (40_000 + LONGEST_MS) / 2 / (EVERY_MS + (40_000 + LONGEST_MS) / 2)
    assert 0.6 * expected < away < 1.6 * expected
    for day in days:
        longest = max(len(gap) for gap in "".join(" x"[not one] for one in day).split() or [""])
        assert longest * 10_000 <= LONGEST_MS + 10_000


def test_a_truck_that_reports_what_is_old_is_where_it_was_last():
    radio = Radio("3")
    times = range(START_MS, START_MS + 86_400_000, 10_000)
    outside = next(time_ms for time_ms in times if not radio.reaches(time_ms))
    assert not radio.reaches(outside - 3_600_000)


def test_what_the_fleet_calls_backfill_is_sent_as_such():
    terminal, platform = terminal_and_platform()
    platform.let_in()
    for second, backfill in ((10, False), (5, True), (6, True), (11, False)):
        terminal.report(position(second, backfill=backfill))
    sent = platform.hear(terminal.outgoing(0.0))
    assert [seconds(one) for one in sent] == [[10], [5, 6], [11]]
    assert sent[1].body.kind == 1


def test_a_store_has_room_for_what_terminals_on_the_road_have():
    assert store_module.CAPACITY == 10_000
