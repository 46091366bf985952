"""docs/asyncapi.yaml: a document by the specification, and one that is true."""

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from contract_parts import asyncapi, followed, schema
from golden import golden, prepared_city

from mucktrack.topics import TOPICS
from streams.detect import Engine
from streams.output import ce_headers, encode
from streams.position import Position, Tick, decode_record
from streams.version import version

SPECIFICATION = Path(__file__).parent / "asyncapi" / "3.0.0.json"
CHANNELS = {one["address"]: one for one in asyncapi()["channels"].values()}


@pytest.fixture(scope="module")
def specification() -> Any:
    return jsonschema_rs.validator_for(json.loads(SPECIFICATION.read_text(encoding="utf-8")))


def test_it_is_a_document_of_asyncapi_3(specification: Any) -> None:
    assert [str(one) for one in specification.iter_errors(asyncapi())] == []


@pytest.mark.parametrize("fault", ["version", "unknown", "action", "binding"])
def test_the_specification_would_notice(specification: Any, fault: str) -> None:
    broken = copy.deepcopy(asyncapi())
    match fault:
        case "version":
            broken["asyncapi"] = "2.6.0"
        case "unknown":
            broken["channels"]["trips"]["adress"] = "transport.trips"
        case "action":
            broken["operations"]["tellTrips"]["action"] = "publish"
        case "binding":
            broken["channels"]["trips"]["bindings"]["kafka"]["partitions"] = "12"
    assert not specification.is_valid(broken)


def test_the_topics_are_those_that_are_made() -> None:
    assert set(CHANNELS) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        kafka = CHANNELS[topic.name]["bindings"]["kafka"]
        retention = timedelta(milliseconds=kafka["topicConfiguration"]["retention.ms"])
        assert (kafka["partitions"], retention) == (topic.partitions or 12, topic.retention)


def test_it_is_of_this_version() -> None:
    assert asyncapi()["info"]["version"] == version()


def test_every_topic_has_who_writes_or_reads_it() -> None:
    told = {followed(one["channel"])["address"] for one in asyncapi()["operations"].values()}
    assert told == set(CHANNELS)


def messages() -> list[tuple[str, dict[str, Any]]]:
    return [(name, followed(one)) for name, one in asyncapi()["components"]["messages"].items()]


@pytest.mark.parametrize("name", asyncapi()["components"]["messages"])
def test_examples_are_by_their_schema(name: str) -> None:
    message = dict(messages())[name]
    assert message["examples"]
    payload = message["payload"].get("schema", message["payload"])
    defined = {"$defs": schema("positions")["$defs"]} if name in ("position", "array") else {}
    for example in message["examples"]:
        if "payload" in example:
            assert jsonschema_rs.is_valid(payload | defined, example["payload"])
        if "headers" in message:
            assert jsonschema_rs.is_valid(message["headers"]["schema"], example["headers"])


@pytest.mark.parametrize("name", ["position", "array", "tick"])
def test_examples_of_positions_are_taken(name: str) -> None:
    for example in dict(messages())[name]["examples"]:
        elements = decode_record(json.dumps(example["payload"]).encode())
        assert all(isinstance(one, Position | Tick) for one in elements)


def test_the_violation_and_the_trip_are_what_the_engine_says() -> None:
    outcomes = []
    for scenario in ("off-route", "illegal-dumping"):
        engine = Engine.offline(prepared_city())
        outcomes += [engine.process(golden(scenario).positions), engine.finish()]
    violation = next(one for outcome in outcomes for one in outcome.violations)
    (example,) = dict(messages())["violation"]["examples"]
    assert example["payload"] == json.loads(encode(violation))
    assert example["headers"] == {name: text.decode() for name, text in ce_headers(violation)}
    trip = next(one for outcome in outcomes[2:] for one in outcome.trips)
    (example,) = dict(messages())["trip"]["examples"]
    assert example["payload"] == json.loads(encode(trip))
