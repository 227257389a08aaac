/* broch forget: gives up snapshots by name, or those that a policy does not keep. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/chosen.h"
#include "cli/cmd.h"
#include "cli/cmd_prune.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "cli/table.h"
#include "client/forget.h"
#include "client/when.h"
#include "core/retention.h"
#include "os/clock.h"

enum { BY_DEVICE = 1, BY_HOST = 2, BY_BRANCH = 4, REASONS_MAX = 512, SECOND_NS = 1000000000 };

struct forgetting {
	const struct invocation *inv;
	struct opening opening;
	struct retention_policy policy;
	uint64_t group_by;
	const struct vault_snapshot **rows; /* all that pass the filters, in chain order */
	size_t row_count;
	bool *grouped;
	struct hash *doomed;
	size_t doomed_count;
	uint64_t kept;
	int code;
};

/* One group: its snapshots in chain order, and what the policy says of each. */
struct group {
	const struct vault_snapshot **rows;
	struct retention_item *items;
	int64_t *said, *entry;
	size_t count;
};

static void read_policy(struct forgetting *f) {
	static const char *const counts[RETENTION_EVERYS] = { "keep-last", "keep-hourly", "keep-daily",
		"keep-weekly", "keep-monthly", "keep-yearly" };
	static const char *const ages[RETENTION_EVERYS] = { "keep-within", "keep-within-hourly",
		"keep-within-daily", "keep-within-weekly", "keep-within-monthly", "keep-within-yearly" };

	for (size_t i = 0; i < RETENTION_EVERYS; i++) {
		struct units_age a = invocation_age(f->inv, ages[i]);

		f->policy.counts[i] = invocation_number(f->inv, counts[i]);
		f->policy.within[i] = (struct retention_age){ a.years, a.months, a.days, a.seconds };
	}
	f->policy.by_tag = invocation_has(f->inv, "keep-tag");
	f->group_by = invocation_number(f->inv, "group-by");
}

/* Seconds as the clock on the wall here counted them then. */
static int64_t wall(int64_t s) {
	time_t t = (time_t)s;
	struct tm tm;

	return localtime_r(&t, &tm) ? s + tm.tm_gmtoff : s;
}

static bool same_group(
	const struct forgetting *f, const struct vault_snapshot *a, const struct vault_snapshot *b) {
	if (f->group_by & BY_DEVICE && !hash_equal(&a->device, &b->device)) return false;
	if (f->group_by & BY_HOST && !span_equal(a->stamp.host, b->stamp.host)) return false;
	return !(f->group_by & BY_BRANCH) || span_equal(a->stamp.branch, b->stamp.branch);
}

static bool keep_tagged(const struct forgetting *f, const struct vault_snapshot *s) {
	const char *list;

	for (size_t i = 0; (list = invocation_nth(f->inv, "keep-tag", i)); i++)
		if (choose_has_tags(&s->stamp, list)) return true;
	return false;
}

static int64_t entry_second(const struct forgetting *f, const struct vault_snapshot *s) {
	const struct vaultstate *v = &f->opening.vault.state;

	return s->sequence < v->count ? v->times[s->sequence] / SECOND_NS : s->stamp.time.seconds;
}

static void decide(struct forgetting *f, struct group *g) {
	for (size_t i = 0; i < g->count; i++) {
		g->said[i] = g->rows[i]->stamp.time.seconds;
		g->entry[i] = entry_second(f, g->rows[i]);
	}
	retention_straighten(g->said, g->entry, g->count, clock_real_ns() / SECOND_NS);
	for (size_t i = 0; i < g->count; i++) {
		g->items[i] = (struct retention_item){
			.wall_s = wall(g->said[i]),
			.keep_tagged = keep_tagged(f, g->rows[i]),
		};
		/* clocks set back in autumn: the wall's time goes back, the order does not */
		if (i > 0 && g->items[i].wall_s < g->items[i - 1].wall_s)
			g->items[i].wall_s = g->items[i - 1].wall_s;
	}
	retention_apply(&f->policy, g->items, g->count);
}

