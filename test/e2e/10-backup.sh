#!/bin/bash
# Goal of this test: init makes an account and refuses, changing nothing, where it must; backup takes its options, says what it
# did, and ends with the documented codes.
. "$(dirname "$0")/common.sh"

# --- init: what it refuses, it leaves alone
expect 2 "$broch" init --no-passphrase --kit-out kit
expect 2 "$broch" init --at store --kit-out kit                # no terminal to ask for a passphrase
expect 2 "$broch" init --at store --no-passphrase --json       # the page needs a file
mkdir full && echo mine >full/file
expect 1 "$broch" init --at full --no-passphrase --kit-out kit
is "$(ls full)" file
echo other >kit
expect 1 "$broch" init --at store --no-passphrase --kit-out kit
is "$(cat kit)" other
rm kit
expect 1 "$broch" init --at store --no-passphrase --kit-out no/such/folder/kit
mkdir empty
expect 2 "$broch" init --at empty --no-passphrase --kit-out empty/kit # who has the store would have the kit
has err "lies in the store"
is "$(ls empty)" ""
echo "open sesame" >pass
expect 2 "$broch" init --at store --no-passphrase --passphrase-file pass --kit-out kit
expect 1 "$broch" init --at store --passphrase-file nosuch --kit-out kit
gone store
gone home
gone kit
expect 10 "$broch" snapshots
expect 10 "$broch" snapshots --at full

# --- what every program has
expect 0 "$broch" --version
has out "broch 0"
expect 0 "$broch" --help backup
has out "usage: broch backup"

# --- init: what it makes
expect 0 "$broch" init --at store --passphrase-file pass --kit-out kit --json
json out
json err
is "$(member out init store)" "$tmp/store"
is "$(stat -c %a kit)" 600
is "$(stat -c %a home/keys)" 600
has kit "Recovery code:"
code=$(sed -n 's/.*Recovery code: *//p' kit | tr -d ' ')
is "$(grep -rl -- "$code" home store out err | wc -l)" 0
expect 1 "$broch" init --at store2 --no-passphrase --kit-out kit2 # this device has an account
gone store2
gone kit2

# --- a kit that is shown is no file
BROCH_HOME="$tmp/shown" expect 0 "$broch" init --at .//shown-store/. --no-passphrase
has out "Recovery code:"
lacks out "delete the file"
has out "in $tmp/shown-store"
has kit "delete the file"

# --- passphrases
export BROCH_PASSPHRASE_FILE="$tmp/pass"
expect 0 "$broch" snapshots
has out "0 snapshots"
echo wrong >pass2
expect 12 "$broch" snapshots --passphrase-file pass2
expect 12 "$broch" --passphrase-file pass2 snapshots
expect 12 env -u BROCH_PASSPHRASE_FILE setsid "$broch" snapshots # there is nobody to ask
expect 1 "$broch" snapshots --passphrase-file nosuch
expect 10 "$broch" snapshots --at nosuch
expect 10 "$broch" snapshots --vault nosuch
BROCH_AT=nosuch expect 10 "$broch" snapshots
BROCH_VAULT=nosuch expect 10 "$broch" snapshots
expect 2 "$broch" snapshots --nosuch
# a right that is missing is no wrong passphrase
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	chmod 755 "$tmp"
	expect 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$broch" snapshots
	chmod 700 "$tmp"
fi

# --- backup
mkdir -p src/dir src/cache src/empty
echo one >src/one
head -c 300000 /dev/urandom >src/dir/random
printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >src/cache/CACHEDIR.TAG
echo x >src/cache/x
echo y >src/dir/y.o
ln -s one src/link
expect 2 "$broch" backup
expect 1 "$broch" backup nosuch
has err "nosuch"
expect 1 "$broch" backup nosuch src/nosuch
is "$("$broch" snapshots --json | grep -c '"type":"snapshot"')" 0
expect 3 "$broch" backup src nosuch --branch missing --json
has err "nosuch: left out"
is "$(member out summary unreadable)" 1
is "$("$broch" snapshots --json | grep -c '"type":"snapshot"')" 1
expect 2 "$broch" backup ""
expect 0 "$broch" backup src --json
json out
json err
is "$(tail -n 1 out | python3 -c 'import json,sys; print(json.loads(sys.stdin.read())["type"])')" summary
is "$(member out summary files)" 5
is "$(member out summary files_new)" 5
is "${#code}" 34
first=$(member out summary snapshot)
is "${#first}" 64
expect 0 "$broch" backup src --json
is "$(member out summary files_unchanged)" 5
second=$(member out summary snapshot)
expect 0 "$broch" backup src --json --skip-if-unchanged # whatever others do in the folders above ours
is "$(member out summary unchanged)" True
is "$(member out summary snapshot)" "$second"
made=$("$broch" snapshots --json | wc -l)
expect 0 "$broch" backup src --json --dry-run
is "$(member out summary snapshot)" None
is "$("$broch" snapshots --json | wc -l)" "$made"
echo two >src/two
expect 0 "$broch" backup src --json --skip-if-unchanged
is "$(member out summary unchanged)" False
is "$("$broch" snapshots --json | wc -l)" $((made + 1))

# --- what is left out
expect 0 "$broch" backup src -e '*.o' --exclude-caches
"$broch" ls latest >list
lacks list y.o
lacks list cache/x
has list cache/CACHEDIR.TAG
printf '# objects\n*.o\n!y.o\n$NOSUCH\n' >patterns
expect 0 "$broch" backup src --exclude-file patterns
"$broch" ls latest >list
has list y.o
expect 2 "$broch" backup src -e '[a'
printf '[a\n' >patterns
expect 2 "$broch" backup src --exclude-file patterns
has err "line 1"
printf '%s\n\n%s\n' "$tmp/src/one" "src/dir" >paths
expect 0 "$broch" backup --files-from paths
"$broch" ls latest >list
has list "$tmp/src/one"
has list "$tmp/src/dir/random"
lacks list src/two
mkdir $'src/new\nline'
printf '%s\0' $'src/new\nline' src/one >paths
expect 0 "$broch" backup --files-from paths
"$broch" ls latest >list
has list 'src/new\x0aline'
has list "$tmp/src/one"
lacks list src/two
printf 'src/dir\n' | "$broch" backup -q --files-from - >/dev/null
"$broch" ls latest >list
has list "$tmp/src/dir/random"
lacks list src/one
rmdir $'src/new\nline'
expect 0 "$broch" backup . # with the store and the state in it
"$broch" ls latest >list
lacks list "$tmp/home/keys"
has err "left out: it is a Broch store"
lacks list "$tmp/store/chains"
has list "$tmp/src/one"

# --- standard input
expect 2 "$broch" backup --stdin src
expect 2 "$broch" backup --stdin --stdin-filename a/b
echo piped | "$broch" backup --stdin --stdin-filename said -q >/dev/null
is "$("$broch" cat latest /said)" piped

# --- not complete
if [ "$(id -u)" != 0 ]; then
	chmod 0 src/two
	expect 3 "$broch" backup src --json
	is "$(member out summary unreadable)" 1
	json err
	chmod 644 src/two
fi

# --- hosts, branches, tags, times
expect 0 "$broch" backup src --host elsewhere --branch line --tag a,b --tag c --time "2020-02-02 12:00:00" --json
"$broch" snapshots latest --json >list
is "$(member list snapshot host)" elsewhere
is "$(member list snapshot branch)" line
is "$(member list snapshot tags)" "['a', 'b', 'c']"
is "$(member list snapshot time)" 2020-02-02T12:00:00.000000000Z
is "$(member list snapshot paths)" "['$tmp/src']"
finish
