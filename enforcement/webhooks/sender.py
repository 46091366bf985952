"""Tells one receiver, in the order of the audit trail, what has been changed.

Run in a thread for each receiver. How far a receiver has been told stands in the database, so each
event is sent at least once, and again only where the process ended between the answer and noting
it. What a receiver does not take holds up the rest until its tries are used up; it is then put
aside as a dead letter. Of several processes on one database one at a time tells a receiver.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Event
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from enforcement.database import Database, DatabaseAwayError
from enforcement.tables import DeadLetterRow, HeadRow, WebhookRow
from enforcement.webhooks.messages import body_of
from enforcement.webhooks.post import NotTakenError, Post
from enforcement.webhooks.reading import first_wanted, told_of
from enforcement.webhooks.receivers import Receiver
from streams.health import Health
from streams.logs import get_log

log = get_log(__name__)

LOOK_S: Final = 0.5
HELD_MS: Final = 60_000
"""Longer than one message can take, several times."""
FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 300_000


@dataclass(slots=True)
class Tally:
    """What a sender has done since it was started."""

    sent: int = 0
    not_taken: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    seq: int
    message_id: str
    body: bytes
    is_letter: bool
    """A dead letter that somebody wants to be sent again."""


class Sender:
    """Tells one receiver until it is told to stop."""

    def __init__(
        self, receiver: Receiver, database: Database, health: Health, now_ms: Callable[[], int]
    ) -> None:
        self._receiver = receiver
        self._database = database
        self._health = health
        self._now_ms = now_ms
        self._holder = str(uuid4())
        self.tally = Tally()

    @property
    def name(self) -> str:
        return self._receiver.name

    def run(self, stop: Event) -> None:
        """Until `stop` is set."""
        waits = self._health.waits()
        with closing(Post(self._receiver)) as post:
            while not stop.is_set():
                try:
                    busy = self._turn(post)
                    waits.end()
                except DatabaseAwayError as error:
                    waits.begin("database", f"to tell {self.name}", after_s=0.0)
                    log.warning("database_away", purpose=f"to tell {self.name}", error=error)
                    busy = False
                if not busy:
                    stop.wait(LOOK_S)
        waits.end()
        with suppress(DatabaseAwayError):
            self._release()

    def _turn(self, post: Post) -> bool:
        """Whether something was done, so that there may be more."""
        if not self._has_work():
            return False
        with self._database.change() as (session, head):
            row = self._held(session, head)
            if row is None:
                return False
            before = row.next_seq
            task = self._task(session, row)
            skipped = row.next_seq != before
        if task is None:
            return skipped
        try:
            post.send(task.message_id, task.body)
        except NotTakenError as error:
            log.warning("webhook_not_taken", receiver=self.name, entry=task.seq, error=error)
            self._note(task, str(error))
        else:
            self._note(task, None)
        return True

    def _has_work(self) -> bool:
        """Without writing, since mostly there is none."""
        with self._database.read() as session:
            row = session.get(WebhookRow, self.name)
            if row is None:
                return True
            now_ms = self._now_ms()
            if row.holder not in (None, self._holder) and (row.held_until_ms or 0) > now_ms:
                return False
            if _letter_again(session, self.name) is not None:
                return True
            end = session.scalars(select(HeadRow.seq)).one()
            return row.next_seq <= end and (row.retry_ms or 0) <= now_ms

    def _held(self, session: Session, head: HeadRow) -> WebhookRow | None:
        """The receiver's row, which is this sender's for a while; None = it is another's."""
        row, now_ms = session.get(WebhookRow, self.name), self._now_ms()
        if row is None:
            # A receiver is told of what happens from now on.
            row = WebhookRow(receiver=self.name, next_seq=head.seq + 1, tries=0, failures=0)
            session.add(row)
        elif row.holder not in (None, self._holder) and (row.held_until_ms or 0) > now_ms:
            return None
        row.holder, row.held_until_ms = self._holder, now_ms + HELD_MS
        return row

    def _task(self, session: Session, row: WebhookRow) -> _Task | None:
        letter = _letter_again(session, self.name)
        if letter is not None:
            told = told_of(session, letter.seq)
            return _Task(letter.seq, told.id, body_of(told, self._receiver), is_letter=True)
        if (row.retry_ms or 0) > self._now_ms():
            return None
        seq, row.next_seq = first_wanted(session, row.next_seq, self._receiver)
        if seq is None:
            return None
        told = told_of(session, seq)
        return _Task(seq, told.id, body_of(told, self._receiver), is_letter=False)

    def _note(self, task: _Task, error: str | None) -> None:
        if error is None:
            self.tally.sent += 1
        else:
            self.tally.not_taken += 1
        with self._database.change() as (session, _):
            row = session.get_one(WebhookRow, self.name)
            if task.is_letter:
                self._note_letter(session, task, error)
            elif row.next_seq == task.seq:
                self._note_entry(session, row, error)

    def _note_entry(self, session: Session, row: WebhookRow, error: str | None) -> None:
        seq = row.next_seq
        row.error = error
        if error is None:
            row.next_seq, row.tries, row.failures, row.retry_ms = seq + 1, 0, 0, None
            return
        now_ms = self._now_ms()
        row.tries += 1
        row.failures += 1
        pause_ms = FIRST_PAUSE_MS << min(row.failures - 1, 20)
        row.retry_ms = now_ms + min(pause_ms, LONGEST_PAUSE_MS)
        if row.tries >= self._receiver.tries:
            log.error("webhook_put_aside", receiver=self.name, entry=seq, tries=row.tries)
            self.tally.dead += 1
            session.add(
                DeadLetterRow(
                    receiver=self.name,
                    seq=seq,
                    tries=row.tries,
                    at_ms=now_ms,
                    error=error,
                    again=False,
                )
            )
            row.next_seq, row.tries = seq + 1, 0

    def _note_letter(self, session: Session, task: _Task, error: str | None) -> None:
        letter = session.get(DeadLetterRow, (self.name, task.seq))
        if letter is None:
            return
        if error is None:
            session.delete(letter)
            return
        letter.tries += 1
        letter.at_ms, letter.error, letter.again = self._now_ms(), error, False

    def _release(self) -> None:
        with self._database.change() as (session, _):
            row = session.get(WebhookRow, self.name)
            if row is not None and row.holder == self._holder:
                row.holder = row.held_until_ms = None


def _letter_again(session: Session, name: str) -> DeadLetterRow | None:
    letters = select(DeadLetterRow).where(DeadLetterRow.receiver == name, DeadLetterRow.again)
    return session.scalars(letters.order_by(DeadLetterRow.seq).limit(1)).first()
