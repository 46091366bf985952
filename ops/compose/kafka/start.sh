#!/bin/sh
# Starts Kafka in its container; the first time it prepares the data folder, with the users in it.
#
# The image's own start takes its settings from the environment and cannot make users of SCRAM, without
# whom nobody could log in to make any.
set -eu

programs=${KAFKA_PROGRAMS:-/opt/kafka/bin}
settings=${KAFKA_SETTINGS:-/etc/mucktrack/server.properties}
secrets=${KAFKA_SECRETS:-/run/secrets}
data=$(sed -n 's/^log\.dirs=//p' "$settings")

if [ ! -f "$data/meta.properties" ]; then
    set --
    for user in admin worker archiver producer console; do
        set -- "$@" --add-scram "SCRAM-SHA-512=[name=$user,password=$(cat "$secrets/kafka_$user")]"
    done
    # As kafka-storage.sh random-uuid makes it, which also prints its log.
    cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    "$programs/kafka-storage.sh" format --config "$settings" "--cluster-id=$cluster" "$@"
fi
exec "$programs/kafka-server-start.sh" "$settings"
