#!/bin/bash
# Goal of this test: a tree of every kind comes back with no difference, as root with everything allowed and as an ordinary user with
# exactly the documented things missing and counted; and the options of restore do what they say.
. "$(dirname "$0")/common.sh"
tools="$build/test/lib"
new_store store
root_here=$([ "$(id -u)" = 0 ] && echo 1 || echo 0)
as_it_was() { # options and trees of treecmp
	if "$tools/treecmp" "$@" >compared 2>&1; then ok; else wrong "trees differ"; tail -n 5 compared; fi
}
no_temps() { is "$(find "$1" -regex '.*/\.broch-[a-z2-7]*' ! -name .broch-tmp | wc -l)" 0; }

# --- a tree of every kind, new, over itself, and verified
options=(--big 3000) allow=(--allow all)
[ "$root_here" = 1 ] || { options+=(--no-root); allow=(--allow setuid); }
"$tools/maketree" "${options[@]}" tree >/dev/null 2>&1
rm tree/holes/allocated # reserved space that holds nothing is data to a backup, and a hole to the comparer
touch -d '2001-05-27 01:02:03.4' tree/holes
snap tree
expect 0 "$broch" restore latest --to all "${allow[@]}"
as_it_was tree "all$tmp/tree"
expect 0 "$broch" restore latest --target all "${allow[@]}" --verify --json
json out
is "$(member out summary kept)" 0
as_it_was tree "all$tmp/tree"
no_temps all
if command -v rsync >/dev/null; then
	# all but paths that rsync can't take
	rsync -niacAXHS --numeric-ids --modify-window=-1 --delete --exclude /deep --exclude /long --exclude /holes/one-tib tree/ "all$tmp/tree/" >rsync.out 2>&1 || true
	is "$(cat rsync.out)" ""
fi

# --- without --allow: what is missing is counted
expect 0 "$broch" restore latest --to plain --json
[ "$(member out summary setuid_not_set)" -gt 0 ] && ok || wrong "no set-user-id bit was counted"
"$tools/treecmp" --ignore owner,device,setuid,capability,trusted,security tree "plain$tmp/tree" >compared 2>&1 && ok || { wrong "more is missing than documented"; tail -n 5 compared; }
count() { sed -n "s/^ignored:.* $1=\([0-9]*\).*/\1/p; s/^ignored: $1=\([0-9]*\).*/\1/p" compared | head -1; }
if [ "$root_here" = 1 ]; then
	is "$(member out summary setuid_not_set)" "$(count setuid)"
	is "$(member out summary device_not_made)" "$(count device)"
	is "$(member out summary capability_not_set)" "$(count capability)"
fi
chmod -R u+rwx all plain && rm -rf all plain

