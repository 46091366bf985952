"""What a gateway for platforms takes: positions a second, and memory, as fast as it reads.

`python -m benchmarks.gateway809` starts a broker and `mucktrack gateway809`, both embedded, and
platforms that log in and send positions made beforehand. Every position counted is in Kafka, and
so is its frame. JT/T 809 acknowledges none, so there is no time of an answer. Platforms, broker and
gateway share the machine: the gateway's own share is its processor time, told beside.
"""

import argparse
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway import PARTITIONS, Gateway
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from producers.jt808.location import Location, write_location
from producers.jt809.connection import Connection
from producers.jt809.header import Version
from producers.jt809.links import Empty, Login, Login2019
from producers.jt809.message import OfVehicle
from producers.jt809.vehicles import Position2011, Position2019
from streams.access import KafkaAccess

PASSWORD = "benchmrk"  # noqa: S105
TRUCKS = 500
"""Of each platform; each reports once in a round."""
FIRST_CENTRE = 1_000
POLL_S = 0.1


def write_platforms(file: Path, count: int) -> None:
    file.write_text(
        "".join(
            f'[[platform]]\nname = "p{number}"\ncentre_id = {FIRST_CENTRE + number}\n'
            f'user_id = {number}\npassword = "{PASSWORD}"\n'
            for number in range(count)
        )
    )


class LowerPlatform:
    """One that is logged in, with a round of its trucks' positions as bytes."""

    def __init__(self, port: int, number: int, version: Version) -> None:
        self._link = Connection(version=version)
        self._version: Version = version
        self._number = number
        self._socket = socket.create_connection(("127.0.0.1", port))
        login = {
            "user_id": number,
            "password": PASSWORD,
            "down_link_ip": "127.0.0.1",
            "down_link_port": 1,
        }
        centre_id = FIRST_CENTRE + number
        body = Login2019(**login, centre_id=centre_id) if version == "2019" else Login(**login)
        self._socket.sendall(self._frame(0x1001, body))
        (answer,) = self._link.receive(self._socket.recv(4_096))
        assert answer.message.body.result == 0
        self.round = b"".join(self._position(truck) for truck in range(TRUCKS))

    def send(self, rounds: int) -> None:
        for _ in range(rounds):
            self._socket.sendall(self.round)

    def answered(self) -> None:
        """Everything that was sent has been read."""
        self._socket.sendall(self._frame(0x1005, Empty()))
        self._socket.recv(4_096)

    def close(self) -> None:
        self._socket.close()

    def _frame(self, message_id: int, body: object) -> bytes:
        return self._link.send(
            message_id, body, FIRST_CENTRE + self._number, self._version, time_s=1_793_584_800
        )

    def _position(self, truck: int) -> bytes:
        if self._version == "2019":
            items = bytes.fromhex("0104000004d203020190300131")
            where = Location(0, 3, 29.1, 121.1, 12, 36.5, 90, 1_793_584_800_000, items)
            data = Position2019(
                encrypted=0,
                location=write_location(where),
                platform_1="33020000001",
                alarm_1=0,
                platform_2="",
                alarm_2=0,
                platform_3="",
                alarm_3=0,
            )
        else:
            data = Position2011(
                encrypted=0,
                day=2,
                month=11,
                year=2026,
                hour=0,
                minute=0,
                second=0,
                lon=121_100_000,
                lat=29_100_000,
                speed_kmh=36,
                recorder_speed_kmh=36,
                mileage_km=1_234,
                heading_deg=90,
                altitude_m=12,
                status_bits=3,
                alarm_bits=0,
            )
        plate = f"浙B{self._number:02d}{truck:03d}"
        return self._frame(0x1200, OfVehicle(plate, 2, 0x1202, data))


def measure(gateway: Gateway, platforms: list[LowerPlatform], rounds: int, what: str) -> None:
    before = kept(gateway)
    wanted = before + rounds * TRUCKS * len(platforms)
    cpu_s, begin_s = gateway.cpu_s(), time.monotonic()
    senders = [threading.Thread(target=one.send, args=(rounds,)) for one in platforms]
    for sender in senders:
        sender.start()
    while kept(gateway) < wanted:
        gateway.check()
        time.sleep(POLL_S)
    seconds = time.monotonic() - begin_s
    used_s = gateway.cpu_s() - cpu_s
    for sender in senders:
        sender.join()
    positions = wanted - before
    print(
        f"{what}: {positions / seconds:,.0f} positions/s in Kafka; the gateway took "
        f"{used_s / seconds:.2f} cores, {1e6 * used_s / positions:.0f} µs a position, "
        f"{gateway.rss_mb():.0f} MB"
    )


def kept(gateway: Gateway) -> float:
    return gateway.figures().get(("mucktrack_gateway_positions_total", ""), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platforms", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=20, help="of 500 trucks each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        kafka = stack.enter_context(tansu(folder)).address
        create_topics(KafkaAccess.plain(kafka), PARTITIONS)
        write_platforms(folder / "platforms.toml", options.platforms)
        port_file = folder / "platforms-port"
        gateway = Gateway(
            "gateway809",
            [
                *("gateway809", "--platforms", str(folder / "platforms.toml")),
                *("--port-file", str(port_file)),
            ],
            folder,
            kafka=kafka,
            partitions=str(PARTITIONS),
            gateway809_port="0",
            gateway809_metrics_port="0",
        )
        stack.callback(gateway.child.stop)
        gateway.wait_until_ready()
        print(f"{gateway.rss_mb():.0f} MB at the start")
        for version in ("2011", "2019"):
            platforms = [
                LowerPlatform(int(port_file.read_text()), number, version)
                for number in range(options.platforms)
            ]
            measure(gateway, platforms[:1], options.rounds, f"one platform of {version}")
            measure(gateway, platforms, options.rounds, f"{len(platforms)} platforms of {version}")
            for platform in platforms:
                platform.answered()
                platform.close()


if __name__ == "__main__":
    main()
