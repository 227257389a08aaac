#!/bin/bash
# Goal of this test: snapshots, ls, find, cat, diff and stats show what was backed up, exactly, and choose snapshots as documented.
. "$(dirname "$0")/common.sh"
new_store store

mkdir -p t/d/e t/gone t/same/x
echo 1 >t/a
echo 1 >t/d/b
echo 1 >t/d-x
echo 2 >t/gone/1
ln -s a t/l
echo 5 >t/type
for i in 1 2 3; do echo $i >t/same/x/$i; done
mkfifo t/fifo
printf 'odd' >$'t/new\nline'
printf 'latin' >$'t/caf\xe9'
truncate -s 3000000 t/sparse
printf 'mid' | dd of=t/sparse bs=1 seek=1500000 conv=notrunc status=none
touch -d '2021-05-06 07:08:09.123456789' t/a
expect 10 "$broch" ls
has err "the vault has no snapshot"
snap t --tag one --host h1
first=$snapshot
echo 22 >t/a
rm -r t/gone t/type
echo n >t/d/e/n
mkdir t/type
echo k >t/type/k
chmod 600 t/d-x
ln -sfn b t/l
snap t --tag two --host h1 --branch "h1:$tmp/t"
second=$snapshot
snap t --tag two,three --host h2

# --- snapshots
expect 0 "$broch" snapshots --json
json out
is "$(wc -l <out)" 3
is "$("$broch" snapshots --json --host h1 | wc -l)" 2
is "$("$broch" snapshots --json --tag two | wc -l)" 2
is "$("$broch" snapshots --json --tag two,three | wc -l)" 1
is "$("$broch" snapshots --json --tag one --tag three | wc -l)" 2
is "$("$broch" snapshots --json --tag "" | wc -l)" 0
is "$("$broch" snapshots --json --branch "h1:$tmp/t" | wc -l)" 2
is "$("$broch" snapshots --json --latest 1 | wc -l)" 2
is "$("$broch" snapshots --json "$first" "${second:0:12}" | wc -l)" 2
"$broch" snapshots >out
has out "${first:0:8}"
has out "3 snapshots"

# --- choosing
is "$("$broch" snapshots --json latest >l; member l snapshot host)" h2
"$broch" snapshots --json 'latest~1' >l
is "$(member l snapshot snapshot)" "$second"
"$broch" snapshots --json 'latest~1' --host h1 >l
is "$(member l snapshot snapshot)" "$first"
expect 10 "$broch" ls 'latest~3'
has err "of 3 snapshots"
expect 10 "$broch" ls latest --host nobody
has err "none of 3 snapshots"
expect 10 "$broch" ls nosuch
expect 10 "$broch" ls "$(echo "$first" | tr 0-9a-f 1-9a-f0)"
for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do # with three snapshots any digit is one, several or none
	n=$("$broch" snapshots --json | grep -c "\"snapshot\":\"$i" || true)
	case $n in 0) right=10 ;; 1) right=0 ;; *) right=2 ;; esac
	expect $right "$broch" ls $i
done

# --- ls
is "$("$broch" ls latest --json | wc -l)" "$(($(find t -print0 | tr -dc '\0' | wc -c) + $(echo "$tmp" | tr -dc / | wc -c)))"
expect 0 "$broch" ls latest --json
json out
python3 - "$tmp" >is <<'P'
import json,sys,os
n=0
for l in open('out'):
    o=json.loads(l); p=bytes.fromhex(o['path_bytes']) if 'path_bytes' in o else o['path'].encode()
    s=os.lstat(p)
    assert s.st_mode&0o7777==o['mode'] and s.st_uid==o['uid'] and s.st_gid==o['gid']
    if o['kind']=='file': assert s.st_size==o['size']
    if o['kind']=='symlink': assert os.readlink(p)==os.fsencode(o['target']).decode().encode() or os.readlink(p.decode())==o['target']
    n+=1
