/* Every store of this program passes the suite that all stores pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/embedded.h"
#include "store/faulty.h"
#include "store/memory.h"
#include "storesuite.h"

/* What a store under test stands on. */
struct ground {
	char path[SCRATCH_MAX];
	struct store *inner;
};

static struct ground *new_ground(void **ctx) {
	struct ground *g = calloc(1, sizeof *g);
	if (!g) abort();
	*ctx = g;
	return g;
}

static struct store *open_at(void *ctx) {
	struct ground *g = ctx;
	struct store *s = NULL;
	struct why why;
	if (embedded_open(g->path, &s, &why) != OK) print_error("%s\n", why.msg);
	return s;
}

static struct store *make_embedded(void **ctx) {
	struct ground *g = new_ground(ctx);
	scratch_make(g->path);
	struct hash id = storesuite_id(100);
	struct why why;
	if (embedded_create(g->path, &id, &why) == OK) return open_at(g);
	print_error("%s\n", why.msg);
	return NULL;
}

static struct store *make_memory(void **ctx) {
	new_ground(ctx);
	struct hash id = storesuite_id(101);
	return memory_new(&id);
}

static struct store *make_faulty(void **ctx) {
	struct ground *g = new_ground(ctx);
	struct hash id = storesuite_id(102);
	g->inner = memory_new(&id);
	return g->inner ? faulty_new(g->inner) : NULL;
}

static void done(void *ctx) {
	struct ground *g = ctx;
	store_free(g->inner);
	if (g->path[0]) scratch_remove(g->path);
	free(g);
}

int main(void) {
	static const struct storesuite suites[] = {
		{ .label = "memory", .make = make_memory, .done = done },
		{ .label = "faulty", .make = make_faulty, .done = done },
		{ .label = "embedded", .make = make_embedded, .done = done, .again = open_at },
	};
	int failed = 0;
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
		failed += storesuite_run(&suites[i]);
	return failed;
}
