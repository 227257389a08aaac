#!/bin/bash
# Goal of this test: two devices' processes back up different folders while a third forgets and prunes with a hold of 2 s and a fourth copies: every
# snapshot is whole, packs were deleted, nothing waits for another. 8 seconds, more until packs were deleted; with --long 60.
. "$(dirname "$0")/common.sh"
seconds=8
if [ "${1:-}" = --long ]; then seconds=60; fi
"$broch" init --at "$tmp/store" --no-passphrase --kit-out store.kit --hold 2s >/dev/null 2>&1
BROCH_HOME="$tmp/home2" "$broch" recover --at store --kit-file store.kit --no-passphrase >/dev/null 2>&1
end=$((SECONDS + seconds))
last=$((end + 240)) # a machine that is slow needs longer to come to a deletion
under_way() { [ $SECONDS -lt $end ] || { [ ! -e deleted ] && [ ! -e stopped ] && [ $SECONDS -lt $last ]; }; }
# Each snapshot gets a copy of its tree beside it.
backups() { # NAME HOME: its counts to NAME.count
	local n=0 i
	export BROCH_HOME=$2
	mkdir -p "$1" kept
	while under_way; do
		n=$((n + 1))
		rm -f "$1/old" && if [ -e "$1/new" ]; then mv "$1/new" "$1/old"; fi
		head -c $((1000000 + RANDOM * 40)) /dev/urandom >"$1/new"
		for i in 1 2 3 4 5; do echo "$n $RANDOM" >"$1/f$((RANDOM % 50))"; done
		if ((n % 3 == 0)); then cp "$1/new" "$1/again"; fi
		if ! "$broch" backup --json -q "$1" >"$1.out" 2>"$1.err"; then
			echo "backup of $1 failed:"
			cat "$1.err"
			touch stopped
			return 1
		fi
		cp -r "$1" "kept/$(member "$1.out" summary snapshot)"
	done
	echo $n >"$1.count"
}
prunes() {
	local deleted=0 n=0
	while under_way; do
		if ! "$broch" forget --keep-last 3 --prune --max-unused 0 --json -q >prune.out 2>prune.err; then
			# with fewer than that there is nothing to forget
			if ! grep -q "nothing to forget\|there is no" prune.err; then
				echo "prune failed:"
				cat prune.err
				touch stopped
				return 1
			fi
		fi
		n=$((n + 1))
		deleted=$((deleted + $(member prune.out prune packs_deleted 2>/dev/null | sed 's/None/0/;s/^$/0/')))
		if [ $deleted -gt 0 ]; then touch deleted; fi
		sleep 0.3
	done
	echo "$n $deleted" >prune.count
}
copies() {
	local n=0
	while under_way; do
		if ! "$broch" copy --to mirror --json -q >copy.out 2>copy.err; then
			echo "copy failed:"
			cat copy.err
			touch stopped
			return 1
		fi
		n=$((n + 1))
		sleep 1
	done
	echo $n >copy.count
}
backups one "$tmp/home" & p1=$!
backups two "$tmp/home2" & p2=$!
prunes & p3=$!
copies & p4=$!
for p in $p1 $p2 $p3 $p4; do if wait $p; then ok; else wrong "a process failed"; fi; done
read -r prunes deleted <prune.count
echo "$(cat one.count) and $(cat two.count) backups, $prunes prunes that deleted $deleted packs, $(cat copy.count) copies"
if [ "$deleted" -gt 0 ]; then ok; else wrong "no packs were deleted"; fi
expect 0 "$broch" check --read-data
expect 0 "$broch" check --read-data --at mirror
expect 0 "$broch" copy --to mirror
expect 0 "$broch" check --read-data --at mirror
compared=0
for id in $("$broch" snapshots --json | python3 -c 'import json,sys
for l in sys.stdin: print(json.loads(l)["snapshot"])'); do
	[ -d "kept/$id" ] || continue
	rm -rf back
	"$broch" restore "$id" --to back >/dev/null 2>err || wrong "restore of $id"
	found=$(find "back$tmp" -mindepth 1 -maxdepth 1)
	if diff -r "kept/$id" "$found" >/dev/null; then ok; else wrong "snapshot $id is not what was backed up"; fi
	compared=$((compared + 1))
done
if [ $compared -ge 2 ]; then ok; else wrong "only $compared snapshots"; fi
finish
