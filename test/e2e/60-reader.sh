#!/bin/bash
# Goal: what broch stored comes out of the independent reader (doc/reader) with the kit alone: contents, names and attributes
# of a tree of every kind; from damaged stores it gives nothing wrong.
set -euo pipefail
root=${BROCH_SOURCE_ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BROCH_BUILD_ROOT:-$root/build}
whole=${READER_WHOLE:-}
broch="$build/broch" tools="$build/test/lib"
mapfile -t reader < <("$root/test/lib/reader-folder")
[ "${#reader[@]}" = 2 ] || exit 77

tmp=$(mktemp -d)
trap 'chmod -R u+rwx "$tmp" 2>/dev/null || true; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
export BROCH_HOME="$tmp/home"
passed=0 failed=0
ok() { passed=$((passed + 1)); }
wrong() { failed=$((failed + 1)); echo "WRONG: $*"; }
# expect CODE WHAT COMMAND...: what it prints goes to $tmp/said.
expect() {
	local code=0 right=$1 what=$2
	shift 2
	"$@" >"$tmp/said" 2>&1 || code=$?
	if [ "$code" = "$right" ]; then ok; else wrong "$what: exit $code instead of $right"; tail -n 5 "$tmp/said"; fi
}
said() { if grep -q "$1" "$tmp/said"; then ok; else wrong "did not say: $1"; fi }
as_it_was() { # what, options of treecmp
	local what=$1
	shift
	if "$tools/treecmp" "$@" >"$tmp/compared" 2>&1; then ok; else wrong "$what"; tail -n 5 "$tmp/compared"; fi
}
read_it() { "${reader[0]}" "${reader[1]}/reader.mjs" --at "$tmp/store" --kit-file "$tmp/kit" "$@"; }

# --- a tree of every kind
umask 022
options=(--no-1t --big "$([ -n "$whole" ] && echo 20000 || echo 500)") allow=(--allow all) ignored=()
[ "$(id -u)" = 0 ] || { options+=(--no-root) allow=() ignored=(--ignore setuid); }
"$tools/maketree" "${options[@]}" "$tmp/tree" >/dev/null 2>&1
"$broch" init --at "$tmp/store" --no-passphrase --kit-out "$tmp/kit" >/dev/null 2>&1
"$broch" backup -q "$tmp/tree"
expect 0 "whole tree" read_it --to "$tmp/out" "${allow[@]}"
cat "$tmp/said"
as_it_was "the whole tree" "${ignored[@]}" "$tmp/tree" "$tmp/out$tmp/tree"

# --- a user who may do less, where root can become one (in the long form): what is missing is what the reader counts
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if [ -n "$whole" ] && [ "$(id -u)" = 0 ] && "${nobody[@]}" "${reader[0]}" --version >/dev/null 2>&1 && "${nobody[@]}" test -r "${reader[1]}/reader.mjs"; then
	chmod -R a+rX "$tmp/store" "$tmp/kit" "$tmp/home"
	install -d -o 65534 -g 65534 "$tmp/theirs"
	expect 0 "as an ordinary user" "${nobody[@]}" "${reader[0]}" "${reader[1]}/reader.mjs" --at "$tmp/store" --kit-file "$tmp/kit" --to "$tmp/theirs/out"
	said "^not set: [0-9]* owners"
	said "^not set: [0-9]* devices"
	as_it_was "an ordinary user's tree" --ignore owner,device,setuid,capability,trusted,security "$tmp/tree" "$tmp/theirs/out$tmp/tree"
	chmod -R u+rwx "$tmp/theirs" && rm -rf "$tmp/theirs"
fi
chmod -R u+rwx "$tmp/tree" "$tmp/out" "$tmp/store" "$tmp/home"
rm -rf "$tmp/tree" "$tmp/out" "$tmp/store" "$tmp/home"

