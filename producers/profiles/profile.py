"""Terminal profiles: what the locations of one kind of terminal mean, as data.

The load, lift and cover of a muck truck have no national encoding: makers and cities differ. So
each kind of terminal has a TOML file that says where its sensors' readings stand and which values
mean true or false; whatever it does not list is unknown. `docs/profiles.md` says how to write one.
The gateways and the `profiles` command load them; knows nothing of connections or trucks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geofences.datum import Datum
from geofences.findings import Finding, Report
from producers.jt808.header import Version
from producers.profiles.reading import (
    Reader,
    Scale,
    Switch,
    compile_scale,
    compile_switch,
)

SHIPPED = Path(__file__).parent
ANY_MODEL = "*"


class ProfileError(ValueError):
    """Profiles cannot be used; its text has one line a fault: file, field, value, what is
    allowed."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("\n".join(finding.render() for finding in findings))


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of terminal, and the readers compiled from what is known of it."""

    name: str
    about: str
    version: Version
    """The edition of JT/T 808 that it speaks: a header tells 2019 alone."""
    datum: Datum
    models: tuple[tuple[str, str], ...]
    """Manufacturer and model of the registrations (0x0100) it is for; model `*` = all others of
    the manufacturer. Empty: only taken by its name."""
    loaded: Switch | None
    lifted: Switch | None
    covered: Switch | None
    load_kg: Scale | None
    file: str
    read_loaded: Reader[bool] = field(init=False, repr=False, compare=False)
    read_lifted: Reader[bool] = field(init=False, repr=False, compare=False)
    read_covered: Reader[bool] = field(init=False, repr=False, compare=False)
    read_load_kg: Reader[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("loaded", "lifted", "covered"):
            object.__setattr__(self, f"read_{name}", compile_switch(getattr(self, name)))
        object.__setattr__(self, "read_load_kg", compile_scale(self.load_kg))


class Profiles:
    """Profiles that go together: each name once, each model once."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """Raises `ProfileError`."""
        self._by_name: dict[str, Profile] = {}
        self._by_model: dict[tuple[str, str], Profile] = {}
        report = Report()
        for profile in profiles:
            self._add(profile, report)
        if report.findings:
            raise ProfileError(report.findings)

    def _add(self, profile: Profile, report: Report) -> None:
        first = self._by_name.setdefault(profile.name, profile)
        if first is not profile:
            message = f"is the name of {first.file} too; give each profile a name of its own"
            report.error(profile.file, message, field="name", value=repr(profile.name))
            return
        for model in profile.models:
            first = self._by_model.setdefault(model, profile)
            if first is not profile:
                message = f"is claimed by {first.file} too; a model has one profile"
                report.error(profile.file, message, field="models", value=repr("/".join(model)))

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Profile | None:
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def of_model(self, manufacturer: str, model: str) -> Profile | None:
        """That of a registration (0x0100), whose fields may be filled up with NUL or spaces."""
        maker = manufacturer.strip("\0 ")
        return self._by_model.get((maker, model.strip("\0 "))) or self._by_model.get(
            (maker, ANY_MODEL)
        )

    def standard(self, version: Version) -> Profile:
        """What is known of a terminal of which only its edition of the standard is."""
        return self._by_name[f"standard-{version}"]


def load_profiles(folder: Path | None = None) -> Profiles:
    """The shipped profiles and those in `folder` (its .toml files). Raises `ProfileError`."""
    return _load([SHIPPED] if folder is None else [SHIPPED, folder])


def check_profiles(places: Sequence[Path]) -> list[Profile]:
    """The profiles in files and folders, if they can be used together with the shipped ones.
    Raises `ProfileError`."""
    profiles = _load([SHIPPED, *places])
    paths = {path.resolve() for place in places for path in _files(place)}
    return [profile for profile in profiles if Path(profile.file).resolve() in paths]


def _load(places: Sequence[Path]) -> Profiles:
    from producers.profiles.parse import read_profile

    report = Report()
    paths: dict[Path, Path] = {}
    for place in places:
        files = _files(place)
        if not files:
            report.error(str(place), "holds no profile; give .toml files or the folder of some")
        for path in files:
            paths.setdefault(path.resolve(), path)
    read = [read_profile(path, report) for path in paths.values()]
    if report.findings:
        raise ProfileError(report.findings)
    return Profiles(profile for profile in read if profile is not None)


def _files(place: Path) -> list[Path]:
    return sorted(place.glob("*.toml")) if place.is_dir() else [place]
