/* Hard-link groups: see cmplinks.h. */
#include "cmplinks.h"

#include <stdlib.h>
#include <string.h>

/* The partner of a file: one table for each direction. */
struct link {
	dev_t dev, other_dev;
	ino_t ino, other_ino;
	char *path; /* of the first name; NULL: free place */
	size_t path_len;
};

struct table {
	struct link *links;
	size_t room; /* a power of two */
	size_t count;
};

struct cmplinks {
	struct table of_a, of_b;
};

struct cmplinks *cmplinks_new(void) {
	return treelib_alloc(sizeof(struct cmplinks));
}

static void table_done(struct table *t) {
	for (size_t i = 0; i < t->room; i++) free(t->links[i].path);
	free(t->links);
}

void cmplinks_free(struct cmplinks *links) {
	if (links == NULL) return;
	table_done(&links->of_a);
	table_done(&links->of_b);
	free(links);
}

/* The place of the file, or the free place where it belongs. */
static struct link *table_find(const struct table *t, dev_t dev, ino_t ino) {
	struct treelib_rng mix = { .state = (uint64_t)ino ^ ((uint64_t)dev << 40) };
	size_t i = (size_t)treelib_random(&mix) & (t->room - 1);

	while (t->links[i].path != NULL && (t->links[i].ino != ino || t->links[i].dev != dev))
		i = (i + 1) & (t->room - 1);
	return &t->links[i];
}

static void table_grow(struct table *t) {
	struct table bigger = { .room = t->room > 0 ? t->room * 2 : 1024, .count = t->count };

	bigger.links = treelib_alloc(bigger.room * sizeof(*bigger.links));
	for (size_t i = 0; i < t->room; i++)
		if (t->links[i].path != NULL)
			*table_find(&bigger, t->links[i].dev, t->links[i].ino) = t->links[i];
	free(t->links);
	*t = bigger;
}

static struct link *table_pair(
	struct table *t, const struct cmpreport *r, const struct stat *st, const struct stat *other) {
	struct link *l;

	if (t->count * 2 >= t->room) table_grow(t);
	l = table_find(t, st->st_dev, st->st_ino);
	if (l->path == NULL) {
		l->dev = st->st_dev;
		l->ino = st->st_ino;
		l->other_dev = other->st_dev;
		l->other_ino = other->st_ino;
		l->path_len = r->path_len;
		l->path = treelib_alloc(r->path_len + 1);
		if (r->path_len > 0) memcpy(l->path, r->path, r->path_len);
		t->count++;
	}
	return l;
}

static bool partner_is(const struct link *l, const struct stat *st) {
	return l->other_dev == st->st_dev && l->other_ino == st->st_ino;
}

bool cmplinks_pair(
	struct cmplinks *links, struct cmpreport *r, const struct stat *a, const struct stat *b) {
	size_t before = links->of_a.count;
	const struct link *la = table_pair(&links->of_a, r, a, b);
	const struct link *lb = table_pair(&links->of_b, r, b, a);

	if (!partner_is(la, b))
		cmpreport_add(r, CMP_HARDLINK, "one file with '%s', in B not", la->path);
	else if (!partner_is(lb, a))
		cmpreport_add(r, CMP_HARDLINK, "not one file with '%s', in B yes", lb->path);
	else return links->of_a.count == before;
	return false;
}
