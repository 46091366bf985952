"""What `mucktrack settings` prints: lines that a shell or a Compose file can read back, except
for what is masked."""

import difflib
from collections.abc import Iterator

from mucktrack.settings import SETTINGS, Settings, unknown_variables, variables


def settings_lines(settings: Settings) -> Iterator[str]:
    for name, setting in SETTINGS.items():
        value = getattr(settings, name)
        note = "default" if value == setting.default else "set"
        default = "" if value == setting.default else f", default {setting.default or 'unset'}"
        flag = f"flag {setting.flag}" if setting.by_flag else "no flag"
        file = f"; or a file that holds it: {setting.file_variable}" if setting.secret else ""
        yield f"# {setting.help} ({setting.kind.form}; {flag}{file}; {note}{default})"
        yield f"{setting.variable}={setting.shown(value)}"


def unknown_lines() -> Iterator[str]:
    """One line for each variable in the environment that looks like a setting and is none."""
    known = sorted(variables())
    for variable in unknown_variables():
        close = difflib.get_close_matches(variable, known, n=1)
        yield f"{variable} is not a setting" + (f"; did you mean {close[0]}?" if close else "")
