#!/bin/sh
# Whether Kafka answers: asked where only its own container can, and so without a password.
set -eu
export KAFKA_HEAP_OPTS=-Xmx64m
exec "${KAFKA_PROGRAMS:-/opt/kafka/bin}/kafka-configs.sh" --bootstrap-server "${1:-127.0.0.1:19092}" \
    --describe --entity-type brokers --entity-name 1 >/dev/null
