"""`mucktrack users`: who may log in to the console.

Whoever has the database's address needs no password; the audit trail says that it was done here.
"""

import time
from dataclasses import replace
from pathlib import Path

import click

from enforcement.access.identity import COMMAND_LINE, AccessError, Districts
from enforcement.access.passwords import made_up
from enforcement.access.users import User, UserChange, list_users
from enforcement.access.users import add_user as add_to
from enforcement.access.users import change_user as change_in
from mucktrack import city_check
from mucktrack.database import opened
from mucktrack.failures import BadInputError

ALL = "all"


def add(
    address: str, name: str, role: str | None, districts_text: str | None, city: Path | None
) -> None:
    """`city`: the directory whose districts there are; None = not known. Raises `BadInputError`,
    `WorkFailedError`."""
    if role is None:
        raise BadInputError("say with --role what he may do")
    if districts_text is None:
        raise BadInputError("say with --districts which districts he sees, or all")
    password = made_up()
    districts = _districts(districts_text, city)
    with opened(address, to_begin=True) as database:
        try:
            user = add_to(
                database,
                COMMAND_LINE,
                _now_ms(),
                name,
                role,  # type: ignore[arg-type]
                districts,
                password,
            )
        except AccessError as error:
            raise BadInputError(str(error)) from None
    click.echo(f"{_line(user)}\npassword, to be changed at the first login: {password}")


def change(
    address: str,
    name: str,
    role: str | None,
    districts_text: str | None,
    disabled: bool | None,
    city: Path | None,
    *,
    new_password: bool,
) -> None:
    """`city` as for `add`. Raises `BadInputError`, `WorkFailedError`."""
    wanted = UserChange(role=role, disabled=disabled)  # type: ignore[arg-type]
    if districts_text is not None:
        districts = _districts(districts_text, city)
        wanted = replace(wanted, districts=districts, all_districts=districts is None)
    if new_password:
        wanted = replace(wanted, password=made_up())
    if wanted == UserChange():
        raise BadInputError("say what is to be different")
    with opened(address) as database:
        try:
            user = change_in(database, COMMAND_LINE, _now_ms(), name, wanted)
        except AccessError as error:
            raise BadInputError(str(error)) from None
    click.echo(_line(user))
    if wanted.password is not None:
        click.echo(f"password, to be changed at the next login: {wanted.password}")


def print_users(address: str) -> None:
    with opened(address) as database, database.read() as session:
        users = list_users(session, COMMAND_LINE)
    for user in users:
        click.echo(_line(user))
    if not users:
        click.echo(
            "nobody may log in yet; add somebody: mucktrack users add NAME --role admin "
            "--districts all",
            err=True,
        )


def _districts(text: str, city: Path | None) -> Districts:
    if text == ALL:
        return None
    codes = [code.strip() for code in text.split(",")]
    if not all(codes):
        raise BadInputError(f"--districts {text}: write codes joined by commas, or {ALL}")
    if city is not None:
        there = {district.code: district.name for district in city_check.load(city).districts}
        for code in codes:
            if code not in there:
                known = ", ".join(f"{one} {name}" for one, name in there.items())
                raise BadInputError(
                    f"--districts {text}: {city} has no district {code!r}; it has {known}"
                )
    return frozenset(codes)


def _line(user: User) -> str:
    districts = ALL if user.districts is None else ",".join(sorted(user.districts))
    notes = [note for note, holds in (("disabled", user.disabled),) if holds]
    return " · ".join([user.name, user.role, f"districts {districts}", *notes])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
