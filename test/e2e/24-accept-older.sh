#!/bin/bash
# Goal of this test: a store that went back stops every command until its owner types that it is accepted; then all goes on from there.
. "$(dirname "$0")/common.sh"
new_store store
mkdir src
echo 1 >src/a
snap src
first=$snapshot
cp -r store past
echo 2 >src/a
snap src
second=$snapshot
expect 0 "$broch" accept-older
has out "nothing older"
expect 0 "$broch" accept-older --json
json out
is "$(member out accept-older accepted)" 0

rm -rf store && cp -r past store
for c in "snapshots" "ls latest" "backup src" "restore latest --to back" "check" "prune" "forget $first" "repair" "copy --to mirror" "vault list"; do
	# shellcheck disable=SC2086
	if [ "$c" = "vault list" ]; then continue; fi # the account's own chain did not go back
	# shellcheck disable=SC2086
	expect 21 "$broch" $c
done
gone back
gone mirror
heads=$(find home/heads -type f -exec sha256sum {} + | sort | sha256sum)
expect 2 "$broch" accept-older
expect 2 "$broch" accept-older --confirm "Accept"
is "$(find home/heads -type f -exec sha256sum {} + | sort | sha256sum)" "$heads"
expect 21 "$broch" snapshots
expect 0 "$broch" accept-older --confirm "accept older" --json
json out
has home/alarms "accepted an older state"
expect 0 "$broch" snapshots --json
is "$(wc -l <out)" 1
expect 0 "$broch" backup src
expect 0 "$broch" restore latest --to back
is "$(cat "back$tmp/src/a")" 2
expect 10 "$broch" ls "$second"
expect 0 "$broch" check --read-data

# --- a fork: as long, but other entries
cp -r store past2
snap src
one=$snapshot
rm -rf store && mv past2 store
BROCH_HOME="$tmp/home2" "$broch" recover --at store --kit-file store.kit --no-passphrase >/dev/null 2>&1
BROCH_HOME="$tmp/home2" "$broch" backup src >/dev/null 2>&1
expect 21 "$broch" snapshots
expect 0 "$broch" accept-older --confirm "accept older"
has out "not the one that this device saw"
expect 0 "$broch" snapshots
expect 10 "$broch" ls "$one"
expect 0 "$broch" backup src
expect 0 "$broch" check --read-data

# --- the account's own chain went back
cp -r store past3
BROCH_HOME="$tmp/home3" "$broch" recover --at store --kit-file store.kit --no-passphrase >/dev/null 2>&1
expect 0 "$broch" snapshots
rm -rf store && mv past3 store
expect 21 "$broch" snapshots
expect 21 "$broch" vault list
expect 0 "$broch" accept-older --confirm "accept older"
expect 0 "$broch" vault list
expect 0 "$broch" backup src
finish
