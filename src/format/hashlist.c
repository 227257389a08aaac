#include "format/hashlist.h"

struct hashlist hashlist_read(struct reader *r, size_t count, bool ascending) {
	struct hashlist l = { .rows = span_of(NULL, 0) };
	if (count > SIZE_MAX / HASH_SIZE) {
		reader_fail(r);
		return l;
	}
	l.rows = reader_raw(r, count * HASH_SIZE);
	if (ascending && !hashlist_is_ascending(&l)) reader_fail(r);
	return l;
}

size_t hashlist_count(const struct hashlist *l) {
	return l->rows.len / HASH_SIZE;
}

static struct span row(const struct hashlist *l, size_t i) {
	return span_of(l->rows.ptr + i * HASH_SIZE, HASH_SIZE);
}

struct hash hashlist_at(const struct hashlist *l, size_t i) {
	return hash_from(row(l, i).ptr);
}

bool hashlist_is_ascending(const struct hashlist *l) {
	for (size_t i = 1; i < hashlist_count(l); i++) {
		if (span_order(row(l, i - 1), row(l, i)) >= 0) return false;
	}
	return true;
}

bool hashlist_has(const struct hashlist *l, const struct hash *h) {
	size_t low = 0, high = hashlist_count(l);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = span_order(row(l, mid), hash_span(h));
		if (c == 0) return true;
		if (c < 0) low = mid + 1;
		else high = mid;
	}
	return false;
}
