#!/bin/bash
# Goal of this test: a mirror becomes the home, with the old home there or lost; then the old one is only read; other devices follow.
. "$(dirname "$0")/common.sh"
new_store store
"$broch" vault create second --hold 0 >/dev/null 2>&1
mkdir src
echo 1 >src/a
snap src
snap src --vault second
BROCH_HOME="$tmp/home2" "$broch" recover --at store --kit-file store.kit --no-passphrase >/dev/null 2>&1
"$broch" copy --to mirror >/dev/null 2>&1

# --- the old home is there: nothing is left behind
echo 2 >src/a
snap src
last=$snapshot
expect 2 "$broch" copy --promote
expect 0 "$broch" copy --promote --at mirror --json
json out
is "$(member out promote old_home_reached)" True
expect 1 "$broch" copy --promote --at mirror
expect 0 "$broch" ls "$last" # the remembered store is the mirror now
lacks err mirror
expect 0 "$broch" backup src
expect 0 "$broch" backup src --vault second
expect 1 "$broch" backup src --at store
has err "is a mirror"
expect 0 "$broch" snapshots --at store
has err "is a mirror"
expect 0 "$broch" check --read-data

# --- the other device: the old home tells it that it is none any more
export BROCH_HOME="$tmp/home2"
expect 1 "$broch" backup src
has err "is a mirror"
expect 0 "$broch" backup src --at mirror
expect 0 "$broch" backup src # and remembers where the home is
export BROCH_HOME="$tmp/home"

# --- now the home is lost; a mirror that is behind is not taken
"$broch" copy --to third >/dev/null 2>&1
snap src
mv mirror lost
expect 21 "$broch" copy --promote --at third
has err "behind"
listing=$(find third -type f | sort)
is "$(find third -type f | sort)" "$listing"
mv lost mirror
expect 0 "$broch" copy --to third
mv mirror lost
expect 0 "$broch" copy --promote --at third
has err "was not reached"
expect 0 "$broch" backup src
expect 0 "$broch" check --read-data
# the lost home comes back: it is behind, and a mirror
mv lost mirror
expect 1 "$broch" backup src --at mirror
expect 0 "$broch" snapshots --at mirror
has err "is a mirror"
expect 0 "$broch" copy --to mirror
expect 0 "$broch" check --read-data --at mirror

# --- lost for good, and the mirror is behind: only by accepting that
snap src
mv third lost
expect 21 "$broch" copy --promote --at mirror
expect 0 "$broch" accept-older --at mirror --confirm "accept older"
expect 0 "$broch" copy --promote --at mirror
expect 0 "$broch" backup src
expect 0 "$broch" check --read-data

# --- a device that joined after the mirror was last brought up to date
"$broch" copy --to before >/dev/null 2>&1
BROCH_HOME="$tmp/late" "$broch" recover --at mirror --kit-file store.kit --no-passphrase >/dev/null 2>&1
mv mirror away
BROCH_HOME="$tmp/late" expect 1 "$broch" copy --promote --at before
has err "older than this device"
has err "recover --promote"
mv away mirror
BROCH_HOME="$tmp/late" expect 0 "$broch" copy --to before
BROCH_HOME="$tmp/late" expect 0 "$broch" snapshots --at before

# --- every device and the home are lost: the kit alone makes the mirror the home
expect 0 "$broch" copy --to fourth
mv mirror lost-too
mv home2 lost-home2
export BROCH_HOME="$tmp/home4"
expect 1 "$broch" recover --at fourth --kit-file store.kit --no-passphrase # the kit is right
has err "is a mirror"
gone home4/keys
expect 0 "$broch" recover --at fourth --kit-file store.kit --no-passphrase --promote
expect 0 "$broch" backup src
expect 0 "$broch" backup src --vault second
expect 0 "$broch" check --read-data
mv lost-too mirror
expect 1 "$broch" backup src --at mirror # it knows nothing of this device
has err "older than this device"
export BROCH_HOME="$tmp/home"

# --- a home that was set back must not pass for a mirror by taking another id
cp -r mirror past
snap src
rm -rf mirror && mv past mirror
expect 21 "$broch" snapshots
sed -i '/^id /{y/0123456789abcdef/123456789abcdef0/; s/^ie/id/}' mirror/broch-store
expect 21 "$broch" snapshots
has err "another store"
expect 21 "$broch" snapshots --at mirror
expect 21 "$broch" snapshots --at ../"$(basename "$tmp")"/mirror
finish
