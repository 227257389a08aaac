/*
 * client/choose: a text that is to mean a snapshot, and behind a zero byte a list of tags. Of four snapshots two have ids
 * that begin alike, and one is forgotten.
 */
#include <assert.h>
#include <string.h>

#include "client/choose.h"

enum { TEXT_MAX = 256, SNAPSHOTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vault_snapshot snapshots[SNAPSHOTS] = {
	{ .sequence = 1, .id = { { 0xaa } } },
	{ .sequence = 2, .id = { { 0xbb, 0xb1 } } },
	{ .sequence = 3, .id = { { 0xdd } }, .forgotten = true },
	{ .sequence = 4, .id = { { 0xbb, 0xb2 } } },
};
static const struct vaultstate state = { .snapshots = snapshots, .snapshot_count = SNAPSHOTS };

static void start(void) {
	static struct bytelist_build tags;
	bytelist_build_init(&tags);
	assert(bytelist_build_add(&tags, span_text("one")) == OK);
	assert(bytelist_build_add(&tags, span_text("two")) == OK);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		snapshots[i].stamp.host = span_text(i % 2 ? "odd" : "even");
		snapshots[i].stamp.branch = span_text("line");
	}
	snapshots[1].stamp.tags = bytelist_build_list(&tags);
}

static void try(enum choose_among among, const struct choose_filter *f, const char *text) {
	const struct vault_snapshot *s = NULL;
	struct why why = { OK, "" };
	enum err e = choose_snapshot(&state, among, f, text, &s, &why);
	if (e) {
		assert((e == E_NOTFOUND || e == E_USAGE) && why.code == e && why.msg[0] && !s);
		return;
	}
	assert(s >= snapshots && s < snapshots + SNAPSHOTS);
	assert(s->forgotten == (among == CHOOSE_FORGOTTEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static bool started;
	char text[TEXT_MAX + 2] = "";
	struct choose_filter f = { .by = { { NULL, 0 } } };

	if (!started) start();
	started = true;
	if (size > TEXT_MAX) return 0;
	if (size > 0) memcpy(text, data, size);
	const char *tags = text + strlen(text) + 1; /* "" where there is none */
	try(CHOOSE_KEPT, NULL, text);
	try(CHOOSE_FORGOTTEN, NULL, text);
	assert(choose_filter_add(&f, CHOOSE_HOST, text) == OK);
	assert(choose_filter_add(&f, CHOOSE_HOST, "odd") == OK);
	assert(choose_filter_add(&f, CHOOSE_TAGS, tags) == OK);
	assert(choose_filter_add(&f, CHOOSE_BRANCH, "line") == OK);
	try(CHOOSE_KEPT, &f, text);
	try(CHOOSE_KEPT, &f, "latest");
	choose_filter_done(&f);
	return 0;
}