static void reasons(const struct retention_item *item, char out[REASONS_MAX]) {
	static const char *const names[RETENTION_EVERYS] = { "last", "hourly", "daily", "weekly",
		"monthly", "yearly" };
	size_t len = 0;

	out[0] = '\0';
	for (unsigned e = 0; e < RETENTION_EVERYS && len < REASONS_MAX; e++)
		if (item->reasons >> e & 1)
			len += (size_t)snprintf(out + len, REASONS_MAX - len, "%s%s%s", len ? ", " : "",
				item->oldest >> e & 1 ? "oldest " : "", names[e]);
	for (unsigned e = 0; e < RETENTION_EVERYS && len < REASONS_MAX; e++)
		if (item->reasons >> (RETENTION_EVERYS + e) & 1)
			len += (size_t)snprintf(out + len, REASONS_MAX - len, "%s%s within", len ? ", " : "",
				e == RETENTION_LAST ? "all" : names[e]);
	if (item->by_tag && len < REASONS_MAX)
		snprintf(out + len, REASONS_MAX - len, "%stag", len ? ", " : "");
}

static void tell_json(const struct forgetting *f, const struct group *g) {
	for (size_t i = 0; i < g->count; i++) {
		struct jsonl *o =
			snapshotrow_json(g->items[i].keep ? "kept" : "forgotten", g->rows[i], NULL);
		char text[REASONS_MAX];

		reasons(&g->items[i], text);
		if (g->items[i].keep) jsonl_text(o, "reasons", span_text(text));
		jsonl_flag(o, "dry_run", invocation_flag(f->inv, "dry-run"));
		say_object(f->inv->say, o);
	}
}

static void tell_table(const struct forgetting *f, const struct group *g) {
	static const char *const heads[] = { "", "ID", "Time", "Host", "Tags", "Why" };
	struct table t;
	struct buf text;

	table_init(&t, sizeof(heads) / sizeof(heads[0]), heads);
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < g->count; i++) {
		char id[SNAPSHOTROW_ID], time[WHEN_TEXT], why[REASONS_MAX];

		reasons(&g->items[i], why);
		buf_clear(&text);
		t.broken |= snapshotrow_join(&text, &g->rows[i]->stamp.tags) != OK;
		table_text(&t, g->items[i].keep ? "keep" : "forget");
		table_text(&t, snapshotrow_id(id, &g->rows[i]->id));
		table_text(&t, when_local(time, snapshotrow_ns(g->rows[i]->stamp.time)));
		table_add(&t, g->rows[i]->stamp.host);
		table_add(&t, buf_span(&text));
		table_text(&t, why);
	}
	say_out(f->inv->say, "branch ");
	say_line(f->inv->say, g->rows[0]->stamp.branch);
	if (!table_print(&t, f->inv->say)) say_error(f->inv->say, "out of memory");
	say_out(f->inv->say, "\n");
	buf_free(&text);
	table_done(&t);
}

static void take(struct forgetting *f, const struct group *g) {
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++) kept += g->items[i].keep;
	if (kept == 0) {
		say_error(f->inv->say,
			"the policy keeps none of the %zu snapshots of a group: they are left alone "
			"(forget them by name if that is meant)",
			g->count);
		f->code = EXITCODE_ERROR;
		return;
	}
	f->kept += kept;
	for (size_t i = 0; i < g->count; i++)
		if (!g->items[i].keep) f->doomed[f->doomed_count++] = g->rows[i]->id;
	if (say_json(f->inv->say)) tell_json(f, g);
	else tell_table(f, g);
}

static bool group_room(struct group *g, size_t n) {
	g->rows = mem_array(n, sizeof(*g->rows));
	g->items = mem_array(n, sizeof(*g->items));
	g->said = mem_array(n, sizeof(*g->said));
	g->entry = mem_array(n, sizeof(*g->entry));
	return g->rows && g->items && g->said && g->entry;
}

static void group_done(struct group *g) {
	mem_free(g->rows);
	mem_free(g->items);
	mem_free(g->said);
	mem_free(g->entry);
}

static void by_policy(struct forgetting *f) {
	struct group g = { .count = 0 };

	if (!group_room(&g, f->row_count + 1)) {
		say_error(f->inv->say, "out of memory");
		f->code = EXITCODE_ERROR;
		group_done(&g);
		return;
	}
	for (size_t i = 0; i < f->row_count; i++) { /* also behind a group that is left alone */
		if (f->grouped[i]) continue;
		g.count = 0;
		for (size_t k = i; k < f->row_count; k++) {
			if (f->grouped[k] || !same_group(f, f->rows[i], f->rows[k])) continue;
			f->grouped[k] = true;
			g.rows[g.count++] = f->rows[k];
		}
		decide(f, &g);
		take(f, &g);
	}
	group_done(&g);
}

