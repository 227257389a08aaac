#!/bin/bash
# Goal of this test: the independent reader extracts the golden stores of every format version with the kit alone.
. "$(dirname "$0")/common.sh"
mapfile -t reader < <("$root/test/lib/reader-folder")
[ "${#reader[@]}" = 2 ] || exit 77
for golden in "$root"/test/vector/store/v*/; do
	version=$(basename "$golden")
	for ids in "$golden"/*.id; do
		name=$(basename "$ids" .id)
		out="$tmp/out-$version-$name"
		expect 0 "${reader[0]}" "${reader[1]}/reader.mjs" --at "$golden/store" --kit-file "$golden/kit" --snapshot "$(cat "$ids")" --to "$out"
		(cd "$(find "$out" -type d -name golden)" && find . -mindepth 1 -printf '%P\t%y\t%m\t%T@\t%l\n' | sort) >"$tmp/now"
		cut -f 1-5 "$golden/$name.manifest" >"$tmp/then"
		if cmp -s "$tmp/now" "$tmp/then"; then ok; else
			wrong "$version $name differs"
			diff "$tmp/now" "$tmp/then" | head -n 5
		fi
		while IFS= read -r line; do
			[ "$(cut -f 2 <<<"$line")" = f ] || continue
			is "$(sha256sum <"$(find "$out" -type d -name golden)/$(cut -f 1 <<<"$line")" | cut -c1-64)" "${line##*$'\t'}"
		done <"$golden/$name.manifest"
	done
	expect 12 "${reader[0]}" "${reader[1]}/reader.mjs" --at "$golden/store" --kit-file "$golden/old.kit" --to "$tmp/none"
	gone "$tmp/none"
done
finish