# --- a small vault, for what can go wrong
mkdir -p "$tmp/src/sub"
head -c 3000000 /dev/urandom >"$tmp/src/large"
for i in $(seq 40); do seq "$i" 400 >"$tmp/src/sub/text$i"; done
ln "$tmp/src/large" "$tmp/src/sub/linked"
rm "$tmp/kit"
"$broch" init --at "$tmp/store" --no-passphrase --kit-out "$tmp/kit" >/dev/null 2>&1
"$broch" backup -q "$tmp/src"
first=$(read_it --list | awk '$1 !~ /^vault/ { print $1 }')
cp -a "$tmp/src" "$tmp/before"
echo more >"$tmp/src/sub/text1"
"$broch" backup -q "$tmp/src"

expect 0 "latest" read_it --snapshot latest --to "$tmp/new"
as_it_was "the newest snapshot" "$tmp/src" "$tmp/new$tmp/src"
expect 0 "by the beginning of its id" read_it --snapshot "${first:0:10}" --to "$tmp/old"
as_it_was "the first snapshot" "$tmp/before" "$tmp/old$tmp/src"
expect 0 "without indexes" read_it --scan --to "$tmp/scanned"
as_it_was "the newest snapshot, without indexes" "$tmp/src" "$tmp/scanned$tmp/src"
expect 10 "a snapshot that is not" read_it --snapshot ffffffffff --to "$tmp/none"
expect 2 "no --to" read_it

# what is there already stays
mkdir -p "$tmp/there$tmp"
echo mine >"$tmp/there/mine"
ln -s /nowhere "$tmp/there$tmp/src"
expect 3 "over what is there" read_it --to "$tmp/there"
if [ "$(cat "$tmp/there/mine")" = mine ] && [ ! -e /nowhere ] && [ -h "$tmp/there$tmp/src" ]; then ok; else wrong "something was overwritten"; fi

# the wrong kit, and a mistyped one
code=$(sed -n 's/^ *Recovery code: *//p' "$tmp/kit")
first_letter=${code:0:1}
expect 12 "a mistyped kit" env sh -c "echo '$([ "$first_letter" = 0 ] && echo 1 || echo 0)${code:1}' | '${reader[0]}' '${reader[1]}/reader.mjs' --at '$tmp/store' --kit-file - --list"
said "character 1 is wrong"
expect 12 "another account's kit" env sh -c "echo 0004-1061-050R-3GG2-8A1C-60T3-GFXC | '${reader[0]}' '${reader[1]}/reader.mjs' --at '$tmp/store' --kit-file - --list"

# --- the life of a vault: deletions, a new kit, another device, a second vault
mkdir "$tmp/life"
broch_at_life() { BROCH_HOME="$tmp/lifehome" "$broch" "$@" >/dev/null 2>&1 || wrong "broch $1: exit $?"; }
life() { "${reader[0]}" "${reader[1]}/reader.mjs" --at "$tmp/lifestore" "$@"; }
broch_at_life init --at "$tmp/lifestore" --no-passphrase --hold 0 --kit-out "$tmp/kit1"
for i in 1 2 3; do
	head -c 3000000 /dev/urandom >"$tmp/life/file$((i % 2))"
	broch_at_life backup "$tmp/life"
