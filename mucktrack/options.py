"""Flags made from the settings, so that each setting has the same flag in every command, and what
else the commands have in common.

Used by `mucktrack.commands`. It knows nothing of what the settings mean.
"""

import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from mucktrack.failures import BadInputError
from mucktrack.settings import SETTINGS, Setting, SettingError, Settings, load_settings


class Number(click.FloatRange):
    """A number in a range; infinity and NaN, which `float` reads too, are none."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number


class FilePath(click.Path):
    """A path. An empty one, as an unset variable of a shell gives it, would mean the directory one
    is in."""

    def __init__(self, *, allow_dash: bool = False) -> None:
        super().__init__(path_type=Path, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty", param, ctx)
        return super().convert(value, param, ctx)


POSITION_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE…", type=FilePath())
COLUMNS = click.option(
    "--columns",
    type=FilePath(),
    metavar="FILE",
    help="What the columns of a vendor's export mean, as TOML (docs/files.md). Then .csv, .tsv, "
    ".txt, .parquet, .xlsx and .xls are read by it.",
)
TRUCK = click.option(
    "--truck",
    "truck_id",
    metavar="TRUCK",
    help="The truck that all positions are of, for .gpx and with --columns.",
)
TARGET = FilePath(allow_dash=True)
"""A file to be written, or `-`."""


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the flags of these settings and the argument `settings`, which holds all."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**arguments: Any) -> None:
            texts = {name: arguments.pop(name) for name in names}
            try:
                settings = load_settings(_parsed(texts))
            except SettingError as error:
                raise BadInputError(str(error)) from None
            command(settings=settings, **arguments)

        decorated: Callable[..., None] = functools.wraps(command)(run)
        for name in reversed(names):
            decorated = _option(SETTINGS[name])(decorated)
        return decorated

    return decorate


def _parsed(texts: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        name: SETTINGS[name].parse(text, SETTINGS[name].flag)
        for name, text in texts.items()
        if text is not None
    }


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    default = f"; default: {setting.default}" if setting.default is not None else ""
    file = f" or {setting.file_variable}" if setting.file_variable else ""
    return click.option(
        setting.flag,
        setting.name,
        metavar=setting.kind.form,
        help=f"{setting.help}  [{setting.variable}{file}{default}]",
    )


def required(settings: Settings, name: str) -> Any:
    """The value of a setting without which the command cannot run."""
    value = getattr(settings, name)
    if value is None:
        setting = SETTINGS[name]
        raise BadInputError(f"{name} is not set: give {setting.flag} or {setting.variable}")
    return value
