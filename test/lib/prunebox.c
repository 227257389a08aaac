#include "prunebox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/forget.h"
#include "client/intents.h"
#include "client/purge.h"
#include "client/treewalk.h"
#include "clientbox.h"
#include "crypto/crypto.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "storesuite.h"

static int start(void **state, uint64_t hold) {
	char home[SCRATCH_MAX];
	struct hash id = storesuite_id(31);
	struct kit_secret kit;
	struct prunebox *p = calloc(1, sizeof *p);
	if (!p || crypto_start() != OK) return -1;
	scratch_make(p->folder);
	testvault_home(scratch_join(home, p->folder, "home"));
	(void)scratch_join(p->tree, p->folder, "tree");
	if (mkdir(p->tree, 0700) != 0) return -1;
	p->raw = rawstore_new(&id);
	p->store = faulty_new(p->raw);
	if (!p->store) return -1;
	testvault_make(p->store, hold, &kit);
	testvault_must_open(&p->t, p->store);
	*state = p;
	return 0;
}

int prunebox_setup(void **state) {
	return start(state, 0);
}

int prunebox_setup_held(void **state) {
	return start(state, PRUNEBOX_HOLD);
}

int prunebox_teardown(void **state) {
	struct prunebox *p = *state;
	if (p->has_other) testvault_close(&p->other);
	testvault_close(&p->t);
	store_free(p->store);
	store_free(p->raw);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

struct testvault *prunebox_other(struct prunebox *p) {
	if (!p->has_other) testvault_must_open(&p->other, p->store);
	p->has_other = true;
	return &p->other;
}

void prunebox_file(const struct prunebox *p, const char *name, size_t len, uint64_t seed) {
	char path[SCRATCH_MAX];
	uint8_t *bytes = clientbox_random(len, seed);
	scratch_write(scratch_join(path, p->tree, name), bytes, len);
	free(bytes);
}

void prunebox_remove(const struct prunebox *p, const char *name) {
	char path[SCRATCH_MAX];
	assert_int_equal(unlink(scratch_join(path, p->tree, name)), 0);
}

struct hash prunebox_backup(struct prunebox *p) {
	struct why why = { OK, "" };
	struct hash id;
	clientbox_ok(testvault_backup(&p->t, p->tree, NULL, &id, &why), &why);
	return id;
}

struct prunebox_scene prunebox_scene(struct prunebox *p) {
	struct prunebox_scene s;
	prunebox_file(p, "a", 200000, 1);
	prunebox_file(p, "b", 30000, 2);
	s.first = prunebox_backup(p);
	prunebox_remove(p, "a");
	s.second = prunebox_backup(p);
	prunebox_forget(p, &s.first);
	return s;
}

void prunebox_forget(struct prunebox *p, const struct hash *snapshot) {
	struct why why = { OK, "" };
	clientbox_ok(testvault_forget(&p->t, snapshot, &why), &why);
}

void prunebox_keep(struct prunebox *p, const struct hash *snapshot) {
	struct why why = { OK, "" };
	clientbox_ok(forget_undo(&p->t.vault, snapshot, &why), &why);
}

struct prunebox_announced prunebox_announce(struct prunebox *p) {
	struct prunebox_announced s;
	prunebox_file(p, "a", 200000, 1);
	s.first = prunebox_backup(p);
	prunebox_remove(p, "a");
	prunebox_file(p, "b", 20000, 2);
	s.second = prunebox_backup(p);
	struct buf a = prunebox_needs(p, &s.first), b = prunebox_needs(p, &s.second);
	buf_init(&s.gone, 1 << 20);
	for (size_t at = 0; at < a.len; at += HASH_SIZE) {
		struct hash name = hash_from(a.ptr + at);
		if (!intents_has(buf_span(&b), &name))
			assert_int_equal(buf_add(&s.gone, hash_span(&name)), OK);
	}
	buf_free(&a);
	buf_free(&b);
	assert_true(s.gone.len / HASH_SIZE >= 3);
	prunebox_forget(p, &s.first);
	s.intent = prunebox_intend(p, buf_span(&s.gone));
	return s;
}

struct prune_options prunebox_options(void) {
	return (struct prune_options){ .pack_limit = TESTVAULT_PACK };
}

struct prune_options prunebox_unlimited(void) {
	struct prune_options o = prunebox_options();
	o.max_unused = PRUNE_ANY_UNUSED;
	return o;
}

struct prune_result prunebox_prune(struct prunebox *p, const struct prune_options *o) {
	struct why why = { OK, "" };
	struct prune_result out;
	clientbox_ok(prune_run(&p->t.vault, o, &out, &why), &why);
	return out;
}

static enum err given(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	(void)v;
	(void)why;
	*out = **(const struct vault_entry **)ctx;
	return OK;
}

struct prune_result prunebox_purge(struct prunebox *p) {
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	struct why why = { OK, "" };
	clientbox_ok(purge_due(&p->t.vault, &o, &out, &why), &why);
	return out;
}

uint64_t prunebox_append(struct prunebox *p, const struct vault_entry *entry) {
	struct why why = { OK, "" };
	clientbox_ok(vault_append(&p->t.vault, given, &entry, &why), &why);
	return p->t.vault.state.count - 1;
}

uint64_t prunebox_intend(struct prunebox *p, struct span names) {
	struct why why = { OK, "" };
	struct vault_entry entry = {
		.body = { .type = VAULTBODY_INTENT },
		.public_part = { .kind = ENTRYPUBLIC_INTENT },
	};
	clientbox_ok(intents_make(&p->t.vault, names, &entry.public_part.packs, &why), &why);
	return prunebox_append(p, &entry);
}

void prunebox_same(struct span a, struct span b) {
	assert_int_equal(a.len / HASH_SIZE, b.len / HASH_SIZE);
	if (a.len) assert_memory_equal(a.ptr, b.ptr, a.len);
}

struct buf prunebox_packs(const struct prunebox *p) {
	struct buf names;
	buf_init(&names, 1 << 20);
	for (size_t i = 0; i < rawstore_count(p->raw); i++) {
		const struct rawstore_item *item = rawstore_at(p->raw, i);
		if (item->kind == RAWSTORE_PACK)
			assert_int_equal(buf_add(&names, hash_span(&item->name)), OK);
	}
	intents_sort(&names);
	return names;
}

size_t prunebox_pack_count(const struct prunebox *p) {
	struct buf packs = prunebox_packs(p);
	size_t count = packs.len / HASH_SIZE;
	buf_free(&packs);
	return count;
}

static bool is_present(const struct prunebox *p, const struct hash *pack) {
	return rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, pack, 0) != NULL;
}

