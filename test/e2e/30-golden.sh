#!/bin/bash
# Goal of this test: the stores of every format version that was ever released open with their kit, and give back every entry as it was.
. "$(dirname "$0")/common.sh"

manifest() { # as in test/vector/store/make
	(cd "$1" && find . -mindepth 1 -printf '%P\t%y\t%m\t%T@\t%l\n' | sort | while IFS=$'\t' read -r path kind mode time target; do
		sum=-
		[ "$kind" = f ] && sum=$(sha256sum <"$path" | cut -c1-64)
		printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$path" "$kind" "$mode" "$time" "$target" "$sum"
	done)
}
for golden in "$root"/test/vector/store/v*/; do
	version=$(basename "$golden")
	export BROCH_HOME="$tmp/home-$version"
	# a copy as a checkout leaves it: empty folders are not there
	cp -r "$golden/store" "$tmp/$version"
	expect 12 "$broch" recover --at "$tmp/$version" --kit-file "$golden/old.kit" --no-passphrase
	expect 0 "$broch" recover --at "$tmp/$version" --kit-file "$golden/kit" --no-passphrase
	expect 0 "$broch" check --read-data
	for ids in "$golden"/*.id; do
		name=$(basename "$ids" .id)
		expect 0 "$broch" restore "$(cat "$ids")" --to "$tmp/out-$version-$name" --allow all
		manifest "$(find "$tmp/out-$version-$name" -type d -name golden)" >"$tmp/now"
		if cmp -s "$tmp/now" "$golden/$name.manifest"; then ok; else
			wrong "$version $name differs"
			diff "$tmp/now" "$golden/$name.manifest" | head -n 5
		fi
	done
	# and it can be written to
	mkdir -p "$tmp/more" && echo more >"$tmp/more/file"
	expect 0 "$broch" backup "$tmp/more"
	expect 0 "$broch" check
done
finish
