#!/bin/bash
# Goal of this test: the recovery kit and the store alone open the account on a new machine; a kit can be verified and replaced, and
# what was replaced opens nothing new; vaults and devices are listed.
. "$(dirname "$0")/common.sh"
new_store store
mkdir src
echo 1 >src/a
snap src
first=$snapshot
new_machine() { export BROCH_HOME="$tmp/$1"; }

# --- vaults
expect 2 env BROCH_HOME="$tmp/none" "$broch" init --at elsewhere --vault letters --no-passphrase
has err "the first vault is called main"
is "$(ls -d elsewhere none 2>/dev/null)" ""
expect 0 "$broch" vault create second --hold 1d --json
json out
expect 1 "$broch" vault create second
expect 2 "$broch" vault create ""
is "$("$broch" vault list --json | wc -l)" 2
expect 0 "$broch" vault info --json
json out
is "$(member out vault-info name)" main
is "$(member out vault-info hold)" 0
is "$("$broch" vault info second --json >l; member l vault-info hold)" 86400
expect 10 "$broch" vault info nosuch
expect 0 "$broch" vault info
expect 0 "$broch" vault list
expect 0 "$broch" backup src --vault second -q
is "$("$broch" snapshots --vault second --json | wc -l)" 1
is "$("$broch" snapshots --json | wc -l)" 1
is "$(BROCH_VAULT=second "$broch" vault info --json >l; member l vault-info name)" second

# --- kit verify changes nothing
find store home -type f -not -name '*.lock' | sort | xargs sha256sum >before
expect 0 "$broch" kit verify --kit-file store.kit --json
json out
find store home -type f -not -name '*.lock' | sort | xargs sha256sum >after
is "$(grep -v /heads/ before | md5sum)" "$(grep -v /heads/ after | md5sum)"
code=$(sed -n 's/.*Recovery code: *//p' store.kit | tr -d ' ')
echo "$code" | tr 'A-Z-' 'a-z ' >plain
expect 0 "$broch" kit verify --kit-file plain
printf '%s' "$code" | tr -d - >plain
expect 0 "$broch" kit verify --kit-file plain
case $code in ?[0-9]*) typo=${code:0:1}A${code:2} ;; *) typo=${code:0:1}7${code:2} ;; esac
echo "$typo" >plain
expect 12 "$broch" kit verify --kit-file plain
has err "character 2"
expect 1 "$broch" kit verify --kit-file nosuch
BROCH_HOME="$tmp/other" "$broch" init --at other-store --no-passphrase --kit-out other.kit >/dev/null 2>&1
expect 12 "$broch" kit verify --kit-file other.kit

# --- recover
expect 1 "$broch" recover --at store --kit-file store.kit --no-passphrase
new_machine second
expect 2 "$broch" recover --kit-file store.kit --no-passphrase
expect 10 "$broch" recover --at nosuch --kit-file store.kit --no-passphrase
expect 12 "$broch" recover --at store --kit-file other.kit --no-passphrase
expect 12 "$broch" recover --at store --kit-file plain --no-passphrase
echo "new words" >pass
expect 0 "$broch" recover --at store --kit-file store.kit --passphrase-file pass --json
json out
is "$(member out recover vaults)" "['main', 'second']"
is "$(python3 -c 'import json; print([(c["name"], c["snapshots"], "newest" in c) for c in json.load(open("out"))["contents"]])')" \
	"[('main', 1, True), ('second', 1, True)]"
echo "other words" >wrong
expect 12 env BROCH_PASSPHRASE_FILE=wrong "$broch" snapshots
export BROCH_PASSPHRASE_FILE="$tmp/pass"
is "$("$broch" cat "$first" "$tmp/src/a")" 1
echo 2 >src/a
snap src
is "$("$broch" snapshots --vault second --json | wc -l)" 1
expect 0 "$broch" device list --json
json out
is "$(grep -c '"kind":"full"' out)" 2
is "$(grep -c '"this":true' out)" 1
# the way that the kit goes is looked after here too
mv store/locators locators && mkdir store/locators
expect 20 "$broch" check
has err "the recovery kit cannot find the account"
rmdir store/locators && mv locators store/locators
expect 0 "$broch" check
new_machine home
is "$("$broch" cat latest "$tmp/src/a")" 2
expect 0 "$broch" device list

