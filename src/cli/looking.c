#include "cli/looking.h"

#include <string.h>

#include "cli/say.h"
#include "client/treewalk.h"
#include "format/limits.h"
#include "os/thread.h"

static void warned(void *ctx, const struct why *why) {
	struct looking *l = ctx;

	say_warn(l->inv->say, "%s", why->msg);
}

int looking_open(struct looking *l, const struct invocation *inv) {
	struct fetch_params p = {
		.vault = &l->opening.vault,
		.threads = thread_cpus() + 1,
		.warn = warned,
		.ctx = l,
	};
	struct why why = { 0 };
	int code;

	memset(l, 0, sizeof(*l));
	l->inv = inv;
	code = opening_vault(&l->opening, inv);
	if (!code && fetch_new(&l->fetch, &p, &why)) code = opening_failed(inv, &why);
	return code;
}

void looking_close(struct looking *l) {
	fetch_free(l->fetch);
	l->fetch = NULL;
	opening_close(&l->opening);
}

int looking_read(struct looking *l, const struct hash *id, struct looking_at *out) {
	struct why why = { 0 };

	out->id = *id;
	buf_init(&out->bytes, LIMIT_SNAPSHOT);
	if (treewalk_snapshot(l->fetch, id, &out->snapshot, &out->bytes, &why))
		return opening_failed(l->inv, &why);
	return EXITCODE_OK;
}

int looking_begin(struct looking *l, const char *text, struct looking_at *out) {
	const struct vault_snapshot *row = NULL;
	int code = opening_snapshot(l->inv, &l->opening, text, &row);

	memset(out, 0, sizeof(*out));
	return code ? code : looking_read(l, &row->id, out);
}

void looking_done(struct looking_at *a) {
	buf_free(&a->bytes);
}

enum err looking_list(struct looking *l, const struct streamref *root, struct span prefix,
	bool ahead, struct treelist **out, struct why *why) {
	struct treelist_params p = {
		.fetch = l->fetch,
		.root = root,
		.prefix = prefix,
		.ahead = ahead ? thread_cpus() : 0,
	};

	return treelist_new(out, &p, why);
}