struct looking {
	const struct prunebox *p;
	struct fetch *fetch;
	struct buf packs;
	bool checks;
};

static enum err look_at_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct looking *l = ctx;
	struct places *places = fetch_places(l->fetch);
	struct places_cursor c = { .where = l->checks ? PLACES_INDEXED : PLACES_ANY };
	struct place found;
	bool more = true;
	(void)type;
	(void)length;
	enum err e = OK;
	while (!e && more) {
		e = places_next(places, id, &c, &found, &more, why);
		if (e || !more || !is_present(l->p, &found.pack)) continue;
		if (found.cut && !is_present(l->p, &found.next_pack)) continue;
		e = buf_add(&l->packs, hash_span(&found.pack));
		if (!e && found.cut) e = buf_add(&l->packs, hash_span(&found.next_pack));
		return e;
	}
	return e ? e : why_set(why, E_NOTFOUND, "a chunk has no place that is there");
}

static struct buf look(struct prunebox *p, const struct hash *id, bool checks) {
	struct why why = { OK, "" };
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct looking l = { .p = p, .checks = checks };
	struct treewalk walk = { .chunk = look_at_chunk, .ctx = &l };
	struct snapshot s;
	struct buf bytes;
	buf_init(&l.packs, 1 << 24);
	buf_init(&bytes, LIMIT_SNAPSHOT);
	clientbox_ok(vault_refresh(&p->t.vault, &why), &why);
	clientbox_ok(fetch_new(&l.fetch, &fp, &why), &why);
	if (checks) assert_int_equal(places_damaged(fetch_places(l.fetch)), 0);
	else clientbox_ok(places_scan_all(fetch_places(l.fetch), &why), &why);
	walk.fetch = l.fetch;
	clientbox_ok(look_at_chunk(&l, CHUNKTYPE_SNAPSHOT, id, 0, &why), &why);
	clientbox_ok(treewalk_snapshot(l.fetch, id, &s, &bytes, &why), &why);
	clientbox_ok(treewalk_run(&walk, &s.root, &why), &why);
	fetch_free(l.fetch);
	buf_free(&bytes);
	intents_sort(&l.packs);
	return l.packs;
}

struct buf prunebox_needs(struct prunebox *p, const struct hash *snapshot) {
	return look(p, snapshot, false);
}

void prunebox_check(struct prunebox *p, const struct hash *snapshot) {
	struct why why = { OK, "" };
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct fetch *f = NULL;
	struct testvault_seen seen;
	struct buf packs = look(p, snapshot, true);
	buf_free(&packs);
	clientbox_ok(fetch_new(&f, &fp, &why), &why);
	clientbox_ok(testvault_see(f, snapshot, &seen, &why), &why);
	if (seen.errors) fail_msg("%s", seen.why.msg);
	assert_true(seen.count > 0);
	testvault_seen_done(&seen);
	fetch_free(f);
}

size_t prunebox_present(const struct prunebox *p, struct span names) {
	size_t count = 0;
	for (size_t at = 0; at < names.len; at += HASH_SIZE) {
		struct hash name = hash_from(names.ptr + at);
		count += is_present(p, &name);
	}
	return count;
}

static size_t place_of(const struct prunebox *p, const struct hash *pack) {
	size_t i = 0;
	while (rawstore_at(p->raw, i)->kind != RAWSTORE_PACK ||
		!hash_equal(&rawstore_at(p->raw, i)->name, pack))
		i++;
	return i;
}

void prunebox_damage(struct prunebox *p, const struct hash *pack, size_t offset) {
	rawstore_at(p->raw, place_of(p, pack))->bytes[offset] ^= 1;
}

void prunebox_lose(struct prunebox *p, const struct hash *pack) {
	rawstore_remove(p->raw, place_of(p, pack));
}

bool prunebox_find_rest(struct prunebox *p, struct hash *out) {
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct fetch *f = NULL;
	struct why why = { OK, "" };
	struct buf packs = prunebox_packs(p);
	bool found = false;
	clientbox_ok(fetch_new(&f, &fp, &why), &why);
	for (size_t at = 0; at < packs.len && !found; at += HASH_SIZE) {
		struct packtable table;
		struct buf bytes;
		*out = hash_from(packs.ptr + at);
		size_t size = rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, out, 0)->len;
		buf_init(&bytes, LIMIT_PACK);
		clientbox_ok(packread_table(fetch_packs(f), out, size, &table, &bytes, &why), &why);
		found = table.continues && table.count == 1;
		buf_free(&bytes);
	}
	fetch_free(f);
	buf_free(&packs);
	return found;
}
