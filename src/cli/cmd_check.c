/* broch check: looks for damage in the store and names what it finds. Changes nothing. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "client/check.h"
#include "client/checkstore.h"
#include "client/units.h"

struct showing {
	const struct invocation *inv;
	struct progress *progress;
	const char *step;
	uint64_t done, bytes;
};

static void found(void *ctx, const struct checkreport_item *item) {
	const struct showing *s = ctx;
	struct say *say = s->inv->say;

	progress_failed(s->progress);
	if (!say_json(say)) {
		if (item->is_warning) say_warn(say, "%s", item->text);
		else say_error(say, "%s", item->text);
		return;
	}
	struct jsonl *o = jsonl_new(item->is_warning ? "warning" : "error");

	jsonl_text(o, "message", span_text(item->text));
	if (!item->is_warning) jsonl_text(o, "code", span_text("damaged"));
	jsonl_text(o, "object", span_text(checkreport_word(item->kind)));
	jsonl_hex(o, "name", hash_span(&item->name));
	if (item->kind == CHECKREPORT_ENTRY || item->kind == CHECKREPORT_INTENT)
		jsonl_number(o, "sequence", item->sequence);
	say_status(say, o);
}

static void lost(void *ctx, const struct checkreport_loss *loss) {
	const struct showing *s = ctx;
	struct say *say = s->inv->say;
	char hex[HASH_HEX];

	hash_hex(hex, &loss->snapshot);
	if (say_json(say)) {
		struct jsonl *o = jsonl_new("lost");

		jsonl_hex(o, "snapshot", hash_span(&loss->snapshot));
		jsonl_list(o, "paths");
		for (size_t i = 0; i < loss->path_count; i++) jsonl_add_text(o, "paths", loss->paths[i]);
		jsonl_flag(o, "more", loss->more);
		say_object(say, o);
		return;
	}
	say_out(say, "snapshot %s cannot be restored whole%s\n", hex, loss->path_count ? ":" : "");
	for (size_t i = 0; i < loss->path_count; i++) {
		say_out(say, "  ");
		say_line(say, loss->paths[i]);
	}
	if (loss->more) say_out(say, "  and more\n");
}

static void ticked(void *ctx, const struct checkreport_progress *p) {
	struct showing *s = ctx;

	if (!s->step || strcmp(s->step, p->step) != 0) {
		s->step = p->step;
		s->done = 0;
		s->bytes = 0;
	}
	progress_at(s->progress, span_text(p->step));
	if (p->bytes_total) progress_total(s->progress, p->total, p->bytes_total);
	if (p->done < s->done || p->bytes_done < s->bytes) return;
	progress_add(s->progress, p->done - s->done, p->bytes_done - s->bytes);
	s->done = p->done;
	s->bytes = p->bytes_done;
}

/* Which packs are read whole, from the options. */
static int read_options(const struct invocation *inv, struct check_options *o) {
	bool all = invocation_flag(inv, "read-data"), some = invocation_has(inv, "read-data-subset");

	if (all && some) {
		say_error(inv->say, "--read-data and --read-data-subset can't be given together");
		return EXITCODE_USAGE;
	}
	o->part = all ? CHECKDATA_ALL : CHECKDATA_NONE;
	if (!some) return EXITCODE_OK;
	struct option_part part = invocation_part(inv, "read-data-subset");

	o->a = part.a;
	o->b = part.b;
	o->part = part.kind == OPTION_PART_RATIO ? CHECKDATA_RATIO
		: part.kind == OPTION_PART_PERCENT   ? CHECKDATA_PERCENT
											 : CHECKDATA_BYTES;
	return EXITCODE_OK;
}

