"""The OpenAPI document, against the API: schemathesis makes requests of it, good ones and bad ones,
and looks at the answers.

Bounded, and the same requests every time on CI. The person who asks is an administrator of one
district, so that all doors are open but those to the other one.
"""

import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from office_parts import HERE, NOW_MS, ROOT, THERE, TestOffice, violation
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from enforcement.api.app import PREFIX, document
from enforcement.api.openapi_page import page

EXAMPLES: Final = 25
"""Of each operation."""
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
FOREIGN: Final = "浙X99999"
ENDLESS: Final = f"{PREFIX}/events"


@schemathesis.serializer("application/pdf", "video/mp4")
def as_it_is(_: Any, content: Any) -> bytes:
    """Files of kinds that schemathesis does not make by itself."""
    return content if isinstance(content, bytes) else repr(content).encode()


schema = schemathesis.openapi.from_dict(document()).exclude(path=ENDLESS)


def test_the_published_document_is_current() -> None:
    assert (ROOT / "docs" / "openapi.json").read_text() == page(), "run `make openapi`"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[TestOffice]:
    folder = tmp_path_factory.mktemp("office")
    made = TestOffice(f"sqlite:///{folder}/cases.db", redis_url=redis_url)
    made.take(violation(), violation(FOREIGN, district=THERE, company=FOREIGN))
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(office: TestOffice) -> str:
    made, _ = office.parts.tokens.add(
        office.boss, "machine", "admin", frozenset({HERE}), NOW_MS + 1_000_000
    )
    return made


@pytest.fixture(scope="module")
def known(office: TestOffice) -> dict[str, str]:
    """Ids of cases: one here, one there, and one that there is not."""
    here, there = office.take(violation(), violation(FOREIGN, district=THERE))
    return {"here": here, "there": there, "nobody's": str(uuid.UUID(int=0))}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_breaks_and_nothing_leaks(
    case: Any, office: TestOffice, token: str, known: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    answer = case.call(app=office.app, headers=headers)
    case.validate_response(answer, checks=CHECKS)
    assert FOREIGN not in answer.text or FOREIGN in str(case.path_parameters) + str(case.query)
    # What was made up above seldom is the id of anything.
    if "case_id" in (case.path_parameters or {}):
        answers = {}
        for whose, case_id in known.items():
            case.path_parameters["case_id"] = case_id
            answer = case.call(app=office.app, headers=headers)
            assert answer.status_code < 500
            answers[whose] = answer.status_code, answer.text.replace(case_id, "")
        assert answers["there"] == answers["nobody's"]
        assert answers["there"][0] >= 400