static bool choose_rows(struct forgetting *f, const struct chosen *chosen) {
	f->rows = mem_array(chosen->count + 1, sizeof(*f->rows));
	f->grouped = mem_array(chosen->count + 1, sizeof(*f->grouped));
	f->doomed = mem_array(chosen->count + 1, sizeof(*f->doomed));
	if (!f->rows || !f->grouped || !f->doomed) {
		say_error(f->inv->say, "out of memory");
		return false;
	}
	for (size_t i = 0; i < chosen->count; i++) {
		const struct vault_snapshot *s =
			vaultstate_snapshot(&f->opening.vault.state, &chosen->ids[i]);

		if (s) f->rows[f->row_count++] = s;
	}
	return true;
}

static void by_name(struct forgetting *f) {
	for (size_t i = 0; i < f->row_count; i++) {
		char id[SNAPSHOTROW_ID];

		f->doomed[f->doomed_count++] = f->rows[i]->id;
		if (say_json(f->inv->say)) {
			struct jsonl *o = snapshotrow_json("forgotten", f->rows[i], NULL);

			jsonl_flag(o, "dry_run", invocation_flag(f->inv, "dry-run"));
			say_object(f->inv->say, o);
		} else {
			say_out(f->inv->say, "forget %s\n", snapshotrow_id(id, &f->rows[i]->id));
		}
	}
}

static void tell_sum(const struct forgetting *f) {
	bool dry = invocation_flag(f->inv, "dry-run");

	if (say_json(f->inv->say)) {
		struct jsonl *o = jsonl_new("forget");

		jsonl_number(o, "kept", f->kept);
		jsonl_number(o, "forgotten", f->doomed_count);
		jsonl_flag(o, "dry_run", dry);
		say_object(f->inv->say, o);
		return;
	}
	say_out(f->inv->say, "%zu snapshot%s %s\n", f->doomed_count, f->doomed_count == 1 ? "" : "s",
		dry ? "would be forgotten" : "forgotten");
}

static void run(struct forgetting *f) {
	bool dry = invocation_flag(f->inv, "dry-run");
	struct chosen chosen;
	struct why why = { 0 };

	f->code = chosen_read(&chosen, &f->opening, f->inv, false);
	if (!f->code && !choose_rows(f, &chosen)) f->code = EXITCODE_ERROR;
	chosen_done(&chosen);
	if (f->code) return;
	if (f->inv->args_n > 0) by_name(f);
	else by_policy(f);
	if (!dry && f->doomed_count > 0 &&
		forget_snapshots(&f->opening.vault, f->doomed, f->doomed_count, &why))
		f->code = opening_failed(f->inv, &why);
	else tell_sum(f);
}

/* Prune reads its options from this command line, which has them too. */
static int prune(struct forgetting *f) {
	struct span forgotten = span_of(f->doomed, f->doomed_count * sizeof(*f->doomed));

	return cmd_prune_run(f->inv, &f->opening.vault, forgotten);
}

int cmd_forget(const struct invocation *inv) {
	struct forgetting f = { .inv = inv };
	struct why why = { 0 };

	read_policy(&f);
	if (inv->args_n == 0 && retention_is_empty(&f.policy))
		err_ignore(why_set(
			&why, E_USAGE, "say which snapshots to forget, or what to keep with a --keep option"));
	else if (inv->args_n > 0 && !retention_is_empty(&f.policy))
		err_ignore(
			why_set(&why, E_USAGE, "a --keep option can't be given together with snapshots"));
	if (why.code) return opening_failed(inv, &why);
	f.code = opening_vault(&f.opening, inv);
	if (!f.code) run(&f);
	if (!f.code && invocation_flag(inv, "prune")) f.code = prune(&f);
	opening_close(&f.opening);
	mem_free(f.rows);
	mem_free(f.grouped);
	mem_free(f.doomed);
	return f.code;
}