# --- kit replace
expect 12 "$broch" kit replace --kit-file other.kit --kit-out new.kit
expect 1 "$broch" kit replace --lost --kit-out new.kit # there is a second device
gone new.kit
expect 1 "$broch" kit replace --kit-file store.kit --kit-out no/such/folder/kit
expect 2 "$broch" kit replace --kit-file store.kit --kit-out store/kit
"$broch" copy --to mirror >/dev/null 2>&1
expect 1 "$broch" kit replace --kit-file store.kit --kit-out new.kit --at mirror
has err "is a mirror"
gone new.kit
echo mine >taken
expect 1 "$broch" kit replace --kit-file store.kit --kit-out taken
is "$(cat taken)" mine
cp -a store old-store
expect 0 "$broch" kit replace --kit-file store.kit --kit-out new.kit --json
json out
is "$(stat -c %a new.kit)" 600
is "$(ls store/locators | wc -l)" 1
expect 12 "$broch" kit verify --kit-file store.kit
expect 0 "$broch" kit verify --kit-file new.kit
expect 0 "$broch" check
BROCH_HOME="$tmp/second" expect 0 "$broch" check # of a kit that was replaced nothing is missing
is "$("$broch" vault info --json >l; member l vault-info epoch)" 2
is "$("$broch" vault info second --json >l; member l vault-info epoch)" 2
expect 12 "$broch" kit replace --kit-file store.kit --kit-out another.kit
gone another.kit
new_machine third
expect 12 "$broch" recover --at store --kit-file store.kit --no-passphrase
# with the old locator put back, the chain still says that the kit was replaced
cp old-store/locators/* store/locators/
expect 12 "$broch" recover --at store --kit-file store.kit --no-passphrase
unset BROCH_PASSPHRASE_FILE
expect 0 "$broch" recover --at store --kit-file new.kit --no-passphrase
has out "vault main: 2 snapshots, the newest made at"
if grep -qE '^vault main: .* [0-9]{1,2} minutes? ago' out; then ok; else wrong "not made just now"; cat out; fi
has out "vault second: 1 snapshot,"
has err "old copy of the store"
echo 3 >src/a
snap src
is "$("$broch" cat latest "$tmp/src/a")" 3
is "$("$broch" cat "$first" "$tmp/src/a")" 1
new_machine home
is "$("$broch" cat latest "$tmp/src/a")" 3

# --- kit replace, ended at any of its steps: a second run finishes it, and one kit counts
new_machine solo
expect 0 "$broch" init --at solo-store --no-passphrase --kit-out solo.kit --hold 0
snap src
if command -v strace >/dev/null; then
	for n in 1 2 3 4 5 6 7 8 9 10 12 14 16 18; do
		rm -rf solo-now solo-home solo2.kit
		cp -a solo-store solo-now
		cp -a solo solo-home
		export BROCH_HOME="$tmp/solo-home"
		(strace -f -qq -o /dev/null -e inject=fsync,fdatasync:signal=KILL:when=$n \
			"$broch" kit replace --at solo-now --kit-file solo.kit --kit-out solo2.kit || true) >/dev/null 2>&1
		expect 0 "$broch" kit replace --at solo-now --kit-file solo.kit --kit-out solo2.kit
		expect 0 "$broch" kit verify --at solo-now --kit-file solo2.kit
		expect 12 "$broch" kit verify --at solo-now --kit-file solo.kit
		expect 0 "$broch" ls --at solo-now
	done
fi
new_machine solo
expect 0 "$broch" kit replace --lost --kit-out lost.kit
expect 0 "$broch" kit verify --kit-file lost.kit
expect 12 "$broch" kit verify --kit-file solo.kit
finish
