"""Registration (0x0100), authentication (0x0102) and unregistration (0x0003) of terminals.

Asks the register, Redis and who is live; lets sessions in. Called by `producers.gateway.dialogue`,
which sends what comes out of it. Redis away is an answer "failure", never more: a terminal tries
again, and the sessions that are in stay in.
"""

import time
from dataclasses import dataclass
from typing import Final

from producers.gateway.conflicts import Conflicts
from producers.gateway.fleet_register import FleetRegister
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.once import Once
from producers.gateway.registration import Registered, Terminal, code_for, is_code_of, judge
from producers.gateway.sessions import Seat, Session, Sessions
from producers.gateway.terminal_store import TerminalStore
from producers.jt808.header import Version
from producers.jt808.session import Authenticate, Register
from producers.profiles.profile import Profile, Profiles
from streams.checkpoint import StoreAwayError
from streams.logs import get_log
from streams.shown import shown

log = get_log(__name__)

PADDING: Final = "\0 "
NO_PLATE: Final = 0
"""The colour of a plate that is none: in its place is the VIN, which the register does not have."""
LONGEST_TEXT: Final = 64
"""Characters kept of what a registration states."""
AWAY: Final = "away"


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a registration."""

    result: Registered
    code: str = ""


class ChosenProfiles:
    """Which profile a terminal is read by."""

    def __init__(self, profiles: Profiles, default: str | None) -> None:
        """`default`: the name of the one for terminals whose model none is for; None = the
        standard's own. Raises `ValueError` where there is none of that name."""
        self._profiles = profiles
        self._default = None if default is None else profiles.named(default)
        if default is not None and self._default is None:
            raise ValueError(f"no profile {default!r}; there are {', '.join(profiles.names)}")

    @property
    def version(self) -> Version:
        """What terminals speak that are not let in yet, and whose header does not tell."""
        return self._default.version if self._default else "2013"

    def of_registration(self, maker: str, model: str, version: Version) -> Profile:
        """`version`: the edition whose layout the registration had."""
        return self._profiles.of_model(maker, model) or self._standard(version)

    def of_terminal(self, terminal: Terminal) -> Profile:
        """The one chosen at registration; chosen anew where it has been taken away since."""
        named = self._profiles.named(terminal.profile)
        return named or self.of_registration(terminal.maker, terminal.model, terminal.version)

    def of_unregistered(self, version: Version) -> Profile:
        """Headers do not tell 2011 from 2013; what the profile of 2011 reads holds for both."""
        return self._standard("2019" if version == "2019" else "2011")

    def _standard(self, version: Version) -> Profile:
        return self._default or self._profiles.standard(version)


