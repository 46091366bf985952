#!/bin/sh
# Makes the passwords of docker-compose.yml: sh ops/compose/secrets.sh FOLDER
#
# None of them is in the repository or the same twice. What is in FOLDER already is never replaced:
# servers keep the passwords that they began with (docs/deploy.md tells how to change one).
set -eu

[ $# -eq 1 ] || { echo "usage: sh ops/compose/secrets.sh FOLDER" >&2; exit 2; }
folder=$1
if [ -e "$folder" ]; then
    echo "$folder exists; nothing was made. Name a folder that does not, or take that one away." >&2
    exit 1
fi
case $folder in
    /*) ;;
    *) folder=./$folder ;;
esac

# What is given, where it is 256 bits in letters and digits, which stand for themselves in every file
# and URL; a program that is missing would leave something shorter.
checked() {
    [ ${#1} -eq 64 ] || { echo "this machine lacks one of: od, tr, sha256sum, cut" >&2; return 1; }
    printf '%s' "$1"
}

password() {
    checked "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
}

# Each file ends with a line break; all that read them take it off.
put() {
    printf '%s\n' "$2" >"$made/$1"
}

# Containers read each file as users of their own, so everybody may; that nobody else on this machine
# can is the folder's doing. Only the engine, as root, comes through it.
umask 077
mkdir -p "$(dirname "$folder")"
made=$folder.unfinished.$$
mkdir -m 0700 "$made"
trap 'rm -rf "$made"' EXIT

for user in admin worker archiver producer console; do
    made_up=$(password)
    put "kafka_$user" "$made_up"
done
for server in redis postgres grafana; do
    made_up=$(password)
    put "${server}_password" "$made_up"
done
# Of the password Redis gets the digest. docs/access.md has the rights.
digest=$(printf '%s' "$(cat "$made/redis_password")" | sha256sum | cut -d' ' -f1)
checked "$digest" >/dev/null
put redis_acl "user default off
user mucktrack on #$digest ~mucktrack:* resetchannels -@all +@read +@write +@connection +eval -@dangerous"
chmod 0444 "$made"/*
mv "$made" "$folder"
echo "passwords are in $folder; keep a copy of it where backups are kept, and nowhere else"
