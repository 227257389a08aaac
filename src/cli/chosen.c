#include "cli/chosen.h"

#include "base/mem.h"
#include "cli/say.h"

static int no_memory(const struct invocation *inv) {
	say_error(inv->say, "out of memory");
	return EXITCODE_ERROR;
}

static int read_named(struct chosen *c, const struct opening *o, const struct invocation *inv) {
	c->ids = mem_array(inv->args_n, sizeof(*c->ids));
	if (!c->ids) return no_memory(inv);
	for (size_t i = 0; i < inv->args_n; i++) {
		const struct vault_snapshot *row = NULL;
		int code = opening_snapshot(inv, o, inv->args[i], &row);
		bool twice = false;

		if (code) return code;
		for (size_t k = 0; k < c->count; k++) twice |= hash_equal(&c->ids[k], &row->id);
		if (!twice) c->ids[c->count++] = row->id;
	}
	return EXITCODE_OK;
}

static int read_all(struct chosen *c, const struct opening *o, const struct invocation *inv) {
	const struct vaultstate *v = &o->vault.state;
	struct choose_filter filter;
	struct why why = { 0 };

	if (opening_filter(inv, &filter, &why)) return opening_failed(inv, &why);
	c->ids = mem_array(v->snapshot_count + 1, sizeof(*c->ids));
	for (size_t i = 0; c->ids && i < v->snapshot_count; i++)
		if (!v->snapshots[i].forgotten && choose_passes(&filter, &v->snapshots[i]))
			c->ids[c->count++] = v->snapshots[i].id;
	choose_filter_done(&filter);
	return c->ids ? EXITCODE_OK : no_memory(inv);
}

int chosen_read(
	struct chosen *c, const struct opening *o, const struct invocation *inv, bool args_only) {
	*c = (struct chosen){ .count = 0 };
	if (inv->args_n > 0) return read_named(c, o, inv);
	return args_only ? EXITCODE_OK : read_all(c, o, inv);
}

void chosen_done(struct chosen *c) {
	mem_free(c->ids);
	c->ids = NULL;
}