class Entrance:
    """Lets terminals in."""

    def __init__(
        self,
        register: FleetRegister,
        store: TerminalStore,
        profiles: ChosenProfiles,
        sessions: Sessions,
        conflicts: Conflicts,
        metrics: GatewayMetrics,
        *,
        is_open: bool,
    ) -> None:
        """`is_open`: terminals of the register are let in without authentication."""
        self._register = register
        self._store = store
        self._profiles = profiles
        self._sessions = sessions
        self._conflicts = conflicts
        self._metrics = metrics
        self._is_open = is_open
        self._once = Once()

    async def register(self, session: Session, said: Register) -> Admission | None:
        """What is answered with 0x8100; None = Redis does not answer, and no result of 0x8100 says
        "later"."""
        truck_id = self._truck_of(session)
        maker, model, device = map(_text, (said.maker, said.model, said.terminal_id))
        plate = "" if said.plate_colour == NO_PLATE else said.plate
        result = self._judged(session, plate, maker, device)
        if result is not Registered.DONE or truck_id is None:
            self._tell_refused(session, f"registers with plate {plate!r}: {result.name.lower()}")
            return self._counted(Admission(result))
        version = "2019" if session.version == "2019" else said.layout
        profile = self._profiles.of_registration(maker, model, version)
        try:
            before = await self._store.read(session.bare)
            terminal = Terminal(
                code_for(before, truck_id, maker, device),
                *(truck_id, maker, model, device, version, profile.name),
                registered_ms=time.time_ns() // 1_000_000,
            )
            await self._store.write(session.bare, terminal)
        except StoreAwayError as error:
            self._metrics.registrations.labels(AWAY).inc()
            self._tell_away("registrations", error)
            return None
        if before is not None and before.code != terminal.code:
            self._tell_replaced(session, before, terminal)
        log.info(
            "terminal_registered",
            phone=session.bare,
            connection=session.link.name,
            truck_id=truck_id,
            profile=profile.name,
        )
        return self._counted(Admission(Registered.DONE, terminal.code))

    async def authenticate(self, session: Session, said: Authenticate) -> bool:
        """Whether the session is let in by now."""
        try:
            terminal = await self._store.read(session.bare) if self._truck_of(session) else None
        except StoreAwayError as error:
            if self._is_open and session.live:
                return self.admit_unasked(session) is not None
            self._metrics.authentications.labels(AWAY).inc()
            self._tell_away("authentications", error)
            return False
        # The register may have changed while Redis was asked.
        truck_id = self._truck_of(session)
        why = self._objection(session, truck_id, terminal, said.code.strip(PADDING))
        if truck_id is None or why is not None:
            self._metrics.authentications.labels("refused").inc()
            self._tell_refused(session, f"authenticates: {why}")
            return False
        profile = self._profiles.of_unregistered(session.version)
        if terminal is not None:
            session.maker, session.device = terminal.maker, terminal.device
            profile = self._profiles.of_terminal(terminal)
        self._admit(session, truck_id, profile)
        self._metrics.authentications.labels("done").inc()
        return True

    def admit_unasked(self, session: Session) -> Seat | None:
        """Let a terminal of the register in without authentication, where that is so set."""
        truck_id = self._truck_of(session)
        if not self._is_open or truck_id is None:
            return None
        return self._admit(session, truck_id, self._profiles.of_unregistered(session.version))

    async def unregister(self, session: Session) -> bool:
        """Its code lets nobody in any more. False = Redis does not answer."""
        try:
            await self._store.forget_code(session.bare)
        except StoreAwayError as error:
            self._tell_away("unregistrations", error)
            return False
        return True

    def _truck_of(self, session: Session) -> str | None:
        return self._register.terminals.truck_of.get(session.bare)

    def _objection(
        self, session: Session, truck_id: str | None, terminal: Terminal | None, code: str
    ) -> str | None:
        """Why the terminal is not let in; None = it is."""
        if not session.live:
            return "its connection has ended"
        if truck_id is None:
            return "it is not in the register"
        if self._is_open:
            return None
        if terminal is None:
            return "it has not registered"
        if terminal.truck_id != truck_id:
            return f"it has registered for {terminal.truck_id}, and is that of {truck_id} by now"
        return None if is_code_of(terminal, code) else "a wrong code"

    def _tell_replaced(self, session: Session, before: Terminal, now: Terminal) -> None:
        """Another device has this phone from now on, or another truck. Codes are not told."""
        if self._once.may(f"{session.bare} changed", time.monotonic()):
            log.warning(
                "terminal_replaced",
                phone=session.bare,
                connection=session.link.name,
                truck_id=now.truck_id,
                device=f"{now.maker}/{now.device}",
                truck_id_before=before.truck_id,
                device_before=f"{before.maker}/{before.device}",
            )

    def _tell_refused(self, session: Session, what: str) -> None:
        """For whoever wonders why a terminal does not show."""
        if self._once.may(session.bare, time.monotonic()):
            log.info(
                "terminal_refused", phone=session.bare, connection=session.link.name, reason=what
            )

    def _tell_away(self, what: str, error: StoreAwayError) -> None:
        if self._once.may(what, time.monotonic()):
            log.warning("redis_away", purpose=what, error=error)

    def _judged(self, session: Session, plate: str, maker: str, device: str) -> Registered:
        verdict = judge(self._register.terminals, session.bare, plate)
        if verdict.rival is not None and self._sessions.of(verdict.rival) is not None:
            self._conflicts.report(
                "truck_claimed",
                verdict.rival,
                f"plate {plate} claimed by terminal {session.bare} from {session.link.name}",
            )
        if verdict.result is not Registered.DONE:
            return verdict.result
        live = self._sessions.of(session.bare)
        if live is None or not live.device or (live.maker, live.device) == (maker, device):
            return Registered.DONE
        self._conflicts.report(
            "other_device",
            session.bare,
            f"device {maker}/{device} from {session.link.name}, while {live.maker}/"
            f"{live.device} is connected from {live.link.name}",
        )
        return Registered.TERMINAL_TAKEN

    def _admit(self, session: Session, truck_id: str, profile: Profile) -> Seat:
        seat = session.seat = Seat(truck_id, profile)
        before = self._sessions.of(session.bare)
        if self._sessions.admit(session, session.last_s) and before is not None:
            self._conflicts.report(
                "flapping",
                session.bare,
                f"now from {session.link.name}, before from {before.link.name}",
            )
        self._metrics.sessions.set(len(self._sessions))
        log.info(
            "terminal_admitted",
            phone=session.bare,
            connection=session.link.name,
            truck_id=truck_id,
            profile=profile.name,
        )
        return seat

    def _counted(self, admission: Admission) -> Admission:
        self._metrics.registrations.labels(admission.result.name.lower()).inc()
        return admission


def _text(value: str) -> str:
    return shown(value.strip(PADDING), LONGEST_TEXT)
