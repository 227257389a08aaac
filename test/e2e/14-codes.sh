#!/bin/bash
# Goal of this test: a store that is damaged, forged or set back ends commands with the codes that scripts depend on, and reading goes
# on around the damage.
. "$(dirname "$0")/common.sh"
new_store store
mkdir -p src/one src/two
for i in 1 2 3 4 5; do head -c 100000 /dev/urandom >src/one/$i; echo $i >src/two/$i; done
snap src
cp -a store first-store
echo more >src/two/more
snap src
store() { rm -rf store; cp -a "$1" store; }
cp -a store good-store
cp -a home good-home

# --- an entry of a chain
entry=$(find store/chains -name 0000000000000001 | head -n 1)
for f in $(find store/chains -type f -size +0); do
	flip "$f" 200
	rm -rf home/cache
	expect 20 "$broch" snapshots
	expect 20 "$broch" backup src
	store good-store
done
has err "damaged or forged"
expect 0 "$broch" snapshots
expect 0 test -n "$entry"

# --- keys
for f in store/objects/*; do
	rm "$f"
	expect 20 "$broch" snapshots
	store good-store
done

# --- packs: what can be read is listed
for f in $(find store/packs -type f); do
	head -c 70000 /dev/zero | dd of="$f" bs=1 conv=notrunc status=none 2>/dev/null || true
done
expect 20 "$broch" ls
expect 20 "$broch" cat latest "$tmp/src/one/1"
is "$(wc -c <out)" 0
expect 20 "$broch" snapshots # the objects can't be read; the entries can
has out "2 snapshots"
store good-store
expect 0 "$broch" ls

# --- the store was set back
store first-store
expect 21 "$broch" snapshots
expect 21 "$broch" backup src
expect 21 "$broch" snapshots --json
json err
is "$(member err error code)" rollback
store good-store
expect 0 "$broch" snapshots

# --- another store in its place
export BROCH_HOME="$tmp/other"
new_store other-store
export BROCH_HOME="$tmp/home"
expect 10 "$broch" snapshots --at other-store

# --- the key store
flip home/keys 300
expect 20 "$broch" snapshots
finish
