"""Ids of violations and trips are those of RFC 9562."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from streams.output import NAMESPACE, named_id


@given(st.text(st.characters(codec="utf-8")))
def test_an_id_is_a_uuid_of_version_5(name: str) -> None:
    assert named_id(name) == str(uuid.uuid5(NAMESPACE, name))
