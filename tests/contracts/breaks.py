"""What of a contract has changed so that somebody's program breaks (docs/versioning.md).

`breaks_of_output` looks at what we write and others read: whoever reads by the old schema must go
on by the new one. `breaks_of_input` looks at what others write and we read: whatever the old one
took, the new one takes. `breaks_of_api` does both to an OpenAPI document. A line a break.
Shapes that none of our schemas has are not known here, and said to be so.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

Schema = Mapping[str, Any]
Side = Literal["output", "input"]

WORDS: Final = {"title", "description", "default", "examples", "$schema", "$id", "$defs", "format"}
"""What says nothing of which values are right. A format is told of by itself."""
LOWER: Final = ("minimum", "minLength", "minItems", "exclusiveMinimum", "minProperties")
UPPER: Final = ("maximum", "maxLength", "maxItems", "exclusiveMaximum", "maxProperties")
KNOWN: Final = {
    *(*LOWER, *UPPER, "type", "properties", "required", "additionalProperties", "items"),
    *("prefixItems", "anyOf", "oneOf", "allOf", "enum", "const", "pattern", "$ref"),
    *("contentMediaType", "discriminator", "propertyNames"),
}
MOST_DEEP: Final = 12


def breaks_of_output(old: Schema, new: Schema) -> list[str]:
    """A field gone or no longer sure to be there, a type wider, a bound or pattern looser."""
    return list(_Comparison(old, new, "output").breaks(old, new, "$", 0))


def breaks_of_input(old: Schema, new: Schema) -> list[str]:
    """A field newly required, a type narrower, a bound tighter, a value no longer taken."""
    return list(_Comparison(old, new, "input").breaks(old, new, "$", 0))


class _Comparison:
    """Of two documents, within which the references are."""

    def __init__(self, old: Schema, new: Schema, side: Side) -> None:
        self._old, self._new, self._side = old, new, side

    def breaks(self, old: Schema, new: Schema, at: str, depth: int) -> Iterator[str]:
        if depth > MOST_DEEP:
            return
        old, new = _followed(old, self._old), _followed(new, self._new)
        for unknown in sorted({*old, *new} - KNOWN - WORDS):
            yield f"{at}: {unknown} is not known to the checker"
        yield from self._types(old, new, at)
        yield from self._values(old, new, at)
        yield from self._bounds(old, new, at)
        yield from self._fields(old, new, at, depth)
        for name in ("items", "additionalProperties", "propertyNames"):
            before, now = old.get(name), new.get(name)
            if isinstance(before, Mapping) and isinstance(now, Mapping):
                yield from self.breaks(before, now, f"{at}[]", depth + 1)
        yield from self._parts(old, new, at, depth)
        yield from self._choices(old, new, at, depth)

    def _types(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, now = self._kinds(old, self._old), self._kinds(new, self._new)
        wrong = _beyond(now, before) if self._side == "output" else _beyond(before, now)
        if wrong:
            how = "may be" if self._side == "output" else "is no longer taken as"
            yield f"{at}: {how} {', '.join(sorted(wrong))}"

    def _kinds(self, schema: Schema, document: Schema) -> set[str]:
        """JSON's types that it allows."""
        schema = _followed(schema, document)
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return set().union(*(self._kinds(one, document) for one in schema[name]))
        kinds = schema.get("type")
        if kinds is None:
            values = schema.get("enum", [schema["const"]] if "const" in schema else None)
            return {"any"} if values is None else {_kind(one) for one in values}
        return {kinds} if isinstance(kinds, str) else set(kinds)

    def _values(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, now = _listed(old), _listed(new)
        if self._side == "output":
            # New values are to be expected (docs/versioning.md), where values were listed.
            if before is not None and now is None:
                yield f"{at}: its values are no longer listed"
            if "const" in old and now != before:
                yield f"{at}: is no longer always {old['const']!r}"
        elif now is not None and (before is None or not before <= now):
            gone = "any" if before is None else ", ".join(sorted(before - now))
            yield f"{at}: values no longer taken: {gone}"
        for name in ("pattern", "format"):
            was, is_now = old.get(name), new.get(name)
            if was != is_now and (was if self._side == "output" else is_now) is not None:
                yield f"{at}: {name} was {was}, is {is_now}"

    def _bounds(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        for name in (*LOWER, *UPPER):
            before, now = old.get(name), new.get(name)
            wide, tight = (now, before) if self._side == "output" else (before, now)
            # The tight one must not lie within the wide one, where it binds at all.
            if tight is None or wide == tight:
                continue
            is_lower = name in LOWER
            if wide is None or (wide < tight if is_lower else wide > tight):
                yield f"{at}: {name} was {before}, is {now}"

    def _fields(self, old: Schema, new: Schema, at: str, depth: int) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        must_before, must_now = set(old.get("required", ())), set(new.get("required", ()))
        if self._side == "output":
            for name in sorted(before.keys() - now.keys()):
                yield f"{at}.{name}: is gone"
            for name in sorted((must_before - must_now) & now.keys()):
                yield f"{at}.{name}: is no longer always there"
            if old.get("additionalProperties") is False and now.keys() - before.keys():
                yield f"{at}: has more fields, and said that there are none"
        else:
            for name in sorted(must_now - must_before):
                yield f"{at}.{name}: is required"
            if new.get("additionalProperties") is False:
                if old.get("additionalProperties") is not False:
                    yield f"{at}: takes no unknown fields any more"
                for name in sorted(before.keys() - now.keys()):
                    yield f"{at}.{name}: is not taken any more"
            elif gone := sorted(before.keys() - now.keys()):
                yield f"{at}: does not read any more: {', '.join(gone)}"
        for name in sorted(before.keys() & now.keys()):
            yield from self.breaks(before[name], now[name], f"{at}.{name}", depth + 1)

    def _parts(self, old: Schema, new: Schema, at: str, depth: int) -> Iterator[str]:
        """Of a tuple: whoever reads it counts."""
        before, now = old.get("prefixItems"), new.get("prefixItems")
        if (before is None) != (now is None):
            yield f"{at}: was a tuple, or is one now"
        elif before is not None and now is not None:
            if len(before) != len(now):
                yield f"{at}: has {len(now)} parts, had {len(before)}"
            for number, (one, other) in enumerate(zip(before, now, strict=False)):
                yield from self.breaks(one, other, f"{at}[{number}]", depth + 1)

    def _choices(self, old: Schema, new: Schema, at: str, depth: int) -> Iterator[str]:
        """Alternatives of one JSON type stand for each other."""
        before, now = self._alternatives(old, self._old), self._alternatives(new, self._new)
        for kind in sorted(before.keys() & now.keys()):
            yield from self.breaks(before[kind], now[kind], at, depth + 1)

    def _alternatives(self, schema: Schema, document: Schema) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        for choice in schema.get("anyOf") or schema.get("oneOf") or ():
            one = _followed(choice, document)
            kinds = self._kinds(one, document)
            # Objects are told apart by what they are called.
            found[f"{'/'.join(sorted(kinds))} {one.get('title', '')}"] = one
        return found


def breaks_of_api(old: Schema, new: Schema) -> list[str]:
    """Of two OpenAPI documents: paths, methods, parameters, bodies and answers."""
    found: list[str] = []
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            now = new["paths"].get(path, {}).get(method)
            at = f"{method.upper()} {path}"
            if now is None:
                found.append(f"{at}: is gone")
            else:
                found += _of_operation(old, new, before, now, at)
    return found


def _of_operation(old: Schema, new: Schema, before: Schema, now: Schema, at: str) -> Iterator[str]:
    yield from _of_parameters(old, new, before, now, at)
    if "requestBody" in now:
        if "requestBody" not in before and now["requestBody"].get("required"):
            yield f"{at}: needs a body"
        yield from _of_bodies(old, new, before.get("requestBody"), now["requestBody"], at, "input")
    for status, answer in before["responses"].items():
        if status not in now["responses"]:
            yield f"{at} {status}: is gone"
        else:
            told = now["responses"][status]
            yield from _of_bodies(old, new, answer, told, f"{at} {status}", "output")


def _of_parameters(old: Schema, new: Schema, before: Schema, now: Schema, at: str) -> Iterator[str]:
    taken = {(one["in"], one["name"]): one for one in now.get("parameters", ())}
    known = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
    for key, one in taken.items():
        if key not in known and one.get("required"):
            yield f"{at} {key[1]}: is required"
    for key, one in known.items():
        if key not in taken:
            yield f"{at} {key[1]}: is not taken any more"
            continue
        if taken[key].get("required") and not one.get("required"):
            yield f"{at} {key[1]}: is required"
        comparison = _Comparison(old, new, "input")
        yield from comparison.breaks(one["schema"], taken[key]["schema"], f"{at} {key[1]}", 0)


def _of_bodies(
    old: Schema, new: Schema, before: Schema | None, now: Schema, at: str, side: Side
) -> Iterator[str]:
    for kind, body in (before or {}).get("content", {}).items():
        if kind not in now.get("content", {}):
            yield f"{at}: {kind} is gone"
        elif "schema" in body:
            told = now["content"][kind].get("schema", {})
            yield from _Comparison(old, new, side).breaks(body["schema"], told, at, 0)


def _followed(schema: Schema, document: Schema) -> Schema:
    while isinstance(schema.get("$ref"), str):
        more = {name: value for name, value in schema.items() if name != "$ref"}
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = {**found, **more}
    return schema


def _listed(schema: Schema) -> set[str] | None:
    """The values that it lists; None = it does not."""
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(one) for one in schema["enum"]} if "enum" in schema else None


def _beyond(kinds: set[str], within: set[str]) -> set[str]:
    """Which of `kinds` are not among the others; an integer is a number."""
    if "any" in within:
        return set()
    more = {"integer"} if "number" in within else set()
    return kinds - within - more


def _kind(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return names.get(type(value), "object")
