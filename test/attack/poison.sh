#!/bin/bash
# Rows P22 and P23: a store that loses or swaps what it took must not make a backup leave it out; repair must not destroy what a store
# only hides for a while.
. "$(dirname "$0")/../e2e/common.sh"
new_store store
mkdir src
head -c 9000000 /dev/urandom >src/big
for i in $(seq 100); do head -c 3000 /dev/urandom >src/f$i; done
cp -r src keep
snap src
first=$snapshot
restored() { # SNAPSHOT: comes back as it was
	rm -rf back
	expect 0 "$broch" restore "$1" --to back
	if diff -r keep "back$tmp/src" >/dev/null; then ok; else wrong "$1 is not what was backed up"; fi
}
packs() { find store/packs -type f | sort; }

# --- P22: each pack in turn is dropped, cut short, or swapped for other bytes of its length; the next backup must be whole by itself
mkdir aside
for pack in $(packs); do
	cp -p "$pack" aside/pack
	rm "$pack"
	snap src
	if [ "$snapshot" != None ]; then restored "$snapshot"; else ok; fi # or it says that it cannot, and makes none
	rm -f "$pack"
	cp -p aside/pack "$pack"
	truncate -s -70000 "$pack"
	[ -s "$pack" ] || truncate -s 1 "$pack"
	touch src/*
	snap src
	if [ "$snapshot" != None ]; then restored "$snapshot"; else ok; fi
	rm -f "$pack"
	cp -p aside/pack "$pack"
	head -c "$(stat -c %s "$pack")" /dev/urandom >aside/other
	cp aside/other "$pack"
	touch src/*
	code=0
	"$broch" backup --json -q --read-back 100% src >summary 2>/dev/null || code=$?
	snapshot=$(member summary summary snapshot)
	if [ "$snapshot" != None ]; then restored "$snapshot"; else ok; fi
	rm -f "$pack"
	cp -p aside/pack "$pack"
done
restored "$first"
expect 0 "$broch" check --read-data

# a cache from before, or of another device, or of nothing
cp -r home/cache aside/cache
head -c 100000 /dev/urandom >src/new && cp src/new keep/new
snap src
restored "$snapshot"
cp -r aside/cache/. home/cache/
snap src
restored "$snapshot"
for file in home/cache/*; do head -c 50000 /dev/urandom >"$file"; done
snap src
restored "$snapshot"
rm -rf home/cache
snap src
restored "$snapshot"
last=$snapshot

# --- P23: the store hides packs, some or all, and shows errors; repair and prune are run; then all is there again
for which in 1p '$p' 2p '1~2p' p; do
	hide=$(packs | sed -n "$which") # anew each time: a prune may have changed what there is
	rm -rf hidden && mkdir hidden
	listing=$(packs)
	for pack in $hide; do mv "$pack" hidden/; done
	left=$(packs)
	"$broch" repair --apply >out 2>err || true
	"$broch" repair --apply --read-data >out 2>err || true
	# where nothing that a snapshot needs was hidden, a prune may do its work; else it must refuse and remove nothing
	pruned=yes
	"$broch" prune --max-unused 0 >out 2>err || pruned=
	[ -n "$pruned" ] || for pack in $left; do there "$pack"; done
	for pack in $hide; do mv "hidden/$(basename "$pack")" "$pack"; done
	[ -n "$pruned" ] || for pack in $listing; do there "$pack"; done
	expect 0 "$broch" restore "$last" --to back-now # found without any repair
	rm -rf back-now
	expect 0 "$broch" repair --apply
	restored "$last"
	expect 0 "$broch" check --read-data
done
# errors instead of packs: folders that cannot be read (not for root, whom nothing stops)
expect 0 "$broch" prune --max-unused 0
expect 0 "$broch" prune --max-unused 0
restored "$last"
expect 0 "$broch" check --read-data
finish