/* What needs no key, before the passphrase is asked for: it names what is wrong where the account does not even open. */
static int check_store(
	const struct invocation *inv, struct checkreport *r, struct checkreport_counts *before) {
	struct session s = { .store = NULL };
	struct why why = { 0 };
	enum err e;

	s.folder.state = s.folder.cache = -1;
	e = statefolder_open(&s.folder, false, &why);
	if (!e) e = session_open_store(&s, invocation_text(inv, "at"), &why);
	if (e) {
		session_close(&s);
		return EXITCODE_OK; /* opening says what is wrong */
	}
	e = checkstore_run(r, s.store, NULL, &why);
	*before = r->counts;
	session_close(&s);
	return e ? opening_failed(inv, &why) : EXITCODE_OK;
}

static int check_named(const struct invocation *inv, struct opening *o, const char *name,
	struct checkreport *r, const struct check_options *options) {
	struct vault v;
	struct why why = { 0 };
	enum err e;

	if (vault_open(&v, &o->session, name, &why)) return opening_absent(inv, &why);
	e = check_vault(r, &v, options, &why);
	vault_close(&v);
	return e ? opening_failed(inv, &why) : EXITCODE_OK;
}

/* The vault that --vault names, or all of the account. */
static int check_vaults(const struct invocation *inv, struct opening *o, struct checkreport *r,
	const struct check_options *options) {
	const struct accountstate *a = &o->session.account.state;
	int code = EXITCODE_OK;

	if (invocation_has(inv, "vault"))
		return check_named(inv, o, invocation_text(inv, "vault"), r, options);
	for (size_t i = 0; i < a->vault_count; i++) {
		char name[LIMIT_VAULT_NAME + 1] = "";
		int one;

		memcpy(name, a->vaults[i].name, a->vaults[i].name_len);
		one = check_named(inv, o, name, r, options);
		if (one && (!code || one == EXITCODE_INTERRUPTED)) code = one;
		if (code == EXITCODE_INTERRUPTED) break;
	}
	return code;
}

static void tell_json(const struct invocation *inv, const struct checkreport_counts *c) {
	struct jsonl *o = jsonl_new("check");

	jsonl_number(o, "damaged", c->damaged);
	jsonl_number(o, "warnings", c->warnings);
	jsonl_number(o, "chains", c->chains);
	jsonl_number(o, "entries", c->entries);
	jsonl_number(o, "entries_void", c->voids);
	jsonl_number(o, "entries_unknown", c->unknown);
	jsonl_number(o, "objects", c->objects);
	jsonl_number(o, "locators", c->locators);
	jsonl_number(o, "vaults", c->vaults);
	jsonl_number(o, "snapshots", c->snapshots);
	jsonl_number(o, "snapshots_forgotten", c->snapshots_forgotten);
	jsonl_number(o, "snapshots_lost", c->snapshots_lost);
	jsonl_number(o, "indexes", c->indexes);
	jsonl_number(o, "index_rows", c->index_rows);
	jsonl_number(o, "packs", c->packs);
	jsonl_number(o, "pack_bytes", c->pack_bytes);
	jsonl_number(o, "packs_unnamed", c->packs_unnamed);
	jsonl_number(o, "packs_purged", c->packs_purged);
	jsonl_number(o, "packs_read", c->packs_read);
	jsonl_number(o, "bytes_read", c->bytes_read);
	jsonl_number(o, "chunks_read", c->chunks_read);
	jsonl_number(o, "folders", c->folders);
	jsonl_number(o, "files", c->files);
	jsonl_number(o, "intents", c->intents);
	if (c->packs_read && c->packs_read < c->packs)
		jsonl_real(o, "chance", checkdata_chance(c->packs, (c->packs + 99) / 100, c->packs_read));
	say_object(inv->say, o);
}

/* How much reading a part proves: packs that are there at their length may still be damaged. */
static void tell_chance(struct say *say, const struct checkreport_counts *c) {
	uint64_t lost_packs = (c->packs + 99) / 100;

	if (!c->packs_read || c->packs_read >= c->packs) return;
	say_out(say,
		"audit:     had 1 %% of the packs been damaged (%llu), this would have found it with a chance of %.1f %%\n",
		(unsigned long long)lost_packs,
		100 * checkdata_chance(c->packs, lost_packs, c->packs_read));
}

