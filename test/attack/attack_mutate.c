/*
 * The mutator: every object of a store that holds every kind of object is changed, cut, taken away and put in another's
 * place, and the whole store is set back to each earlier state. Never a wrong byte comes out, never a crash; check names
 * the damaged object; damage to an index or to padding loses no file.
 *
 *   attack_mutate [--long | --cases N] [--part I/N]
 *
 * Two stores. In a small one --long tries every bit and every length. The other is what backups, a prune and a new kit
 * leave: N is about how many of its bits are flipped, and a quarter as many lengths cut (1,000; with --long 40,000), and
 * without --long as many of the small one's. Every other kind of case is done in full by --long. Part I of N: that share of
 * the cases, for several processes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/packread.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "verdict.h"

static const uint64_t everything = UINT64_MAX;

struct sweep {
	struct verdict v;
	uint64_t flips; /* wanted; everything: every bit, every length */
	uint64_t part, parts;
	uint64_t number; /* of the case, over all parts */
};

/* What of a pack a reader needs not, by its bytes. */
struct spared {
	struct hash pack;
	uint32_t from, to;
};

static struct spared spared[256];
static size_t spared_count;

/* Whether a change of this byte must not cost a file: index records, padding. */
static bool is_spared(const struct rawstore_item *item, size_t at) {
	if (item->kind != RAWSTORE_PACK) return false;
	for (size_t i = 0; i < spared_count; i++)
		if (hash_equal(&spared[i].pack, &item->name) && at >= spared[i].from && at < spared[i].to)
			return true;
	return false;
}

static void spare(const struct hash *pack, size_t from, size_t to) {
	if (spared_count == sizeof spared / sizeof *spared) abort();
	spared[spared_count++] =
		(struct spared){ .pack = *pack, .from = (uint32_t)from, .to = (uint32_t)to };
}

static void find_spared(struct sweep *s) {
	struct packread *p;
	struct why why = { OK, "" };
	const struct vault *vault = &s->v.open.vault;
	testvault_must(
		packread_new(&p, s->v.full->store, &vault->id, vault->chain.ring, &why), &why, "packs");
	for (size_t i = 0; i < rawstore_count(s->v.full->store); i++) {
		const struct rawstore_item *item = rawstore_at(s->v.full->store, i);
		struct packtable table;
		struct buf bytes;
		struct packtable_block b;
		size_t end = SIZE_PACK_HEADER;
		if (item->kind != RAWSTORE_PACK) continue;
		buf_init(&bytes, LIMIT_PACK);
		testvault_must(
			packread_table(p, &item->name, item->len, &table, &bytes, &why), &why, "table");
		struct span rest = table.blocks;
		while (packtable_next(&rest, &b)) {
			if (b.type == CHUNKTYPE_INDEX) spare(&item->name, b.offset, b.offset + b.length);
			end = b.offset + b.length;
		}
		/* table, padding and trailer: readers of files go by the index */
		spare(&item->name, end, item->len);
		buf_free(&bytes);
	}
	packread_free(p);
}

/* Whether this case is for this process; names it. */
static bool take(struct sweep *s, const char *what, const struct rawstore_item *item, size_t at) {
	char hex[HASH_HEX];
	if (s->number++ % s->parts != s->part) return false;
	hash_hex(hex, item->kind == RAWSTORE_ENTRY ? &item->scope : &item->name);
	(void)snprintf(s->v.label, sizeof s->v.label, "%s %s %.12s/%llu, %zu of %zu", what,
		rawstore_kind_text(item->kind), hex, (unsigned long long)item->sequence, at, item->len);
	return true;
}

static uint64_t total_bits(struct store *store) {
	uint64_t n = 0;
	for (size_t i = 0; i < rawstore_count(store); i++)
		n += (uint64_t)rawstore_at(store, i)->len * 8;
	return n;
}

/* Bits at equal steps. */
static void flip_bits(struct sweep *s, uint64_t step) {
	struct store *store = s->v.full->store;
	uint64_t next = 0, before = 0;
	for (size_t i = 0; i < rawstore_count(store); i++) {
		struct rawstore_item *item = rawstore_at(store, i);
		uint64_t bits = (uint64_t)item->len * 8;
		for (; next < before + bits; next += step) {
			uint64_t bit = next - before;
			size_t at = (size_t)(bit / 8);
			if (!take(s, "bit of", item, at)) continue;
			item->bytes[at] ^= (uint8_t)(1u << (bit % 8));
			verdict_judge(&s->v, item, is_spared(item, at) ? VERDICT_READABLE : VERDICT_ANY);
			item->bytes[at] ^= (uint8_t)(1u << (bit % 8));
		}
		before += bits;
	}
}

static void cut_lengths(struct sweep *s, uint64_t step) {
	struct store *store = s->v.full->store;
	uint64_t next = 0, before = 0;
	for (size_t i = 0; i < rawstore_count(store); i++) {
		struct rawstore_item *item = rawstore_at(store, i);
		size_t len = item->len;
		for (; next < before + len; next += step) {
			if (!take(s, "cut of", item, (size_t)(next - before))) continue;
			item->len = (size_t)(next - before);
			verdict_judge(&s->v, item, VERDICT_ANY);
			item->len = len;
		}
		before += len;
	}
}

/* A copy of an item that lives while the store changes. */
static struct rawstore_item copy_of(const struct rawstore_item *item) {
	struct rawstore_item out = *item;
	out.bytes = malloc(item->len + 1);
	if (!out.bytes) abort();
	if (item->len) memcpy(out.bytes, item->bytes, item->len);
	return out;
}

