#include "craft.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/epochring.h"
#include "format/snapshot.h"

void craft_begin_small(struct craft *c, struct testvault *t, uint32_t pack_limit) {
	struct why why = { OK, "" };
	memset(c, 0, sizeof *c);
	c->t = t;
	struct packrun_params p = {
		.store = t->session.store,
		.vault = t->vault.id,
		.epoch = vault_epoch(&t->vault),
		.epoch_public = epochring_kem_public(t->vault.chain.ring, vault_epoch(&t->vault)),
		.start_sequence = vault_head(&t->vault).seq,
		.start_head = vault_head(&t->vault).hash,
		.writer = t->session.secrets->actor.id,
		.fresh = &t->session.secrets->fresh,
		.pack_limit = pack_limit,
	};
	testvault_must(packrun_new(&c->run, &p, &why), &why, "a run");
	c->shared = (struct storing_shared){
		.vault = &t->vault, .run = c->run, .squeeze = SQUEEZE_FAST, .pack_limit = pack_limit
	};
	testvault_must(storing_new(&c->storing, &c->shared, &why), &why, "storing");
}

void craft_begin(struct craft *c, struct testvault *t) {
	craft_begin_small(c, t, 0);
}

struct streamref craft_content(struct craft *c, struct span bytes) {
	struct streamref ref = { .length = 0 };
	struct why why = { OK, "" };
	testvault_must(
		storing_bytes(c->storing, CHUNKTYPE_CONTENT, bytes, &ref, &why), &why, "content");
	return ref;
}

struct streamref craft_folder(struct craft *c, const struct buf *entries) {
	struct streamref ref = { .length = 0 };
	struct why why = { OK, "" };
	testvault_must(storing_bytes(c->storing, CHUNKTYPE_DIRECTORY, buf_span(entries), &ref, &why),
		&why, "a folder");
	return ref;
}

struct hash craft_list(struct craft *c, const struct streamref_item *items, size_t count) {
	struct buf bytes;
	struct hash id;
	struct why why = { OK, "" };
	buf_init(&bytes, LIMIT_CHUNK);
	for (size_t i = 0; i < count; i++) {
		uint8_t *at;
		testvault_must(buf_extend(&bytes, SIZE_STREAM_ITEM, &at), NULL, "a list");
		streamref_item_encode(&items[i], at);
	}
	testvault_must(
		storing_chunk(c->storing, CHUNKTYPE_LIST, buf_span(&bytes), &id, &why), &why, "a list");
	buf_free(&bytes);
	return id;
}

static struct direntry entry_of(uint8_t type, const char *name, uint16_t mode) {
	return (struct direntry){
		.type = type,
		.name = span_text(name),
		.mode = mode,
		.uid = geteuid(),
		.gid = getegid(),
		.mtime = { .seconds = 1000000000, .nanos = 5 },
	};
}

struct direntry craft_file(const char *name, const struct streamref *content) {
	struct direntry d = entry_of(DIRENTRY_FILE, name, 0644);
	d.stream = *content;
	return d;
}

struct direntry craft_directory(const char *name, const struct streamref *folder) {
	struct direntry d = entry_of(DIRENTRY_DIRECTORY, name, 0755);
	d.stream = *folder;
	return d;
}

struct direntry craft_link(const char *name, const char *target) {
	struct direntry d = entry_of(DIRENTRY_SYMLINK, name, 0777);
	d.target = span_text(target);
	return d;
}

void craft_group(struct direntry *d, uint8_t group) {
	d->flags |= DIRENTRY_HAS_LINK_GROUP;
	memset(d->link_group, group, sizeof d->link_group);
}

void craft_add(struct buf *entries, const struct direntry *d) {
	testvault_must(direntry_encode(d, entries), NULL, "an entry");
}

void craft_add_named(struct buf *entries, const struct direntry *d, struct span name) {
	char plain[LIMIT_NAME + 1];
	struct direntry copy = *d;
	size_t start = entries->len;
	memset(plain, 'x', sizeof plain);
	copy.name = span_of(plain, name.len ? name.len : 1);
	craft_add(entries, &copy);
	/* length of the entry (one or two bytes), type, length of the name */
	uint8_t *at = entries->ptr + start;
	size_t skip = at[0] & 0x80 ? 2 : 1;
	memcpy(at + skip + 2, name.ptr, name.len);
	if (name.len) return;
	/* an empty name: the one byte goes, and both lengths are less by one */
	memmove(at + skip + 2, at + skip + 3, entries->len - start - skip - 3);
	at[skip + 1]--;
	at[0]--;
	entries->len--;
}

void craft_drop(struct craft *c) {
	storing_free(c->storing);
	packrun_free(c->run);
	c->storing = NULL;
	c->run = NULL;
}

struct decision {
	struct hash snapshot;
	struct buf locations;
};

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct decision *d = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = d->snapshot,
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
		.added = { .rows = buf_span(&d->locations) },
	};
	return OK;
}

struct hash craft_end(
	struct craft *c, const struct streamref *root, uint64_t entries, uint64_t bytes) {
	struct why why = { OK, "" };
	struct buf encoded;
	struct decision d;
	buf_init(&encoded, LIMIT_SNAPSHOT);
	buf_init(&d.locations, 1 << 20);
	struct snapshot s = {
		.host = span_text("host"),
		.user = span_text("user"),
		.program = span_text("test"),
		.branch = span_text("branch"),
		.root = *root,
		.files = entries,
		.bytes = bytes,
	};
	testvault_must(snapshot_encode(&s, &encoded), NULL, "a snapshot");
	testvault_must(
		storing_chunk(c->storing, CHUNKTYPE_SNAPSHOT, buf_span(&encoded), &d.snapshot, &why), &why,
		"a snapshot");
	testvault_must(storing_flush(c->storing, &why), &why, "storing");
	testvault_must(packrun_index(c->run, NULL, &d.locations, &why), &why, "an index");
	testvault_must(vault_append(&c->t->vault, decide, &d, &why), &why, "appending");
	buf_free(&encoded);
	buf_free(&d.locations);
	craft_drop(c);
	return d.snapshot;
}
