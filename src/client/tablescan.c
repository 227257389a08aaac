#include "client/tablescan.h"

#include "format/limits.h"

struct scan {
	const struct tablescan_params *p;
	struct tablejoin join;
};

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND;
}

static enum err scan_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct scan *s = ctx;
	struct packtable table;
	struct buf bytes;
	struct why reason = { OK, "" };
	if (s->p->skip && s->p->skip(s->p->skip_ctx, name)) return OK;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(s->p->packs, name, size, &table, &bytes, &reason);
	if (!e)
		e = why_err(why, tablejoin_add(&s->join, name, (uint32_t)size, &table),
			"reading the tables of packs");
	else if (is_damage(e) || e == E_DENIED) {
		if (s->p->warn) s->p->warn(s->p->warn_ctx, &reason);
		e = OK;
	} else if (why) {
		*why = reason;
	}
	buf_free(&bytes);
	return e;
}

enum err tablescan_run(const struct tablescan_params *p, struct indexplan **out, struct why *why) {
	struct scan s = { .p = p, .join = { .reads = p->reads, .reads_ctx = p->reads_ctx } };
	struct indexplan *plan = NULL;
	enum err e = why_err(why, indexplan_new(&plan), "reading the tables of packs");
	s.join.plan = plan;
	s.join.partial = p->skip != NULL;
	if (!e) e = store_pack_list(p->store, &p->vault, scan_pack, &s, why);
	if (!e) e = tablejoin_end(&s.join, why);
	if (!e) {
		indexplan_sort(plan);
		*out = plan;
		plan = NULL;
	}
	indexplan_free(plan);
	tablejoin_done(&s.join);
	return e;
}
