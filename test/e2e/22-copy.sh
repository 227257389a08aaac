#!/bin/bash
# Goal of this test: copy makes a mirror and keeps it up to date, copying nothing twice; a mirror is read and not written to, and says how
# far it lags; a fork is refused; what is damaged does not spread.
. "$(dirname "$0")/common.sh"
new_store store
mkdir src
head -c 18000000 /dev/urandom >src/big
snap src
first=$snapshot
packs() { find "$1/packs" -type f -printf '%f\n' | sort; }

expect 2 "$broch" copy
expect 2 "$broch" copy --to "$tmp/store"
expect 2 "$broch" copy --to mirror --promote
mkdir full && echo x >full/x
expect 1 "$broch" copy --to full
is "$(ls full)" x
expect 0 "$broch" copy --to mirror --json
json out
is "$(member out copy made)" True
is "$(packs mirror)" "$(packs store)"
expect 0 "$broch" copy --to mirror --json
is "$(member out copy packs)" 0
is "$(member out copy entries)" 0
cp -r store twin
expect 2 "$broch" copy --to twin # made with other tools: the same id

# --- read, not written
expect 0 "$broch" snapshots --at mirror
has err "is a mirror of this vault"
expect 0 "$broch" restore latest --at mirror --to back
if cmp -s src/big "back$tmp/src/big"; then ok; else wrong "restored something else"; fi
expect 0 "$broch" check --read-data --at mirror
for c in "backup src" "forget latest" "prune" "tag latest --add x" "vault create more" "repair --apply"; do
	listing=$(find mirror -type f | sort)
	# shellcheck disable=SC2086
	expect 1 "$broch" $c --at mirror
	is "$(find mirror -type f | sort)" "$listing"
done

# --- it lags, and that is no rollback
echo 2 >src/two
snap src
expect 0 "$broch" snapshots --at mirror --json
is "$(wc -l <out)" 1
expect 0 "$broch" snapshots --at mirror
has err "this device has seen 1 newer one"
expect 0 "$broch" ls latest --at mirror
expect 10 "$broch" ls "$snapshot" --at mirror
expect 0 "$broch" copy --to mirror --json
is "$(member out copy entries)" 1
expect 0 "$broch" snapshots --at mirror --json
is "$(wc -l <out)" 2

# --- packs that the home purged go from the mirror after the entries that say so
expect 0 "$broch" forget "$first" "$snapshot"
rm src/big
snap src
expect 0 "$broch" prune --max-unused 0 --json
expect 0 "$broch" prune --max-unused 0 --json
expect 0 "$broch" copy --to mirror --json
if [ "$(member out copy packs_deleted)" -gt 0 ]; then ok; else wrong "nothing was deleted in the mirror"; fi
is "$(packs mirror)" "$(packs store)"
expect 0 "$broch" check --read-data --at mirror

# --- what is damaged at home does not get there, and the mirror stays as it was
head -c 18000000 /dev/urandom >src/new
snap src
pack=$(comm -13 <(packs mirror) <(packs store) | sed -n 1p)
file=$(find store -name "$pack")
cp -p "$file" saved
printf 'xxxx' | dd of="$file" bs=1 seek=50000 conv=notrunc status=none
expect 20 "$broch" copy --to mirror
has err "$pack"
is "$(find mirror -name "$pack")" ""
expect 0 "$broch" check --read-data --at mirror
mv saved "$file"
expect 0 "$broch" copy --to mirror

# --- a pack that is damaged in the mirror, by its length, is put right; an object too
file=$(find mirror -name "$pack")
truncate -s -1 "$file"
object=$(find mirror/objects -type f | sed -n 1p)
flip "$object" 50
expect 20 "$broch" check --at mirror
expect 0 "$broch" copy --to mirror --json
is "$(member out copy packs_replaced)" 1
expect 0 "$broch" check --read-data --at mirror

# --- another entry at the same place: a fork. Two devices' worth of history after a common past.
cp -r store past
snap src
expect 0 "$broch" copy --to mirror
id=$(cat store/broch-store)
rm -rf store && mv past store
is "$(cat store/broch-store)" "$id"
export BROCH_HOME="$tmp/home2"
expect 0 "$broch" recover --at store --kit-file store.kit --no-passphrase
echo 3 >src/three
snap src
listing=$(find mirror -type f | sort)
expect 21 "$broch" copy --to mirror
is "$(find mirror -type f | sort)" "$listing"
export BROCH_HOME="$tmp/home"
expect 21 "$broch" snapshots # and the first device sees it at once
finish
