"""Registration (0x0100), authentication (0x0102) and unregistration (0x0003) of terminals.

Asks the register, Redis and who is live; lets sessions in. Called by `producers.gateway.dialogue`,
which sends what comes out of it. Redis away is an answer "failure", never more: a terminal tries
again, and the sessions that are in stay in.
"""

import logging
import time
from dataclasses import dataclass
from typing import Final

from producers.gateway.conflicts import Conflicts
from producers.gateway.fleet_register import FleetRegister
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.registration import Registered, code_for, is_let_in, judge
from producers.gateway.sessions import Seat, Session, Sessions
from producers.gateway.terminal_store import Terminal, TerminalStore
from producers.jt808.session import Authenticate, Register
from producers.profiles.profile import Profile, Profiles
from streams.checkpoint import StoreAwayError
from streams.shown import shown

log = logging.getLogger(__name__)

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

    def of_registration(self, maker: str, model: str, is_2019: bool) -> Profile:
        return self._profiles.of_model(maker, model) or self.default(is_2019)

    def of_terminal(self, terminal: Terminal, is_2019: bool) -> Profile:
        """The one chosen at registration; chosen anew where it has been taken away since."""
        named = self._profiles.named(terminal.profile)
        return named or self.of_registration(terminal.maker, terminal.model, is_2019)

    def default(self, is_2019: bool) -> Profile:
        return self._default or self._profiles.standard("2019" if is_2019 else "2013")


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

    async def register(self, session: Session, said: Register) -> Admission | None:
        """What is answered with 0x8100; None = Redis does not answer, and no result of 0x8100 says
        "later"."""
        truck_id = self._register.terminals.truck_of.get(session.bare)
        maker, model, device = map(_text, (said.maker, said.model, said.terminal_id))
        plate = "" if said.plate_colour == NO_PLATE else said.plate
        result = self._judged(session, plate, maker, device)
        if result is not Registered.DONE or truck_id is None:
            return self._counted(Admission(result))
        try:
            before = await self._store.read(session.bare)
            code = code_for(before, truck_id, maker, device)
            profile = self._profiles.of_registration(maker, model, session.is_2019)
            await self._store.write(
                session.bare,
                Terminal(
                    code,
                    truck_id,
                    maker,
                    model,
                    device,
                    "2019" if session.is_2019 else profile.version,
                    profile.name,
                    time.time_ns() // 1_000_000,
                ),
            )
        except StoreAwayError as error:
            self._metrics.registrations.labels(AWAY).inc()
            log.warning("a registration is refused, Redis is away: %s", error)
            return None
        return self._counted(Admission(Registered.DONE, code))

    async def authenticate(self, session: Session, said: Authenticate) -> bool:
        """Whether the session is let in by now."""
        truck_id = self._register.terminals.truck_of.get(session.bare)
        try:
            terminal = None if truck_id is None else await self._store.read(session.bare)
        except StoreAwayError as error:
            self._metrics.authentications.labels(AWAY).inc()
            log.warning("an authentication is refused, Redis is away: %s", error)
            return False
        # The register may have changed while Redis was asked.
        truck_id = self._register.terminals.truck_of.get(session.bare)
        code = said.code.strip(PADDING)
        if (
            not session.live
            or terminal is None
            or truck_id is None
            or not is_let_in(terminal, truck_id, code)
        ):
            self._metrics.authentications.labels("refused").inc()
            return False
        session.maker, session.device = terminal.maker, terminal.device
        self._admit(session, truck_id, self._profiles.of_terminal(terminal, session.is_2019))
        self._metrics.authentications.labels("done").inc()
        return True

    def admit_unasked(self, session: Session) -> Seat | None:
        """Let a terminal of the register in without authentication, where that is so set."""
        truck_id = self._register.terminals.truck_of.get(session.bare)
        if not self._is_open or truck_id is None:
            return None
        return self._admit(session, truck_id, self._profiles.default(session.is_2019))

    async def unregister(self, session: Session) -> bool:
        """Its code lets nobody in any more. False = Redis does not answer."""
        try:
            await self._store.forget_code(session.bare)
        except StoreAwayError as error:
            log.warning("an unregistration is refused, Redis is away: %s", error)
            return False
        return True

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
        return seat

    def _counted(self, admission: Admission) -> Admission:
        self._metrics.registrations.labels(admission.result.name.lower()).inc()
        return admission


def _text(value: str) -> str:
    return shown(value.strip(PADDING), LONGEST_TEXT)