# --- as an ordinary user, of what root has backed up
if [ "$root_here" = 1 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	chmod 755 "$tmp"
	chmod -R a+rwX store home
	install -d -o 65534 -g 65534 theirs
	expect 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$broch" restore latest --to theirs/out --json
	[ "$(member out summary owner_not_set)" -gt 0 ] && ok || wrong "no owner was counted"
	as_it_was --ignore owner,device,setuid,capability,trusted,security tree "theirs/out$tmp/tree"
	expect 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$broch" restore latest --to theirs/out -q
	as_it_was --ignore owner,device,setuid,capability,trusted,security tree "theirs/out$tmp/tree"
	chmod -R u+rwx theirs && rm -rf theirs
fi
chmod -R u+rwx tree && rm -rf tree

# --- options
mkdir -p t/a/b t/c
echo one >t/a/one.txt
echo two >t/a/b/two.txt
echo three >t/c/three.doc
ln t/a/one.txt t/c/linked.txt
head -c 3000000 /dev/zero | tr '\0' z >t/large
head -c 5000000 /dev/zero >t/zeros
ln -s nowhere t/link
snap t
first=$snapshot
expect 2 "$broch" restore latest
expect 10 "$broch" restore 0123456789abcdef --to o1
gone o1
expect 0 "$broch" restore "${first:0:8}" --to o1 --path "$tmp/t/a"
there "o1$tmp/t/a/b/two.txt"
gone "o1$tmp/t/c"
expect 1 "$broch" restore latest --to o2 --path /no/such/thing
has err "nothing at /no/such/thing"
expect 3 "$broch" restore latest --to o2 --path /no/such/thing --path "$tmp/t/large"
there "o2$tmp/t/large"
expect 0 "$broch" restore latest --to o3 --include '*.txt' --exclude b
is "$(cd "o3$tmp/t" && find . -type f | sort | tr '\n' ' ')" "./a/one.txt ./c/linked.txt "
is "$(stat -c %h "o3$tmp/t/a/one.txt")" 2
expect 0 "$broch" restore latest --to o4 --dry-run
gone o4
has out "$tmp/t/a/b/two.txt"
expect 0 "$broch" restore latest --to o4 --dry-run --json
json out
expect 0 "$broch" restore latest --to o4 --sparse
is "$(stat -c %b "o4$tmp/t/zeros")" 0
cmp -s t/zeros "o4$tmp/t/zeros" && ok || wrong "zeros differ"

# --- what is there already
expect 0 "$broch" restore latest --to o5 -q
echo mine >"o5$tmp/t/a/one.txt"
echo other >"o5$tmp/t/other"
expect 0 "$broch" restore latest --to o5 --overwrite never --json
is "$(member out summary files)" 0
is "$(cat "o5$tmp/t/a/one.txt")" mine
expect 0 "$broch" restore latest --to o5 --overwrite if-changed --json
is "$(member out summary files)" 2 # the other name of the file changed with it
is "$(cat "o5$tmp/t/a/one.txt")" one
echo mine >"o5$tmp/t/large"
expect 0 "$broch" restore latest --to o5 -q
is "$(cat "o5$tmp/t/other")" other
rm "o5$tmp/t/other"
expect 0 "$broch" restore latest --to o5 -q
as_it_was t "o5$tmp/t"
rm "o5$tmp/t/a/one.txt" && mkdir "o5$tmp/t/a/one.txt"
expect 3 "$broch" restore latest --to o5
has err "a folder is in its place"
there "o5$tmp/t/c/three.doc"
rmdir "o5$tmp/t/a/one.txt"
rm -r "o5$tmp/t/c" && ln -s "$tmp/t" "o5$tmp/t/c"
expect 3 "$broch" restore latest --to o5
is "$(ls t/c | wc -l)" 2
no_temps o5

# --- a folder that is full, or not there to be made
echo x >file
expect 1 "$broch" restore latest --to file/in
if [ "$root_here" = 1 ] && unshare -m true 2>/dev/null; then
	mkdir small
	expect 1 unshare -m sh -c "mount -t tmpfs -o size=1m none small && $broch restore latest --to small; code=\$?; ls -A small | wc -l >left; exit \$code"
	has err "free"
	is "$(cat left)" 0
fi

# --- few descriptors
expect 0 bash -c "ulimit -n 64; $broch restore latest --to o6 -q"
as_it_was t "o6$tmp/t"

# --- interrupted: nothing half-made stays, and the next one does all
mkdir many
for i in {1..30}; do head -c 4000000 /dev/urandom >many/$i; done
find store/packs -type f | sort >packs-before
snap many
"$broch" restore latest --to o7 -q >/dev/null 2>&1 &
sleep 0.05
kill -INT $! 2>/dev/null || true
code=0
wait $! || code=$?
case $code in 130 | 0) ok ;; *) wrong "interrupted: exit $code" ;; esac
[ ! -d o7 ] || no_temps o7
"$broch" restore latest --to o7 -q >/dev/null 2>&1 &
sleep 0.04
kill -KILL $! 2>/dev/null || true
wait $! 2>/dev/null || true
expect 0 "$broch" restore latest --to o7 -q
no_temps o7
as_it_was many "o7$tmp/many"

# --- a damaged pack: its files are named and not made, the others come back
new=$(find store/packs -type f -size 16384k | sort | comm -13 packs-before - | sed -n 1p)
flip "$new" 700000
expect 20 "$broch" restore latest --to o8
has err "not restored"
for f in o8"$tmp"/many/*; do cmp -s "$f" "many/${f##*/}" || wrong "$f is not what it was"; done
no_temps o8
finish
