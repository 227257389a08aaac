#!/bin/bash
# Rows R01, R03, R04: a store set back by one, by ten, to nothing; a store that shows two devices two histories; an attempt to join them again.
. "$(dirname "$0")/../e2e/common.sh"
new_store store
mkdir src
states=()
for i in $(seq 12); do
	echo $i >src/a
	snap src
	cp -r store state$i
	states+=("$snapshot")
done
serve() { rm -rf store && cp -r "$1" store; }

# --- R01: every command that reads or writes alarms, and writes nothing
for i in 11 2 1; do
	serve state$i
	before=$(find store -type f -exec sha256sum {} + | sort | sha256sum)
	for c in "snapshots" "ls latest" "find a" "cat latest $tmp/src/a" "restore latest --to back" "backup src" "forget latest" "tag latest --add x" "prune" \
		"check" "repair --apply" "copy --to mirror" "stats" "diff latest latest" "vault info"; do
		# shellcheck disable=SC2086
		expect 21 "$broch" $c
	done
	gone back
	gone mirror
	is "$(find store -type f -exec sha256sum {} + | sort | sha256sum)" "$before"
done
# to nothing: no chain, an empty store with the same id, another store in its place
serve state12
rm -rf store/chains/*
expect 21 "$broch" snapshots
expect 21 "$broch" backup src
serve state12
vault=$(basename "$(ls -d store/packs/*)")
rm -rf "store/chains/$vault"
expect 21 "$broch" snapshots
rm -rf store
BROCH_HOME="$tmp/stranger" "$broch" init --at "$tmp/store" --no-passphrase --kit-out stranger.kit >/dev/null 2>&1
expect 21 "$broch" snapshots
expect 21 "$broch" backup src
# the newest state is fine, and one newer too
serve state12
expect 0 "$broch" snapshots
for i in $(seq 12); do expect 0 "$broch" ls "${states[$((i - 1))]}"; done

# set back in the middle of a chain: one entry replaced by another that was once there
serve state12
chain=store/chains/$vault
cp "$chain/0000000000000004" "$chain/0000000000000005"
expect 20 "$broch" check
serve state12
rm "$chain/0000000000000005"
expect 21 "$broch" snapshots

# --- R03: after a common past, A and B are shown different stores; each works by itself
serve state12
BROCH_HOME="$tmp/homeB" "$broch" recover --at store --kit-file store.kit --no-passphrase >/dev/null 2>&1
expect 0 "$broch" snapshots
mkdir viewA viewB
cp -r store/. viewA/
cp -r store/. viewB/
A() { serve_view viewA && BROCH_HOME="$tmp/home" expect "$@" && save_view viewA; }
B() { serve_view viewB && BROCH_HOME="$tmp/homeB" expect "$@" && save_view viewB; }
serve_view() { rm -rf store && cp -r "$1" store; }
save_view() { rm -rf "$1" && cp -r store "$1"; }
for i in 1 2 3 4 5; do
	echo A$i >src/a
	A 0 "$broch" backup src
	echo B$i >src/a
	B 0 "$broch" backup src
done
# as soon as one is shown the other's, it knows, whichever is longer
serve_view viewB
BROCH_HOME="$tmp/home" expect 21 "$broch" snapshots
BROCH_HOME="$tmp/home" expect 21 "$broch" backup src
serve_view viewA
BROCH_HOME="$tmp/homeB" expect 21 "$broch" snapshots
has err "another one than this device saw"
BROCH_HOME="$tmp/homeB" expect 21 "$broch" backup src
B 0 "$broch" backup src
serve_view viewB
BROCH_HOME="$tmp/home" expect 21 "$broch" snapshots
# through a mirror too, if it is long enough to have another entry where this device has seen one
for i in 6 7 8; do
	echo A$i >src/a
	A 0 "$broch" backup src
done
serve_view viewA
BROCH_HOME="$tmp/home" expect 0 "$broch" copy --to mirror
serve_view viewB
BROCH_HOME="$tmp/homeB" expect 21 "$broch" copy --to mirror
BROCH_HOME="$tmp/homeB" expect 21 "$broch" snapshots --at mirror

# --- R04: joining them again: B's entries put behind A's, all packs of both there
serve_view viewA
cp -rn viewB/packs/. store/packs/
cp -rn viewB/objects/. store/objects/
length=$(ls "viewA/chains/$vault" | wc -l)
for file in $(ls "viewB/chains/$vault" | sort | tail -n 3); do
	cp "viewB/chains/$vault/$file" "store/chains/$vault/$(printf %016x "$length")"
	length=$((length + 1))
done
before=$(find store -type f | sort)
BROCH_HOME="$tmp/home" expect 20 "$broch" snapshots
BROCH_HOME="$tmp/home" expect 20 "$broch" backup src
BROCH_HOME="$tmp/homeB" expect 21 "$broch" snapshots # B meets A's entries first
BROCH_HOME="$tmp/homeB" expect 20 "$broch" check
is "$(find store -type f | sort)" "$before"
finish