static void take_away(struct sweep *s, const struct rawstore_copy *all) {
	struct store *store = s->v.full->store;
	size_t count = rawstore_count(store);
	for (size_t i = 0; i < count; i++) {
		struct rawstore_item was = copy_of(rawstore_at(store, i));
		if (take(s, "without", &was, 0)) {
			rawstore_remove(store, i);
			verdict_judge(&s->v, &was, VERDICT_ANY);
			rawstore_set(store, all);
		}
		free(was.bytes);
	}
}

/* Also the first half of one and the second of another, of the same kind. */
static void exchange(struct sweep *s, size_t each) {
	struct store *store = s->v.full->store;
	size_t count = rawstore_count(store);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++) {
			struct rawstore_item *item = rawstore_at(store, i), *other = rawstore_at(store, k);
			if (i == k || (i * count + k) % each != 0) continue;
			if (item->len == other->len && memcmp(item->bytes, other->bytes, item->len) == 0)
				continue;
			if (!take(s, "another object for", item, k)) continue;
			struct rawstore_item was = copy_of(item);
			rawstore_replace(store, i, span_of(other->bytes, other->len));
			verdict_judge(&s->v, &was, VERDICT_ANY);
			rawstore_replace(store, i, span_of(was.bytes, was.len));
			free(was.bytes);
		}
}

/* Bytes behind the end; and all zero. */
static void extend(struct sweep *s) {
	struct store *store = s->v.full->store;
	for (size_t i = 0; i < rawstore_count(store); i++)
		for (int zero = 0; zero < 2; zero++) {
			struct rawstore_item was = copy_of(rawstore_at(store, i));
			uint8_t *longer = calloc(1, was.len * 2 + 1);
			if (!longer) abort();
			if (!zero) {
				memcpy(longer, was.bytes, was.len);
				memcpy(longer + was.len, was.bytes, was.len);
			}
			if (take(s, zero ? "zeros for" : "bytes behind", &was, 0)) {
				rawstore_replace(
					store, i, span_of(longer, zero ? was.len : was.len + (i % 2 ? 1 : was.len)));
				verdict_judge(&s->v, &was, VERDICT_ANY);
				rawstore_replace(store, i, span_of(was.bytes, was.len));
			}
			free(longer);
			free(was.bytes);
		}
}

/* Row R01: a device that has seen more refuses every earlier state. */
static void set_back(struct sweep *s, const struct rawstore_copy *all) {
	struct fullstore *f = s->v.full;
	for (size_t i = 0; i + 1 < f->state_count; i++) {
		struct testvault t;
		struct why why = { OK, "" };
		if (s->number++ % s->parts != s->part) continue;
		(void)snprintf(
			s->v.label, sizeof s->v.label, "set back to state %zu of %zu", i, f->state_count);
		rawstore_set(f->store, f->states[i]);
		s->v.cases++;
		enum err e = testvault_open(&t, f->store, "main", &why);
		if (!e) testvault_close(&t);
		if (e != E_ROLLBACK)
			verdict_fail(&s->v, "an earlier state was not called a rollback", why.msg);
		else s->v.refused++;
		rawstore_set(f->store, all);
	}
}

static void run(struct sweep *s) {
	struct store *store = s->v.full->store;
	struct rawstore_copy *all = rawstore_copy(store);
	uint64_t bits = total_bits(store);
	uint64_t step = s->flips >= bits ? 1 : bits / s->flips | 1; /* odd: all eight bits of bytes */
	uint64_t cut_step = s->flips == everything ? 1 : bits / 8 * 4 / s->flips | 1;
	set_back(s, all);
	take_away(s, all);
	extend(s);
	exchange(s, s->flips < 20000 ? 7 : 1);
	flip_bits(s, step);
	cut_lengths(s, cut_step);
	rawstore_copy_free(all);
}

/* Returns how many cases failed. */
static uint64_t sweep(struct sweep *s, const char *name, void (*make)(struct fullstore *)) {
	static struct fullstore full;
	struct verdict *v = &s->v;
	make(&full);
	verdict_begin(v, &full);
	spared_count = 0;
	find_spared(s);
	printf("%s store: %zu objects, %llu bits\n", name, rawstore_count(full.store),
		(unsigned long long)total_bits(full.store));
	run(s);
	printf(
		"%llu cases: %llu named by check, %llu of objects that nothing needs; opening refused %llu, "
		"read whole %llu, in part %llu\n",
		(unsigned long long)v->cases, (unsigned long long)v->named, (unsigned long long)v->unneeded,
		(unsigned long long)v->refused, (unsigned long long)v->exact, (unsigned long long)v->part);
	(void)fflush(stdout);
	verdict_end(v);
	fullstore_done(&full);
	return v->failures < v->cases ? v->failures : v->cases;
}

int main(int argc, char **argv) {
	struct sweep s = { .flips = 1000, .parts = 1 };
	bool is_long = false;
	for (int i = 1; i < argc; i++) {
		unsigned long long part, parts;
		if (strcmp(argv[i], "--long") == 0) {
			s.flips = 40000;
			is_long = true;
		} else if (strcmp(argv[i], "--cases") == 0 && i + 1 < argc)
			s.flips = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc &&
			sscanf(argv[++i], "%llu/%llu", &part, &parts) == 2) {
			s.part = part;
			s.parts = parts;
		} else return 2;
	}
	uint64_t failed = sweep(&s, "large", fullstore_make), cases = s.v.cases;
	if (is_long) s.flips = everything;
	failed += sweep(&s, "small", fullstore_make_small);
	cases += s.v.cases;
	printf("%llu passed, %llu failed\n", (unsigned long long)(cases - failed),
		(unsigned long long)failed);
	return failed != 0;
}
