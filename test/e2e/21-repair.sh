#!/bin/bash
# Goal of this test: repair makes a damaged index anew, only with --apply, deletes nothing, and helps with broken entries of a chain.
. "$(dirname "$0")/common.sh"
new_store store
mkdir src
head -c 18000000 /dev/urandom >src/big
for i in $(seq 200); do echo $i >src/f$i; done
snap src
first=$snapshot
rm src/big
snap src
files() { find store -type f | sort; }

expect 0 "$broch" repair
has out "nothing to repair"
expect 0 "$broch" repair --read-data --json
json out
is "$(member out repair needed)" False

# --- each pack in turn loses its end (trailer, table, index): what is still there is found again
for pack in $(find store/packs -type f); do
	cp -p "$pack" saved
	truncate -s -100 "$pack"
	listing=$(files)
	code=0
	"$broch" repair >out 2>err || code=$?
	is "$(files)" "$listing" # a dry run
	expect 0 "$broch" repair --apply
	for file in $listing; do there "$file"; done
	expect 0 "$broch" repair
	has out "nothing to repair"
	rm "$pack"
	mv saved "$pack"
	expect 0 "$broch" repair --apply # it is whole again, and so is the index
	expect 0 "$broch" check --read-data
done
expect 0 "$broch" restore "$first" --to back
is "$(stat -c %s "back$tmp/src/big")" 18000000

# --- an index that lies: its pack's bytes were changed where the index stands
for pack in $(find store/packs -type f -size -1024k); do
	cp -p "$pack" saved
	for at in 20000 40000 60000; do printf 'lies' | dd of="$pack" bs=1 seek=$at conv=notrunc status=none; done
	expect 0 "$broch" repair --apply
	mv saved "$pack"
done
expect 0 "$broch" repair --apply
expect 0 "$broch" check --read-data

# --- a damaged chunk is left out with --read-data, and the next backup stores it again
head -c 18000000 /dev/urandom >src/again
snap src
pack=$(find store/packs -type f -size 16384k -newer out | sed -n 1p)
printf 'xxxx' | dd of="$pack" bs=1 seek=9000000 conv=notrunc status=none
expect 20 "$broch" check --read-data
expect 0 "$broch" repair --read-data --apply
has err "$(basename "$pack")"
touch src/again
snap src
expect 0 "$broch" restore latest --to back2
if cmp -s src/again "back2$tmp/src/again"; then ok; else wrong "the chunk was not stored again"; fi

# --- chains: 300 entries, so that there is a segment
for i in $(seq 270); do "$broch" tag latest --set t$i >/dev/null 2>&1 || true; done
chain=$(dirname "$(find store/chains -name '*.seg' | sed -n 1p)")
there "$chain/0000000000000000.seg"
cp -p "$chain/0000000000000020" saved
rm "$chain/0000000000000020"
expect 20 "$broch" check
has err "$(basename "$chain")"
expect 20 "$broch" repair
has out "0000000000000020 is missing"
gone "$chain/0000000000000020"
expect 0 "$broch" repair --apply
has out "put back"
if cmp -s saved "$chain/0000000000000020"; then ok; else wrong "not the entry that was lost"; fi
expect 0 "$broch" check

printf 'xxxx' | dd of="$chain/0000000000000021" bs=1 seek=300 conv=notrunc status=none
expect 20 "$broch" check
has err "good copy"
expect 20 "$broch" repair --apply
aside=$(sed -n 's/.*a good copy is in \([^;]*\);.*/\1/p' out)
there "$aside"
cp "$aside" "$chain/0000000000000021"
expect 0 "$broch" check

# a damaged segment is a warning
printf 'xxxx' | dd of="$chain/0000000000000000.seg" bs=1 seek=300 conv=notrunc status=none
expect 0 "$broch" check
has err "0000000000000000.seg"
finish
