/* broch vault list, vault create, vault info. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "cli/table.h"
#include "client/units.h"
#include "client/when.h"
#include "core/chunker.h"
#include "format/limits.h"
#include "os/clock.h"

static bool is_here(const struct opening *o, const struct account_vault *v) {
	return hash_equal(&v->store, store_id(o->session.store));
}

int cmd_vault_list(const struct invocation *inv) {
	static const char *const heads[] = { "Name", "ID", "Store" };
	struct opening o;
	struct table t;
	int code = opening_session(&o, inv);

	table_init(&t, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; !code && i < o.session.account.state.vault_count; i++) {
		const struct account_vault *v = &o.session.account.state.vaults[i];
		char hex[HASH_HEX], store[HASH_HEX];

		hash_hex(hex, &v->vault);
		hash_hex(store, &v->store);
		if (say_json(inv->say)) {
			struct jsonl *j = jsonl_new("vault");

			jsonl_bytes(j, "name", span_of(v->name, v->name_len));
			jsonl_hex(j, "vault", hash_span(&v->vault));
			jsonl_hex(j, "store_id", hash_span(&v->store));
			jsonl_flag(j, "here", is_here(&o, v));
			say_object(inv->say, j);
			continue;
		}
		table_add(&t, span_of(v->name, v->name_len));
		table_add(&t, span_of(hex, 16));
		if (is_here(&o, v)) table_text(&t, store_address(o.session.store));
		else table_text(&t, store);
	}
	if (!code && !say_json(inv->say) && !table_print(&t, inv->say)) code = EXITCODE_ERROR;
	table_done(&t);
	opening_close(&o);
	return code;
}

int cmd_vault_create(const struct invocation *inv) {
	struct vault_new n = {
		.name = inv->args[0], .hold = invocation_number(inv, "hold"), .chunks = chunker_default
	};
	struct opening o = { .has_session = false };
	struct why why = { 0 };
	const struct account_vault *row;
	int code = EXITCODE_OK;

	if (!*n.name || strlen(n.name) > LIMIT_VAULT_NAME) {
		err_ignore(why_set(&why, E_USAGE, "a vault's name has 1 to %d bytes", LIMIT_VAULT_NAME));
		return opening_failed(inv, &why);
	}
	code = opening_session(&o, inv);
	if (!code && o.session.account.state.rotate_due && account_rotate(&o.session.account, &why))
		code = opening_failed(inv, &why);
	if (!code && vault_create(&o.session, &n, &why)) code = opening_failed(inv, &why);
	row = code ? NULL : accountstate_vault_named(&o.session.account.state, span_text(n.name));
	if (row && say_json(inv->say)) {
		struct jsonl *j = jsonl_new("vault");

		jsonl_bytes(j, "name", span_text(n.name));
		jsonl_hex(j, "vault", hash_span(&row->vault));
		jsonl_hex(j, "store_id", hash_span(&row->store));
		jsonl_flag(j, "here", true);
		say_object(inv->say, j);
	} else if (row) {
		say_out(inv->say, "made the vault ");
		say_line(inv->say, span_text(n.name));
	}
	opening_close(&o);
	return code;
}

/* What the store lists of a vault. */
struct sizes {
	uint64_t packs, bytes;
};

static enum err add_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct sizes *s = ctx;

	(void)name;
	(void)why;
	s->packs++;
	s->bytes += size;
	return OK;
}

static void tell_json(
	const struct invocation *inv, const struct opening *o, const struct sizes *sizes, size_t kept) {
	const struct vault *v = &o->vault;
	struct head head = vault_head(v);
	struct jsonl *j = jsonl_new("vault-info");

	jsonl_bytes(j, "name", span_text(v->name));
	jsonl_hex(j, "vault", hash_span(&v->id));
	jsonl_bytes(j, "store", span_text(store_address(o->session.store)));
	jsonl_flag(j, "home", v->is_home);
	jsonl_number(j, "hold", vaultstate_hold(&v->state, clock_real_ns()));
	jsonl_number(j, "head_sequence", head.seq);
	jsonl_hex(j, "head", hash_span(&head.hash));
	jsonl_number(j, "epoch", vault_epoch(v));
	jsonl_number(j, "snapshots", kept);
	jsonl_number(j, "snapshots_forgotten", v->state.snapshot_count - kept);
	jsonl_number(j, "indexes", v->state.index_count);
	jsonl_number(j, "announcements", v->state.intent_count);
	jsonl_number(j, "void_entries", v->state.void_count);
	jsonl_number(j, "packs", sizes->packs);
	jsonl_number(j, "bytes", sizes->bytes);
	say_object(inv->say, j);
}

static void tell(
	const struct invocation *inv, const struct opening *o, const struct sizes *sizes, size_t kept) {
	const struct vault *v = &o->vault;
	struct head head = vault_head(v);
	char hex[HASH_HEX], size[UNITS_TEXT], hold[UNITS_TEXT], count[UNITS_TEXT];

	say_out(inv->say, "name:       ");
	say_line(inv->say, span_text(v->name));
	hash_hex(hex, &v->id);
	say_out(inv->say, "id:         %s\nstore:      ", hex);
	say_name(inv->say, span_text(store_address(o->session.store)));
	hash_hex(hex, &head.hash);
	say_out(inv->say, "%s\nhold:       %s\nhead:       %llu %s\nepoch:      %u\n",
		v->is_home ? "" : " (a mirror)",
		units_seconds(hold, vaultstate_hold(&v->state, clock_real_ns())),
		(unsigned long long)head.seq, hex, vault_epoch(v));
	say_out(inv->say, "snapshots:  %zu, and %zu forgotten\n", kept, v->state.snapshot_count - kept);
	say_out(inv->say, "indexes:    %zu\n", v->state.index_count);
	say_out(inv->say, "announced:  %s",
		units_count(count, v->state.intent_count, "deletion", "deletions"));
	for (size_t i = 0; i < v->state.intent_count; i++)
		say_out(
			inv->say, "%s@%llu", i ? ", " : ": ", (unsigned long long)v->state.intents[i].sequence);
	say_out(inv->say, "\n");
	if (v->state.void_count > 0)
		say_out(inv->say, "void:       %s of the chain\n",
			units_count(count, v->state.void_count, "entry", "entries"));
	say_out(inv->say, "packs:      %llu, %s\n", (unsigned long long)sizes->packs,
		units_size(size, sizes->bytes));
}

static int info(const struct invocation *inv, const struct opening *o) {
	struct sizes sizes = { 0, 0 };
	struct why why = { 0 };
	size_t kept = 0;

	if (store_pack_list(o->session.store, &o->vault.id, add_pack, &sizes, &why))
		return opening_failed(inv, &why);
	for (size_t i = 0; i < o->vault.state.snapshot_count; i++)
		kept += !o->vault.state.snapshots[i].forgotten;
	if (say_json(inv->say)) tell_json(inv, o, &sizes, kept);
	else tell(inv, o, &sizes, kept);
	return EXITCODE_OK;
}

int cmd_vault_info(const struct invocation *inv) {
	struct opening o;
	struct why why = { 0 };
	int code;

	if (inv->args_n == 0) {
		code = opening_vault(&o, inv);
	} else {
		code = opening_session(&o, inv);
		if (!code && vault_open(&o.vault, &o.session, inv->args[0], &why))
			code = opening_absent(inv, &why);
		else o.has_vault = !code;
	}
	if (!code) code = info(inv, &o);
	opening_close(&o);
	return code;
}
