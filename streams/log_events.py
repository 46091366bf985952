"""The events of the logs: a row each, its name and what it means for whoever reads it at night.

`docs/logs.md` is written from this table and from where the events are said
(`streams.logs_page`). A name stays once it is released (docs/versioning.md): alerts and searches
hang on it.
"""

from typing import Final

EVENTS: Final[dict[str, str]] = {
    "answer_failed": "A bug in answering one terminal; its connection is ended, the others go on.",
    "archive_unreadable": "The track of a case is shown without what the archive has.",
    "archiving": "The archiver reads on.",
    "audit_entry": "Somebody did something: logged in or failed to, opened or moved a case, "
    "changed a user. `seq` is the entry of the audit trail, which has reasons and details.",
    "cannot_go_on": "Something outside is not as it must be, and the worker ends; the error says "
    "what to do.",
    "cases_overdue": "So many cases have come under supervision.",
    "checkpoint_not_saved": "Partitions were given up without a last checkpoint; the next worker "
    "repeats what came since, under the same ids.",
    "checkpoint_waits": "Redis does not take a checkpoint; nothing new is read meanwhile.",
    "cities_unreadable": "Published cities cannot be read; those known stay in force.",
    "city_left_out": "A published city cannot be used; publish one that can.",
    "city_lost": "Redis has lost a published city; this worker may not put it back.",
    "city_put_back": "Redis had lost a published city; it is there again.",
    "city_replaced": "Two cities for one time, after Redis lost one: publish the new one for "
    "another time.",
    "city_taken_up": "A published city is known and in force from its time on.",
    "city_unreadable": "One published city cannot be read at present.",
    "connections_remain": "Connections did not end in time when the gateway stopped.",
    "console_served": "Console and API are served here.",
    "coordinator_unknown": "Kafka does not know the group's coordinator yet.",
    "database_away": "The database does not answer; what it was wanted for waits.",
    "failed_too": "What else failed while the process was ending for a bug.",
    "gap_passed_over": "Nothing was recorded for so long, and replay did not wait.",
    "gateway_stopped": "The gateway has stopped; what it had read is with Kafka.",
    "group_not_left": "The group was left without Kafka's knowing; it notices in time.",
    "kafka_away": "Kafka does not answer; what it was wanted for waits, nothing is lost.",
    "kafka_back": "Kafka answers again.",
    "library_message": "A library says something, in its own words: `message`.",
    "live_view_not_written": "The map lacks last positions until the trucks' next fixes.",
    "log_replaced": "The topic was made anew, or has lost records; it is read from its start.",
    "not_delivered": "Kafka did not take records of a gateway; terminals are told so and "
    "send again.",
    "not_idempotent": "The broker gives no producer ids; a record may stand twice after an "
    "outage, under the same id.",
    "offsets_not_committed": "Kafka's own offsets lag; nothing starts from them.",
    "outbox_failed": "A bug; the gateway takes nothing more and is not live.",
    "outputs_not_taken": "Kafka did not take a worker's outputs; it tries again and reads nothing.",
    "pages_served": "Metrics and health pages are served here.",
    "partition_loaded": "A partition is processed from `offset` on, with the state of its "
    "checkpoint if there is one.",
    "partition_not_loaded": "Loading a partition failed; it is tried again.",
    "partition_unseated": "Another worker has the partition, or Redis lost its checkpoint; what "
    "came since is repeated under the same ids.",
    "partitions_assigned": "The group has given these partitions to this worker.",
    "partitions_given_up": "This worker has given its partitions back, saved.",
    "platform_gone": "A platform's link has ended.",
    "platform_logged_in": "A platform has logged in.",
    "platform_login_unreadable": "A login that cannot be read; where it is encrypted, are M1, IA1 "
    "and IC1 those of the platform?",
    "platform_refused": "A login was refused; `result` is the standard's.",
    "platform_taken_over": "A platform has logged in again from elsewhere.",
    "platforms_awaited": "The gateway listens for platforms.",
    "position_cut": "A position too large for Kafka is published cut, to be rejected as malformed.",
    "process_failed": "Why the process ends, in one line.",
    "producer_not_closed": "Closing a connection to Kafka failed, which changes nothing.",
    "publish_failed": "Positions could not be published.",
    "publisher_failed": "A bug; nothing more is published.",
    "reading_refused": "Kafka does not let this user read; it is tried again.",
    "record_unreadable": "A record of the violations' topic is none; the audit trail keeps where.",
    "records_lost": "Kafka took records of a platform neither in time nor at the end.",
    "records_missed": "Kafka has deleted violations before they were read: keep them longer.",
    "records_put_again": "Records of platforms that Kafka did not take are written again.",
    "redis_away": "Redis does not answer; what it was wanted for waits or is refused.",
    "redis_back": "Redis answers again.",
    "request_answered": "A request to console or API: at debug what only reads, at warning what "
    "failed here.",
    "request_failed": "A bug in answering a request.",
    "terminal_admitted": "A terminal is in: its positions are those of this truck from now on.",
    "terminal_conflict": "Two claim to be one terminal, or one truck.",
    "terminal_forgotten": "What Redis has of a terminal cannot be read; it registers anew.",
    "terminal_in_two_trucks": "trucks.csv has a terminal twice; it is let in for none.",
    "terminal_refused": "A terminal was not let in, once a minute for each.",
    "terminal_registered": "A terminal has registered and has its code.",
    "terminal_replaced": "Another device, or another truck, has this phone from now on.",
    "terminals_awaited": "The gateway listens for terminals.",
    "terminals_come_anew": "The register has changed, and so many terminals have to log in again.",
    "terminals_known": "So many terminals are in the city directory.",
    "thread_failed": "A bug ends one of the console's threads, and the console.",
    "thread_remains": "A thread still waits for a server as the process ends; what it has not "
    "finished is done again.",
    "too_few_open_files": "The system allows fewer open files than connections: raise the limit "
    "(ulimit -n, LimitNOFILE).",
    "trucks_full": "A partition remembers as many trucks as it may; positions of others are "
    "rejected until MUCKTRACK_TRUCKS_A_PARTITION is raised.",
    "violation_queued": "A violation is acknowledged by Kafka.",
    "wait_ended": "What was waited for is there, after so many seconds.",
    "webhook_not_taken": "A receiver did not take a message; it is sent again later.",
    "webhook_put_aside": "A receiver did not take a message in all its tries: see `mucktrack "
    "webhooks`.",
}
