/* broch snapshots: the snapshots of a vault, in the order of its chain. */
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/looking.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "cli/table.h"
#include "client/units.h"
#include "client/when.h"

enum { JOINED_MAX = 1 << 20 };

struct shown {
	struct looking looking;
	struct table table;
	uint64_t count;
	int code;
};

static void add_row(
	struct shown *s, const struct vault_snapshot *row, const struct snapshot *object) {
	struct buf text;
	char id[SNAPSHOTROW_ID], time[WHEN_TEXT], size[UNITS_TEXT];

	buf_init(&text, JOINED_MAX);
	table_text(&s->table, snapshotrow_id(id, &row->id));
	table_text(&s->table, when_local(time, snapshotrow_ns(row->stamp.time)));
	table_add(&s->table, row->stamp.host);
	s->table.broken |= snapshotrow_join(&text, &row->stamp.tags) != OK;
	table_add(&s->table, buf_span(&text));
	buf_clear(&text);
	if (object) s->table.broken |= snapshotrow_join(&text, &object->paths) != OK;
	table_text(&s->table, units_size(size, row->stamp.bytes));
	table_add(&s->table, buf_span(&text));
	buf_free(&text);
}

/* A snapshot whose object is damaged is shown all the same, with what its entry says. */
static void show(struct shown *s, const struct vault_snapshot *row) {
	struct looking_at at;
	int code = looking_read(&s->looking, &row->id, &at);
	const struct snapshot *object = code ? NULL : &at.snapshot;

	if (code) s->code = code;
	s->count++;
	if (say_json(s->looking.inv->say))
		say_object(s->looking.inv->say, snapshotrow_json("snapshot", row, object));
	else add_row(s, row, object);
	looking_done(&at);
}

static bool same_line(const struct vault_snapshot *a, const struct vault_snapshot *b) {
	return span_equal(a->stamp.host, b->stamp.host) && span_equal(a->stamp.branch, b->stamp.branch);
}

/* Whether at least ${n} of the same host and branch that pass stand behind snapshot ${i}. */
static bool is_older_than(
	const struct vaultstate *v, const struct choose_filter *f, size_t i, uint64_t n) {
	uint64_t later = 0;

	for (size_t k = i + 1; k < v->snapshot_count && later < n; k++)
		later += !v->snapshots[k].forgotten && choose_passes(f, &v->snapshots[k]) &&
			same_line(&v->snapshots[i], &v->snapshots[k]);
	return later >= n;
}

static void show_filtered(struct shown *s) {
	const struct vaultstate *v = &s->looking.opening.vault.state;
	const struct invocation *inv = s->looking.inv;
	uint64_t latest = invocation_number(inv, "latest");
	struct choose_filter filter;
	struct why why = { 0 };

	if (opening_filter(inv, &filter, &why)) {
		s->code = opening_failed(inv, &why);
		return;
	}
	for (size_t i = 0; i < v->snapshot_count; i++) {
		if (v->snapshots[i].forgotten || !choose_passes(&filter, &v->snapshots[i])) continue;
		if (latest && is_older_than(v, &filter, i, latest)) continue;
		show(s, &v->snapshots[i]);
	}
	choose_filter_done(&filter);
}

static void show_given(struct shown *s) {
	const struct invocation *inv = s->looking.inv;

	for (size_t i = 0; i < inv->args_n; i++) {
		const struct vault_snapshot *row = NULL;
		int code = opening_snapshot(inv, &s->looking.opening, inv->args[i], &row);

		if (code) s->code = code;
		else show(s, row);
	}
}

int cmd_snapshots(const struct invocation *inv) {
	static const char *const heads[] = { "ID", "Time", "Host", "Tags", "Size", "Paths" };
	struct shown s = { .count = 0 };

	table_init(&s.table, sizeof(heads) / sizeof(heads[0]), heads);
	s.table.right[4] = true;
	s.code = looking_open(&s.looking, inv);
	if (!s.code && inv->args_n > 0) show_given(&s);
	else if (!s.code) show_filtered(&s);
	if (s.looking.fetch && !say_json(inv->say)) {
		if (s.count > 0 && !table_print(&s.table, inv->say)) s.code = EXITCODE_ERROR;
		say_out(
			inv->say, "%llu snapshot%s\n", (unsigned long long)s.count, s.count == 1 ? "" : "s");
	}
	table_done(&s.table);
	looking_close(&s.looking);
	return s.code;
}
