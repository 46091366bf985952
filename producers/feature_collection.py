"""GeoJSON as the files of a city have it: a feature a line. Called by who writes a city."""

import json
from collections.abc import Iterable
from typing import Any


def feature_collection(features: Iterable[tuple[dict[str, Any], Any]]) -> bytes:
    """Of (properties, geometry), RFC 7946 section 3.3."""
    lines = ",\n".join(
        json.dumps(
            {"type": "Feature", "properties": properties, "geometry": geometry},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for properties, geometry in features
    )
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'.encode()