static void tell(const struct invocation *inv, const struct checkreport_counts *c) {
	struct say *say = inv->say;
	char bytes[UNITS_TEXT], read[UNITS_TEXT], first[UNITS_TEXT], second[UNITS_TEXT];

	if (say_json(say)) {
		tell_json(inv, c);
		return;
	}
	say_out(say, "chains:    %llu with %s (%llu void), objects: %llu, locators: %llu\n",
		(unsigned long long)c->chains, units_count(first, c->entries, "entry", "entries"),
		(unsigned long long)c->voids, (unsigned long long)c->objects,
		(unsigned long long)c->locators);
	say_out(say, "packs:     %llu, %s; %llu that none names; %s read\n",
		(unsigned long long)c->packs, units_size(bytes, c->pack_bytes),
		(unsigned long long)c->packs_unnamed, units_size(read, c->bytes_read));
	say_out(say, "indexes:   %llu with %s\n", (unsigned long long)c->indexes,
		units_count(first, c->index_rows, "row", "rows"));
	say_out(say, "snapshots: %llu, with %s and %s, each looked at once\n",
		(unsigned long long)c->snapshots, units_count(first, c->folders, "folder", "folders"),
		units_count(second, c->files, "file", "files"));
	tell_chance(say, c);
	if (c->damaged)
		say_out(say, "damaged:   %s; %s cannot be restored whole\n",
			units_count(first, c->damaged, "object", "objects"),
			units_count(second, c->snapshots_lost, "snapshot", "snapshots"));
	else say_out(say, "no damage was found\n");
}

/* Every entry is verified again, whatever this device verified before. */
static int open_whole(const struct invocation *inv, struct opening *o) {
	struct why why = { 0 };
	struct session_open open = {
		.at = invocation_text(inv, "at"),
		.passphrase = opening_passphrase,
		.ctx = (void *)(uintptr_t)inv, /* read only: opening_passphrase has it const again */
		.whole_chains = true,
	};

	if (session_open(&o->session, &open, &why)) return opening_locked(inv, &o->session, &why);
	o->has_session = true;
	return EXITCODE_OK;
}

/* Which kit counts is known once the account is open: of one that was replaced nothing is missing. */
static int check_locator(
	const struct invocation *inv, const struct opening *o, struct checkreport *r) {
	const struct session *s = &o->session;
	const struct account_device *kit = accountstate_kit(&s->account.state);
	struct why why = { 0 };

	if (checkstore_locator(r, s->store, &s->folder, kit ? &kit->id : NULL, &why))
		return opening_failed(inv, &why);
	return EXITCODE_OK;
}

static int check(const struct invocation *inv, struct opening *o, struct checkreport *r,
	const struct check_options *options) {
	struct checkreport_counts before = { .damaged = 0 };
	int code = check_store(inv, r, &before);

	if (!code) code = open_whole(inv, o);
	if (!code) code = check_locator(inv, o, r);
	if (!code) code = check_vaults(inv, o, r, options);
	/* a name for what is damaged is worth more than where it stopped the opening */
	if (code && code != EXITCODE_INTERRUPTED && before.damaged) code = EXITCODE_DAMAGED;
	return code;
}

int cmd_check(const struct invocation *inv) {
	struct showing s = { .inv = inv };
	struct checkreport r = { .found = found, .lost = lost, .ticked = ticked, .ctx = &s };
	struct check_options options = { .part = CHECKDATA_NONE };
	struct opening o = { .has_session = false };
	struct why why = { 0 };
	int code = read_options(inv, &options);

	if (code) return code;
	if (progress_new(inv->say, "check", &s.progress)) {
		why = (struct why){ .code = E_NOMEM };
		return opening_failed(inv, &why);
	}
	checkreport_init(&r);
	code = check(inv, &o, &r, &options);
	progress_free(s.progress);
	if (!code) {
		tell(inv, &r.counts);
		code = r.counts.damaged ? EXITCODE_DAMAGED : EXITCODE_OK;
	}
	checkreport_done(&r);
	opening_close(&o);
	return code;
}
