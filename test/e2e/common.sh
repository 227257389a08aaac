# What the scripts here share: a folder that goes away, a device of its own, and what counts as passed. Not run by itself.
set -euo pipefail
root=${BROCH_SOURCE_ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BROCH_BUILD_ROOT:-$root/build}
broch="$build/broch"
unset BROCH_AT BROCH_VAULT BROCH_PASSPHRASE_FILE
if [ -d /dev/shm ] && [ -w /dev/shm ]; then tmp=$(mktemp -d -p /dev/shm); else tmp=$(mktemp -d); fi
trap 'chmod -R u+rwx "$tmp" 2>/dev/null || true; rm -rf "$tmp"' EXIT
export BROCH_HOME="$tmp/home" TZ=UTC
cd "$tmp"
umask 022
passed=0 failed=0
ok() { passed=$((passed + 1)); }
wrong() { failed=$((failed + 1)); echo "WRONG (line ${BASH_LINENO[1]}): $*"; }
# expect CODE COMMAND...: what it prints goes to the files out and err.
expect() {
	local code=0 right=$1
	shift
	"$@" >out 2>err </dev/null || code=$?
	if [ "$code" = "$right" ]; then ok; else wrong "$*: exit $code instead of $right"; tail -n 5 out err; fi
}
is() { if [ "$1" = "$2" ]; then ok; else wrong "is \"$1\" instead of \"$2\""; fi; }
has() { if grep -qF -- "$2" "$1"; then ok; else wrong "$1 does not say: $2"; tail -n 5 "$1"; fi; }
lacks() { if grep -qF -- "$2" "$1"; then wrong "$1 says: $2"; else ok; fi; }
there() { if [ -e "$1" ]; then ok; else wrong "$1 is not there"; fi; }
# One bit of one byte of a file is another: of FILE AT.
flip() {
	printf "\\x$(printf %02x $((0x$(od -An -tx1 -j "$2" -N 1 "$1" | tr -d " ") ^ 0x10)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
gone() { if [ -e "$1" ]; then wrong "$1 is there"; else ok; fi; }
# What follows takes less than SECONDS and must lie within one day, by UTC.
one_day() {
	local left=$((86400 - $(date +%s) % 86400))
	if [ $left -le "$1" ]; then sleep $((left + 1)); fi
}
# All lines of the file are JSON objects with a type.
json() {
	if python3 -c 'import json,sys
for l in open(sys.argv[1],"rb"): assert l.isascii() and isinstance(json.loads(l)["type"],str)' "$1" 2>/dev/null; then ok; else
		wrong "$1 is not JSON"; tail -n 3 "$1"; fi
}
# The member of the last object of a type in a file: of TYPE MEMBER.
member() {
	python3 -c 'import json,sys
v=None
for l in open(sys.argv[1]):
	o=json.loads(l)
	if o["type"]==sys.argv[2]: v=o.get(sys.argv[3])
print(v)' "$1" "$2" "$3"
}
new_store() { # NAME: a store and a kit with this name, this device's
	"$broch" init --at "$tmp/$1" --no-passphrase --kit-out "$tmp/$1.kit" --hold 0 >/dev/null 2>&1
}
snap() { # ARGUMENTS of backup: its snapshot goes to $snapshot
	"$broch" backup --json -q "$@" >summary 2>/dev/null || true
	snapshot=$(member summary summary snapshot)
}
finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
