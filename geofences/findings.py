"""Faults found in reference data, each told so that its owner can repair it.

The loader and the city check make them, the command line prints them. Knows nothing of what is
checked.
"""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]

_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. With an error the city does not load; a warning wants a look."""

    severity: Severity
    file: str
    feature: str | None
    """Which part of the file, e.g. `feature 12 'disposal-07'` (counted from 1) or `line 3 'P01'`;
    None for the file as a whole."""
    field: str | None
    """Property, column, key, or `geometry`."""
    value: str | None
    """The offending value as it is shown; None where there is none to show."""
    message: str
    """What is wrong with it, what is allowed, what to do."""

    def render(self) -> str:
        """One line, e.g. `sites.geojson: feature 12 'disposal-07': geometry crosses itself at
        (121.41, 31.20); repair the polygon`."""
        where = self.file if self.feature is None else f"{self.file}: {self.feature}"
        what = " ".join(part for part in (self.field, self.value, self.message) if part)
        return f"{where}: {what}"


def shown(value: object) -> str:
    """`value` as a finding shows it: quoted where it is text, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


@dataclass(slots=True)
class Report:
    """Collects findings, so that one reading finds every fault."""

    findings: list[Finding] = field(default_factory=list)

    def error(
        self,
        file: str,
        message: str,
        *,
        feature: str | None = None,
        field: str | None = None,
        value: str | None = None,
    ) -> None:
        self.findings.append(Finding("error", file, feature, field, value, message))

    def warning(
        self,
        file: str,
        message: str,
        *,
        feature: str | None = None,
        field: str | None = None,
        value: str | None = None,
    ) -> None:
        self.findings.append(Finding("warning", file, feature, field, value, message))

    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)