print('good',n>10)
P
is "$(cat is)" "good True"
"$broch" ls latest >out
has out 'new\x0aline'
has out 'caf\xe9'
LC_ALL=C sort -c <(sed 's|/|\x01|g' out) && ok || wrong "ls is not in order"
"$broch" ls -l "$first" "$tmp/t/a" >out
has out "2021-05-06 07:08:09 $tmp/t/a"
is "$(cut -c1-10 out)" "-rw-r--r--"
"$broch" ls -l latest "$tmp/t/l" >out
has out " -> b"
is "$("$broch" ls latest "$tmp/t/d/" | wc -l)" 4
is "$("$broch" ls latest "$tmp/t/d" "$tmp/t/same" | wc -l)" 9
is "$("$broch" ls latest /)" "$("$broch" ls latest)"
expect 1 "$broch" ls latest /nosuch
expect 1 "$broch" ls latest "$tmp/t/a/b"
"$broch" ls latest | head -n 1 >/dev/null || wrong "a reader that goes away"

# --- cat
is "$("$broch" cat "$first" "$tmp/t/a")" 1
is "$("$broch" cat latest "$tmp/t/a")" 22
"$broch" cat latest "$tmp/t/sparse" | cmp - t/sparse && ok || wrong "a sparse file"
head -c 9000000 /dev/urandom >t/large
snap t --host h1
"$broch" cat latest "$tmp/t/large" | cmp - t/large && ok || wrong "a large file"
expect 1 "$broch" cat latest /nosuch
expect 2 "$broch" cat latest "$tmp/t/d"
expect 10 "$broch" cat nosuch "$tmp/t/a"

# --- find
expect 0 "$broch" find -s latest 'd-?' d --json
json out
is "$(wc -l <out)" 2
is "$("$broch" find b --json | wc -l)" 4
is "$("$broch" find b --json --host h2 | wc -l)" 1
is "$("$broch" find -s "$first" -N 2021-05-07 '*' | grep -c t/a)" 1
is "$("$broch" find -s "$first" -O 2021-05-07 a | grep -c t/a || true)" 0
is "$("$broch" find nothing-like-it | wc -l)" 0
is "$("$broch" find -s "$first" '**/b' 't/**/b' | grep -c '/b$')" 1
is "$("$broch" find -s latest "$tmp/t/**/e" 'd/**' | sed 1d | sed "s|$tmp/||" | tr '\n' ' ')" "t/d t/d/b t/d/e t/d/e/n "
mkdir -p t/same/d/same
snap t --host h3
is "$("$broch" find -s latest 't/**/same' | grep -c /same)" 2
expect 2 "$broch" find '[a'
expect 10 "$broch" find -s nosuch a

# --- diff
"$broch" diff "$first" "$second" >out
{
	printf 'M    %s/t/a\n' "$tmp"
	printf '+    %s/t/d/e/n\n' "$tmp"
	printf -- '-    %s/t/gone/\n-    %s/t/gone/1\n' "$tmp" "$tmp"
	printf 'M    %s/t/l\nT    %s/t/type/\n+    %s/t/type/k\n' "$tmp" "$tmp" "$tmp"
} >right
is "$(sed '/^$/,$d' out)" "$(cat right)"
expect 0 "$broch" diff "$first" "$second" --metadata --json
json out
is "$(grep -c "\"change\":\"U\",\"path\":\"$tmp/t[/\"]" out)" 3
is "$(member out statistics metadata)" "$(grep -c '"change":"U"' out)"
is "$(member out statistics bytes_added)" 7
"$broch" diff "$second" "$second" >out
is "$(grep -c '^[-+MTU]    ' out || true)" 0
expect 10 "$broch" diff "$first" nosuch

# --- stats
expect 0 "$broch" stats --json
json out
is "$(member out stats snapshots)" 5
is "$(member out stats bytes_stored)" "$(find store/packs -type f -printf '%s\n' | awk '{s+=$1} END {print s}')"
is "$("$broch" stats latest --json >l; member l stats snapshots)" 1
finish