done
packs=$(find "$tmp/lifestore/packs" -type f)
broch_at_life forget --keep-last 1
broch_at_life prune
broch_at_life prune
gone=0
for pack in $packs; do [ -e "$pack" ] || gone=$((gone + 1)); done
if [ "$gone" -gt 0 ]; then ok; else wrong "the prune deleted nothing"; fi
expect 0 "after a prune" life --kit-file "$tmp/kit1" --to "$tmp/pruned"
as_it_was "a pruned vault" "$tmp/life" "$tmp/pruned$tmp/life"
cp -a "$tmp/lifestore/locators" "$tmp/locators"
broch_at_life kit replace --kit-file "$tmp/kit1" --kit-out "$tmp/kit2"
expect 12 "a replaced kit" life --kit-file "$tmp/kit1" --list
cp -n "$tmp/locators"/* "$tmp/lifestore/locators/"
expect 12 "a replaced kit whose locator was kept" life --kit-file "$tmp/kit1" --list
echo new >"$tmp/life/new"
broch_at_life backup "$tmp/life"
expect 0 "with the new kit" life --kit-file "$tmp/kit2" --to "$tmp/renewed"
as_it_was "a vault with new keys" "$tmp/life" "$tmp/renewed$tmp/life"
mv "$tmp/lifehome" "$tmp/lost"
broch_at_life recover --at "$tmp/lifestore" --kit-file "$tmp/kit2" --no-passphrase
echo newer >"$tmp/life/new"
broch_at_life backup "$tmp/life"
broch_at_life vault create second
broch_at_life backup --vault second "$tmp/src"
expect 0 "from a second device" life --kit-file "$tmp/kit2" --vault main --to "$tmp/recovered"
as_it_was "a second device's snapshot" "$tmp/life" "$tmp/recovered$tmp/life"
expect 0 "a second vault" life --kit-file "$tmp/kit2" --vault second --to "$tmp/second"
as_it_was "a second vault" "$tmp/src" "$tmp/second$tmp/src"

# --- every file of the store changed, cut, and taken away: all is as it was, or an error and nothing wrong
harmless=0 noticed=0
change() { # how, file, bytes
	case $1 in
	flip) printf "\\x$(printf %02x $((0x$(od -An -tx1 -j "$3" -N 1 "$2" | tr -d " ") ^ 16)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none ;;
	cut) truncate -s "$3" "$2" ;;
	gone) rm "$2" ;;
	esac
}
try() { # how, file, offset
	cp -a "$tmp/store/$2" "$tmp/kept"
	change "$1" "$tmp/store/$2" "$3"
	local code=0
	read_it --to "$tmp/damaged" >"$tmp/said" 2>&1 || code=$?
	rm "$tmp/store/$2" 2>/dev/null || true
	mv "$tmp/kept" "$tmp/store/$2"
	if [ -d "$tmp/damaged$tmp/src" ]; then
		"$tools/treecmp" "$tmp/src" "$tmp/damaged$tmp/src" >"$tmp/compared" 2>&1 || true
	else
		echo "differences: missing=1" >"$tmp/compared"
	fi
	rm -rf "$tmp/damaged"
	# Missing files are what an error leaves; a directory whose entries are missing is not touched otherwise.
	if [ "$code" = 0 ] && grep -qx 'differences: none' "$tmp/compared"; then
		harmless=$((harmless + 1)) && ok
	elif [ "$code" != 0 ] && [ "$code" -le 21 ] && ! grep -qE '^differences:.* (content|size|type|holes|target|hardlink|mtime|mode)=' "$tmp/compared"; then
		noticed=$((noticed + 1)) && ok
	else
		wrong "$1 $2 at $3: exit $code"
		tail -n 3 "$tmp/said" "$tmp/compared"
	fi
}
RANDOM=20261121
turn=0 # in the normal run each file gets one kind of change, in the long form all
vault=$(read_it --list | awk '$1 == "vault" { print $2 }')
newest=$(cd "$tmp/store" && find "chains/$vault" -type f -name '[0-9a-f]*' ! -name '*.seg' | sort | tail -n 1)
while read -r file; do
	size=$(stat -c %s "$tmp/store/$file") kinds=(flip cut gone)
	[ -n "$whole" ] || kinds=("${kinds[turn++ % 3]}")
	case $file in packs/*) try flip "$file" $((1200 + RANDOM)) ;; esac
	for kind in "${kinds[@]}"; do
		case $kind in
		flip) try flip "$file" $(((RANDOM * 32768 + RANDOM) % size)) ;;
		cut) try cut "$file" $((size / 2)) ;;
		# A chain without its newest entry is an older chain: with the kit alone nobody can tell (doc/spec/chains.md section 7).
		gone) [ "$file" = "$newest" ] || try gone "$file" 0 ;;
		esac
	done
done < <(cd "$tmp/store" && find packs chains objects locators broch-store -type f | sort)
echo "changed stores: $harmless without effect, $noticed noticed"
[ "$noticed" -ge 8 ] || wrong "too few changes were noticed"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
