#!/bin/bash
# Goal of this test: check finds and names damage of every kind of object in the store, says which snapshots and files it takes with
# it, and changes nothing; a part read at random says what it proves.
. "$(dirname "$0")/common.sh"
new_store store
mkdir -p src/sub
head -c 20000000 /dev/urandom >src/big
head -c 3000 /dev/urandom >src/sub/small
snap src
first=$snapshot
echo 1 >src/one
snap src
"$broch" vault create other --hold 0 >/dev/null 2>&1 || true

"$broch" snapshots --vault other >/dev/null 2>&1 # so that this device has seen it

before=$(find store -type f -exec sha256sum {} + | sort | sha256sum)
state=$(find home -type f ! -path '*/cache/*' -exec sha256sum {} + | sort | sha256sum)
expect 0 "$broch" check
has out "no damage was found"
expect 0 "$broch" check --read-data
expect 0 "$broch" check --read-data --json
json out
is "$(member out check damaged)" 0
is "$(member out check packs_read)" "$(member out check packs)"
is "$(find store -type f -exec sha256sum {} + | sort | sha256sum)" "$before"
is "$(find home -type f ! -path '*/cache/*' -exec sha256sum {} + | sort | sha256sum)" "$state"

# --- a part
expect 2 "$broch" check --read-data --read-data-subset 10%
expect 2 "$broch" check --read-data-subset 0/3
expect 2 "$broch" check --read-data-subset 4/3
all=$("$broch" check --json | python3 -c 'import json,sys; print(json.loads(sys.stdin.read().splitlines()[-1])["packs"])')
sum=0
for i in 1 2 3; do
	expect 0 "$broch" check --read-data-subset $i/3 --json
	sum=$((sum + $(member out check packs_read)))
done
is "$sum" "$all"
expect 0 "$broch" check --read-data-subset 50% --json
is "$(member out check packs_read)" $(((all + 1) / 2))
expect 0 "$broch" check --read-data-subset 1M --json
if [ "$(member out check bytes_read)" -ge 65536 ]; then ok; else wrong "read too little"; fi
expect 0 "$broch" check --read-data-subset 20%
has out "audit:"

# --- damage, one object at a time. What is damaged must be named on standard error, with exit code 20 (or 21: what is missing
# at the end of a chain is a store that was set back).
damage() { # FILE HOW NAME [CODE]
	local file=$1 how=$2 name=$3 code=0 right=${4:-20}
	cp -p "$file" saved
	case $how in
	flip) flip "$file" "$(($(stat -c %s "$file") / 2))" ;;
	cut) truncate -s -1 "$file" ;;
	longer) echo >>"$file" ;;
	gone) rm "$file" ;;
	esac
	"$broch" check --read-data >out 2>err || code=$?
	if [ "$code" = "$right" ] && grep -q "$name" err; then ok; else wrong "$how $file: exit $code"; head -n 3 err; fi
	rm -f "$file"
	cp -p saved "$file"
}
for file in $(find store -type f ! -name README.txt | sort); do
	name=$(basename "$file")
	case $file in
	*/chains/*) name=$(basename "$(dirname "$file")" | cut -c 1-16) ;;
	*/broch-store) continue ;;
	esac
	for how in flip cut longer gone; do
		right=20
		if [[ $file = */chains/* && $how = gone ]]; then
			# the newest entry gone is a shorter chain, the first gone is none
			case $(basename "$file") in "$(ls "$(dirname "$file")" | tail -n 1)" | 0000000000000000) right=21 ;; esac
		fi
		damage "$file" "$how" "$name" $right
	done
done
expect 0 "$broch" check --read-data

# --- what is lost is said, for people and for programs
pack=$(find store/packs -type f -size 16384k | sed -n 1p)
mv "$pack" saved
expect 20 "$broch" check
has err "$(basename "$pack")"
has out "$first"
has out "$tmp/src/big"
lacks out "$tmp/src/one"
expect 20 "$broch" check --json
json out
json err
is "$(member out lost snapshot)" "$first"
is "$(member err error object)" pack
is "$(member err error name)" "$(basename "$pack")"
mv saved "$pack"

# --- data that is damaged inside, where neither the length nor the index shows it
cp -p "$pack" saved
printf 'xxxx' | dd of="$pack" bs=1 seek=8000000 conv=notrunc status=none
expect 0 "$broch" check
expect 20 "$broch" check --read-data
has err "$(basename "$pack")"
has out "$tmp/src/big"
mv saved "$pack"

# --- another vault is checked too
expect 0 "$broch" check --json
is "$(member out check vaults)" 2
expect 0 "$broch" check --vault main --json
is "$(member out check vaults)" 1
expect 10 "$broch" check --vault nosuch
finish
