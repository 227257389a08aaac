#!/bin/bash
# Goal of this test: prune deletes what no snapshot needs and nothing else, once the hold has gone by and not before; what a new snapshot needs
# again is kept; forget --prune does both.
. "$(dirname "$0")/common.sh"
packs() { find store/packs -type f | wc -l; }
bytes() { du -sb store/packs | cut -f 1; }

# --- hold 0
new_store store
mkdir src
head -c 40000000 /dev/urandom >src/big
for i in $(seq 300); do head -c 2000 /dev/urandom >src/f$i; done
snap src
first=$snapshot
rm src/big
echo 1 >src/one
snap src
expect 0 "$broch" prune --json
json out
is "$(member out prune packs_deleted)" 0
expect 0 "$broch" forget "$first"
before=$(bytes)
expect 0 "$broch" prune --dry-run --json
is "$(member out prune packs_deleted)" 0
is "$(member out prune announcements)" "[]"
is "$(bytes)" "$before"
expect 0 "$broch" prune --json
if [ "$(member out prune packs_deleted)" -ge 3 ]; then ok; else wrong "deleted only $(member out prune packs_deleted)"; fi
if [ "$(bytes)" -lt 3000000 ]; then ok; else wrong "$(bytes) bytes are left"; fi
expect 0 "$broch" check --read-data
expect 0 "$broch" restore latest --to back
expect 0 diff -r src "back$tmp/src"

# --- packs that are partly needed are stored again
rm -rf src/*
for i in 1 2 3 4; do head -c 6000000 /dev/urandom >src/x$i; done
snap src
rm src/x1 src/x2 src/x3
snap src
expect 0 "$broch" forget --keep-last 1 --prune --max-unused 0 --json
if [ "$(member out prune packs_repacked)" -ge 1 ]; then ok; else wrong "nothing was repacked"; fi
expect 0 "$broch" prune --max-unused 0
if [ "$(bytes)" -lt 8000000 ]; then ok; else wrong "$(bytes) bytes are left"; fi
expect 0 "$broch" check --read-data
rm -rf back
expect 0 "$broch" restore latest --to back
expect 0 diff -r src "back$tmp/src"
# again: nothing is left to do
expect 0 "$broch" prune --max-unused 0 --json
is "$(member out prune packs_repacked) $(member out prune packs_announced)" "0 0"
# a dry run of both says what prune frees once the snapshots are forgotten
head -c 6000000 /dev/urandom >src/z
snap src
rm src/z
snap src
expect 0 "$broch" forget --keep-last 1 --prune --max-unused unlimited --dry-run --json
freed=$(member out prune bytes_announced)
is "$(member out prune dry_run) $(member out prune bytes_deleted)" "True 0"
if [ "$freed" -gt 6000000 ]; then ok; else wrong "would free $freed bytes"; fi
expect 0 "$broch" prune --max-unused unlimited --dry-run --json
is "$(member out prune bytes_announced)" 0
is "$("$broch" snapshots --json | wc -l)" 3
expect 0 "$broch" forget --keep-last 1 --prune --max-unused unlimited --json
is "$(member out prune bytes_deleted)" "$freed"
# what may stay unused stays
head -c 6000000 /dev/urandom >src/y
snap src
rm src/y
snap src
expect 0 "$broch" forget --keep-last 1
expect 0 "$broch" prune --max-unused unlimited --json
is "$(member out prune packs_repacked)" 0

# --- a folder of several chunks of which only the first changed: what is new in it must count as needed
rm -rf src/*
mkdir src/many
for i in $(seq -w 6000); do echo >"src/many/a long name so that the folder has several chunks, number $i"; done
snap src
echo new >"src/many/a long name so that the folder has several chunks, number 0001"
mkdir src/many/0-first && head -c 100000 /dev/urandom >src/many/0-first/file
snap src
expect 0 "$broch" prune --max-unused 0
expect 0 "$broch" prune --max-unused 0
expect 0 "$broch" check --read-data
rm -rf back
expect 0 "$broch" restore latest --to back
expect 0 diff -r src "back$tmp/src"

# --- hold 2 s
export BROCH_HOME="$tmp/home2"
expect 0 "$broch" init --at "$tmp/held" --no-passphrase --kit-out held.kit --hold 2s
rm -rf src/*
head -c 20000000 /dev/urandom >src/big
snap src
first=$snapshot
rm src/big
echo 1 >src/one
snap src
held() { find held/packs -type f | wc -l; }
expect 0 "$broch" forget "$first"
expect 0 "$broch" prune --json
is "$(member out prune packs_deleted)" 0
if [ "$(member out prune packs_announced)" -ge 2 ]; then ok; else wrong "announced $(member out prune packs_announced)"; fi
if [ "$(member out prune waiting)" -ge 1 ]; then ok; else wrong "nothing waits"; fi
count=$(held)
expect 0 "$broch" keep "$first" # in time
rm -rf back
expect 0 "$broch" restore "$first" --to back
is "$(stat -c %s "back$tmp/src/big")" 20000000
sleep 2.1
expect 0 "$broch" prune --json
expect 0 "$broch" check --read-data
expect 0 "$broch" restore "$first" --to back
expect 0 "$broch" forget "$first"
expect 0 "$broch" prune --json
sleep 2.1
expect 0 "$broch" prune --json
if [ "$(member out prune packs_deleted)" -ge 2 ]; then ok; else wrong "deleted $(member out prune packs_deleted)"; fi
if [ "$(held)" -lt "$count" ]; then ok; else wrong "as many packs as before"; fi
expect 0 "$broch" check --read-data

# --- what was announced is needed again: a new backup of the same stores it anew or keeps it
head -c 20000000 /dev/urandom >src/back-again
snap src
first=$snapshot
cp src/back-again copy
rm src/back-again
snap src
expect 0 "$broch" forget "$first"
expect 0 "$broch" prune --json
cp copy src/back-again
snap src
sleep 2.1
expect 0 "$broch" prune --json
sleep 2.1
expect 0 "$broch" prune --json
expect 0 "$broch" check --read-data
rm -rf back
expect 0 "$broch" restore latest --to back
if cmp -s copy "back$tmp/src/back-again"; then ok; else wrong "not what was backed up"; fi

# --- announcements go by the names that keep takes
rm src/back-again
snap src
expect 0 "$broch" forget --keep-last 1
expect 0 "$broch" prune
n=$(sed -n 's/^in force:  @\([0-9]*\) of .*/\1/p' out | tail -n 1)
expect 0 "$broch" vault info
has out "@$n"
expect 0 "$broch" keep "@$n"
expect 0 "$broch" vault info
lacks out "@$n"
finish
