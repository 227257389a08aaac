#!/bin/bash
# Row X07: a store that quietly drops or damages a small part of its packs is found out: what is gone always, what is damaged with the chance that
# check says.
. "$(dirname "$0")/../e2e/common.sh"
new_store store
mkdir src
for i in $(seq 40); do
	head -c 1000 /dev/urandom >src/f$i
	snap src
	# later ones may hold an index that was replaced since, and nothing else
	if [ $i = 8 ]; then find store/packs -type f >early; fi
done
count=$(find store/packs -type f | wc -l)
expect 0 "$broch" check

# --- gone: any one of them, every time
for pack in $(shuf -n 5 early); do
	mv "$pack" saved
	expect 20 "$broch" check
	has err "$(basename "$pack")"
	mv saved "$pack"
done

# --- damaged inside: reading half of the packs finds it in about half of the runs, and says so
pack=$(find store/packs -type f | sort -R | sed -n 1p)
cp -p "$pack" saved
printf 'xxxxxxxx' | dd of="$pack" bs=1 seek=30000 conv=notrunc status=none
found=0
for i in $(seq 40); do
	code=0
	"$broch" check --read-data-subset 50% --json >out 2>err || code=$?
	if [ $code = 20 ]; then found=$((found + 1)); elif [ $code != 0 ]; then wrong "exit $code"; fi
done
# 40 runs: fewer than 3 or more than 37 has a chance of less than 1 in 600 million
if [ $found -ge 3 ] && [ $found -le 37 ]; then ok; else wrong "found in $found of 40 runs"; fi
half=$(((count + 1) / 2))
is "$(member out check packs_read)" $half
is "$(python3 -c "print(abs($(member out check chance) - $half / $count) < 1e-6)")" True
expect 20 "$broch" check --read-data
has err "$(basename "$pack")"
mv saved "$pack"

# --- all parts of n together read everything: nothing hides for ever
for i in $(seq 7); do
	expect 0 "$broch" check --read-data-subset $i/7 --json
done
finish
