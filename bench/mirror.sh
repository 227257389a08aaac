# Sourced by bench/peers and bench/data: a private apt configuration over the machine's own Debian
# mirror, which sees every suite and touches nothing of the system. The mirror and its keyring are
# read from the machine's apt sources at run time; apt checks the archive's signature.

SUITES="bookworm trixie forky sid"
CACHE=${BROCH_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/broch/bench}
APT=$CACHE/apt

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# The first deb822 stanza, or else the first one-line entry, that names the Debian archive proper.
find_mirror() {
	local file
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		read -r URI KEY < <(awk -v RS= '
			/(^|\n)Suites:[^\n]*(bookworm|trixie|forky|sid|stable)/ && !/-security/ {
				uri = key = ""
				n = split($0, line, "\n")
				for (i = 1; i <= n; i++) {
					if (line[i] ~ /^URIs:/) { split(line[i], f, " "); uri = f[2] }
					if (line[i] ~ /^Signed-By:/) { split(line[i], f, " "); key = f[2] }
				}
				if (uri != "") { print uri, key; exit }
			}' "$file") && [ -n "$URI" ] && return
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$file" ] || continue
		read -r URI < <(sed -n 's/^deb \(\[[^]]*\] *\)\?\([^ ]*\) \(bookworm\|trixie\|forky\|sid\|stable\) .*/\2/p' "$file") \
			&& [ -n "$URI" ] && return
	done
	die "found no Debian mirror in the machine's apt sources"
}

# $1: folder, $2: suites. Writes a private apt configuration over those suites there.
write_apt() {
	local suite key=${KEY:-/usr/share/keyrings/debian-archive-keyring.gpg}
	mkdir -p "$1" "$APT/lists/partial" "$APT/archives/partial"
	: >"$APT/status"
	for suite in $2; do
		printf 'Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
			"$URI" "$suite" "$key"
	done >"$1/mirror.sources"
	cat >"$1/apt.conf" <<-END
		Dir::Etc::sourcelist "$1/mirror.sources";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State::lists "$APT/lists";
		Dir::State::status "$APT/status";
		Dir::Cache "$APT";
		Dir::Cache::archives "$APT/archives";
		APT::Get::List-Cleanup "false";
		APT::Sandbox::User "";
	END
}

# $1: suites. Reads their package lists.
open_mirror() {
	local suite
	mkdir -p "$CACHE"
	CACHE=$(cd "$CACHE" && pwd) APT=$CACHE/apt
	find_mirror
	write_apt "$APT" "$1"
	for suite in $1; do write_apt "$APT/$suite" "$suite"; done
	say "reading the package lists of: $1"
	APT_CONFIG=$APT/apt.conf apt-get update -qq >&2
}
