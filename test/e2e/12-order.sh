#!/bin/bash
# Goal of this test: tags change without a new snapshot; forget follows its policy, group by group, whatever a clock says; keep takes it
# back.
. "$(dirname "$0")/common.sh"
new_store store
mkdir src
count() { "$broch" snapshots --json "$@" | wc -l; }

# --- tag
echo 1 >src/a
snap src --tag x
first=$snapshot
expect 2 "$broch" tag latest
expect 2 "$broch" tag latest --set a --add b
expect 10 "$broch" tag nosuch --add a
expect 0 "$broch" tag latest --add foo,bar --remove x --json
json out
is "$(member out tagged tags)" "['bar', 'foo']"
is "$(member out tagged snapshot)" "$first"
expect 0 "$broch" tag --tag foo --set one
is "$(count --tag one)" 1
entries=$(find store/chains -type f | wc -l)
expect 0 "$broch" tag --set one
is "$(find store/chains -type f | wc -l)" "$entries"
expect 0 "$broch" tag --remove one
is "$(count --tag one)" 0
expect 0 "$broch" tag --add a,b
is "$(count --tag "")" 0
expect 0 "$broch" tag --tag a --set ""
is "$(count --tag "")" 1

# --- forget by name, and keep
echo 2 >src/a
snap src
second=$snapshot
expect 2 "$broch" forget
expect 2 "$broch" forget latest --keep-last 1
expect 10 "$broch" forget nosuch
expect 0 "$broch" forget "$first" --dry-run
is "$(count)" 2
expect 0 "$broch" forget "$first" --json
json out
is "$(member out forget forgotten)" 1
is "$(count)" 1
expect 10 "$broch" ls "$first"
has err "broch keep"
expect 10 "$broch" keep "$second"
expect 10 "$broch" keep nosuch
expect 10 "$broch" keep @3
expect 2 "$broch" keep @x
expect 0 "$broch" keep "${first:0:20}" --json
json out
is "$(count)" 2
is "$("$broch" cat "$first" "$tmp/src/a")" 1

# --- a policy
for i in 3 4 5; do
	echo $i >src/a
	snap src
done
expect 0 "$broch" forget --keep-last 3 --dry-run --json
json out
is "$(grep -c '"type":"kept"' out)" 3
is "$(grep -c '"type":"forgotten"' out)" 2
is "$(member out forget dry_run)" True
is "$(count)" 5
expect 0 "$broch" forget --keep-last 3
is "$(count)" 3
expect 0 "$broch" forget --keep-daily 7 --keep-within 1h
is "$(count)" 3
expect 0 "$broch" tag 'latest~2' --add precious
expect 0 "$broch" forget --keep-last 1 --keep-tag precious
is "$(count)" 2
expect 1 "$broch" forget --keep-tag nosuch # would leave nothing
is "$(count)" 2
# a group of which nothing would be left is left alone, whichever place it has; the others follow the policy
for h in first last; do
	echo "$h" >src/a
	snap src --host "$h"
	snap src --host "$h" --tag dear
	snap src --host "$h-plain"
done
expect 1 "$broch" forget --keep-tag dear
has err "left alone"
is "$(count --host first) $(count --host last) $(count --host first-plain) $(count --host last-plain)" "1 1 1 1"
for h in first last first-plain last-plain; do "$broch" forget latest --host $h >/dev/null 2>&1; done

# --- groups
for h in h1 h2; do for i in 1 2 3; do echo $i$h >src/a; snap src --host $h; done; done
is "$(count)" 8
expect 0 "$broch" forget --keep-last 1 --host h1
is "$(count)" 6
expect 0 "$broch" forget --keep-last 1 --dry-run --group-by "" --json
is "$(grep -c '"type":"kept"' out)" 1
expect 0 "$broch" forget --keep-last 1
is "$(count)" 3

one_day 200
# --- a clock that is wrong: what is dated in the future, or before its predecessor, counts at its place
for t in "2090-01-01" "2000-01-01" "2091-01-01"; do
	echo "$t" >src/a
	snap src --host clock --time "$t"
done
echo last >src/a
snap src --host clock
expect 0 "$broch" forget --keep-within 1d --host clock
is "$(count --host clock)" 4
expect 0 "$broch" forget --keep-yearly 10 --host clock
is "$(count --host clock)" 2 # all of one year: the newest, and the oldest as its room is not used up

# --- a stolen device can't push out what other devices stored
export BROCH_HOME="$tmp/stolen"
expect 0 "$broch" recover --at store --kit-file store.kit --no-passphrase
for i in 1 2 3 4 5; do
	echo junk$i >src/a
	snap src --host clock --branch "clock:$tmp/src" --time "2095-01-0$i"
done
export BROCH_HOME="$tmp/home"
expect 0 "$broch" forget --keep-last 2 --keep-daily 2
is "$(count --host clock)" 5 # of the junk two, and the oldest as there is room for a second day
"$broch" snapshots --host clock --json >l
is "$(python3 -c 'import json,collections; print(sorted(collections.Counter(json.loads(l)["device"] for l in open("l")).values()))')" "[2, 3]"
finish
