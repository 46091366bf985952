"""Trucks land where Kafka's own partitioner puts them."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafkas_murmur2

from streams.partition import murmur2, partition_of


@given(st.binary(max_size=64))
def test_murmur2_is_kafkas(data: bytes) -> None:
    assert murmur2(data) == kafkas_murmur2(data) & 0xFFFFFFFF


def test_known_hashes_of_the_java_client() -> None:
    # org.apache.kafka.common.utils.UtilsTest, signed there.
    expected = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    for data, signed in expected.items():
        assert murmur2(data) == signed & 0xFFFFFFFF


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(1, 100))
def test_partition_is_in_range_and_kafkas(truck_id: str, partitions: int) -> None:
    expected = (kafkas_murmur2(truck_id.encode()) & 0x7FFFFFFF) % partitions
    assert partition_of(truck_id, partitions) == expected
    assert 0 <= partition_of(truck_id, partitions) < partitions
