#!/bin/sh
# Installs mucktrack from this bundle, without any network: sh install.sh [FOLDER]
#
# FOLDER is /opt/mucktrack for root, else ~/mucktrack. PYTHON says which Python (default: python3).
# A version that is installed already is left as it is; another one is put beside it and then used:
#
#   FOLDER/bin/mucktrack            what is called
#   FOLDER/current                  the version that it uses
#   FOLDER/versions/VERSION         each version; those no longer used may be removed
set -eu

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
if [ $# -gt 0 ]; then
    folder=$1
elif [ "$(id -u)" = 0 ]; then
    folder=/opt/mucktrack
else
    folder=${HOME:?}/mucktrack
fi

# Whether this machine is one that the bundle is for.
PYTHON_VERSION= MACHINE= GLIBC=
. "$here/requires"
command -v "$python" >/dev/null || fail "there is no $python; say which with: PYTHON=/path/to/python$PYTHON_VERSION sh install.sh"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$found" = "$PYTHON_VERSION" ] ||
    fail "$python is Python $found, and these wheels are for $PYTHON_VERSION; say which with PYTHON=, or have a bundle made for $found (docs/offline.md)"
if [ -n "$MACHINE" ]; then
    [ "$(uname -s)-$(uname -m)" = "Linux-$MACHINE" ] ||
        fail "this is $(uname -s) on $(uname -m), and these wheels are for Linux on $MACHINE"
    "$python" -c '
import platform, sys
name, version = platform.libc_ver()
needed = tuple(map(int, sys.argv[1].split(".")))
sys.exit(name != "glibc" or tuple(map(int, version.split(".")[:2])) < needed)' "$GLIBC" ||
        fail "these wheels need glibc $GLIBC or newer (Debian 12, Ubuntu 22.04, RHEL 9, openEuler 22.03)"
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv; on Debian and Ubuntu it is in the package python$PYTHON_VERSION-venv"

# Whether the bundle is whole.
(cd "$here" && "$python" - <<'CHECK') || fail "the bundle is not as it was made; copy it here again"
import hashlib, sys
wrong = []
for line in open("SHA256SUMS", encoding="utf-8"):
    digest, name = line.rstrip("\n").split("  ", 1)
    try:
        content = open(name, "rb")
    except OSError:
        wrong.append(name)
        continue
    with content:
        told = hashlib.sha256()
        for part in iter(lambda: content.read(1 << 20), b""):
            told.update(part)
    if told.hexdigest() != digest:
        wrong.append(name)
for name in wrong:
    print(f"{name}: missing or changed", file=sys.stderr)
sys.exit(bool(wrong))
CHECK

version=$(sed -n 's/^mucktrack==\([^ ]*\).*/\1/p' "$here/wheels/requirements.lock")
mkdir -p "$folder/versions" "$folder/bin"
folder=$(cd "$folder" && pwd)
place=$folder/versions/$version
if cmp -s "$here/SHA256SUMS" "$place/SHA256SUMS"; then
    echo "mucktrack $version is installed in $place already"
else
    # The last file that is put there says that the others are.
    rm -rf "$place"
    mkdir "$place"
    echo "installing mucktrack $version into $place ..."
    "$python" -m venv "$place/python"
    "$place/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --no-index --find-links "$here/wheels" --require-hashes -r "$here/wheels/requirements.lock"
    # Compiled for this machine; whoever may not write there uses it all the same.
    XDG_CACHE_HOME=$place/cache "$place/python/bin/python" -m mucktrack.warm
    cp -R "$here/docs" "$here/ops" "$here/producers" "$here/docker-compose.yml" "$place/"
    cp "$here/SHA256SUMS" "$place/"
fi

cat >"$folder/bin/mucktrack.new" <<WRAPPER
#!/bin/sh
# Made by install.sh.
XDG_CACHE_HOME=\${XDG_CACHE_HOME:-$folder/current/cache} exec "$folder/current/python/bin/mucktrack" "\$@"
WRAPPER
chmod 0755 "$folder/bin/mucktrack.new"
mv -f "$folder/bin/mucktrack.new" "$folder/bin/mucktrack"
ln -sfn "versions/$version" "$folder/current"

"$folder/bin/mucktrack" --version
cat <<NEXT

    "$folder/bin/mucktrack" city check "$folder/current/producers/cities/demo"
    "$folder/bin/mucktrack" up

checks the city that comes along, and shows everything at work on this machine. What runs already goes
on with the version it was started with: start it anew. Documentation is in $folder/current/docs.
NEXT
