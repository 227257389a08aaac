/* broch stats: what the snapshots hold, and what the store takes for it. */
#include "cli/chosen.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/looking.h"
#include "cli/say.h"
#include "client/units.h"

struct sums {
	uint64_t snapshots, files, bytes; /* of the chosen snapshots, each by itself */
	uint64_t packs, stored;           /* of the whole vault */
	uint64_t chunks;                  /* rows of the indexes */
};

static enum err add_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct sums *s = ctx;

	(void)name;
	(void)why;
	s->packs++;
	s->stored += size;
	return OK;
}

static double ratio(const struct sums *s) {
	return s->stored ? (double)s->bytes / (double)s->stored : 0;
}

static void tell(struct say *say, const struct sums *s) {
	char bytes[UNITS_TEXT], stored[UNITS_TEXT], packs[UNITS_TEXT], chunks[UNITS_TEXT];

	if (say_json(say)) {
		struct jsonl *o = jsonl_new("stats");

		jsonl_number(o, "snapshots", s->snapshots);
		jsonl_number(o, "files", s->files);
		jsonl_number(o, "bytes", s->bytes);
		jsonl_number(o, "packs", s->packs);
		jsonl_number(o, "bytes_stored", s->stored);
		jsonl_number(o, "chunks", s->chunks);
		if (s->stored) jsonl_real(o, "ratio", ratio(s));
		say_object(say, o);
		return;
	}
	say_out(say, "snapshots:  %llu\n", (unsigned long long)s->snapshots);
	say_out(say, "files:      %llu, counted in each snapshot\n", (unsigned long long)s->files);
	say_out(say, "contents:   %s, counted in each snapshot\n", units_size(bytes, s->bytes));
	say_out(say, "stored:     %s in %s, %s; of all snapshots\n", units_size(stored, s->stored),
		units_count(packs, s->packs, "pack", "packs"),
		units_count(chunks, s->chunks, "chunk", "chunks"));
	if (s->stored) say_out(say, "ratio:      %.2f\n", ratio(s));
}

int cmd_stats(const struct invocation *inv) {
	struct looking l;
	struct chosen chosen = { .count = 0 };
	struct sums sums = { .snapshots = 0 };
	struct why why = { 0 };
	int code = looking_open(&l, inv);

	if (!code) code = chosen_read(&chosen, &l.opening, inv, false);
	for (size_t i = 0; !code && i < chosen.count; i++) {
		const struct vault_snapshot *s =
			vaultstate_snapshot(&l.opening.vault.state, &chosen.ids[i]);

		if (!s) continue;
		sums.snapshots++;
		sums.files += s->stamp.files;
		sums.bytes += s->stamp.bytes;
	}
	if (!code &&
		store_pack_list(l.opening.session.store, &l.opening.vault.id, add_pack, &sums, &why))
		code = opening_failed(inv, &why);
	if (!code) {
		sums.chunks = places_count(fetch_places(l.fetch));
		tell(inv->say, &sums);
	}
	chosen_done(&chosen);
	looking_close(&l);
	return code;
}
