#include "appending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rawbox.h"
#include "storesuite.h"

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct appending *d = ctx;
	d->asked++;
	d->count_seen = v->state.count;
	assert_int_equal(out->body.type, 0);
	assert_int_equal(out->public_part.kind, ENTRYPUBLIC_NONE);
	if (d->refuse && d->asked >= d->refuse_at) return why_set(why, d->refuse, "not now");
	out->body = (struct vaultbody){
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = storesuite_id(d->seed),
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
	};
	return OK;
}

enum err appending_try(struct vault *v, struct appending *d, struct why *why) {
	*why = (struct why){ OK, "" };
	enum err e = vault_append(v, decide, d, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

void appending_one(struct vault *v, uint64_t seed) {
	struct appending d = { .seed = seed };
	struct why why;
	rawbox_ok(appending_try(v, &d, &why), &why);
}

bool appending_has(struct vault *v, uint64_t seed) {
	struct hash id = storesuite_id(seed);
	return vaultstate_snapshot(&v->state, &id) != NULL;
}
