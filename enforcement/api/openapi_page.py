"""`python -m enforcement.api.openapi_page` prints docs/openapi.json; `make openapi` writes it."""

import json
import sys

from enforcement.api.app import document


def page() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
