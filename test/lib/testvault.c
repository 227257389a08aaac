#include "testvault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/streamread.h"
#include "client/treelist.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"

const struct chunker_params testvault_chunks = { .min = 256, .max = 4096, .mask_bits = 9 };

void testvault_must(enum err e, const struct why *why, const char *what) {
	if (!e) return;
	(void)fprintf(stderr, "%s: %s (%s)\n", what, why ? why->msg : "", err_text(e));
	abort();
}

void testvault_home(const char *home) {
	if (mkdir(home, 0700) != 0 || setenv("BROCH_HOME", home, 1) != 0) {
		perror(home);
		abort();
	}
}

static void make_keys(struct session *s, struct kit_secret *kit, struct why *why) {
	struct keystore *k = &s->secrets->keys;
	struct account_new n = {
		.store = s->store,
		.fresh = &s->secrets->fresh,
		.keys = &k->keys,
		.kit = kit,
		.device_name = span_text("test"),
		.folder = &s->folder, /* which locator object leads here */
	};
	testvault_must(kitkeys_generate(kit, n.fresh), why, "making a kit");
	testvault_must(devicekeys_generate(&k->keys, n.fresh), why, "making keys");
	fresh_set_device(n.fresh, &k->keys.secret);
	account_actor_device(&s->secrets->actor, &k->keys);
	k->name_len = 0;
	testvault_must(account_create(&n, &k->account, why), why, "making the account");
	k->device = s->secrets->actor.id;
	k->anchor_sequence = 0;
	k->anchor_head = k->account;
	testvault_must(session_keep_keys(s, NULL, why), why, "keeping the keys");
}

static enum err open_account(struct session *s, struct why *why) {
	struct account_open open = {
		.store = s->store,
		.folder = &s->folder,
		.fresh = &s->secrets->fresh,
		.actor = &s->secrets->actor,
		.id = s->secrets->keys.account,
		.anchor = { .seq = s->secrets->keys.anchor_sequence, .hash = s->secrets->keys.anchor_head },
		.has_anchor = true,
	};
	enum err e = account_open(&s->account, &open, why);
	s->account_is_open = e == OK;
	return e;
}

/* The session does not own the store. */
static void close_session(struct session *s) {
	s->store = NULL;
	session_close(s);
}

void testvault_make(struct store *store, uint64_t hold, struct kit_secret *kit) {
	struct session s;
	struct why why = { OK, "" };
	struct vault_new n = { .name = "main", .hold = hold, .chunks = testvault_chunks };
	testvault_must(session_begin(&s, &why), &why, "beginning");
	s.store = store;
	make_keys(&s, kit, &why);
	testvault_must(open_account(&s, &why), &why, "opening the account");
	testvault_must(vault_create(&s, &n, &why), &why, "making the vault");
	close_session(&s);
}

static enum err open_session(struct session *s, struct store *store, struct why *why) {
	struct buf bytes;
	enum err e = session_begin(s, why);
	if (e) return e;
	s->store = store;
	buf_init(&bytes, 1 << 16);
	e = statefolder_get_keys(&s->folder, &bytes, why);
	if (!e)
		e = why_err(why, keystorecrypt_open(&s->secrets->keys, buf_span(&bytes), NULL),
			"opening the key store");
	buf_free(&bytes);
	if (!e) {
		account_actor_device(&s->secrets->actor, &s->secrets->keys.keys);
		fresh_set_device(&s->secrets->fresh, &s->secrets->keys.keys.secret);
		e = open_account(s, why);
	}
	if (e) close_session(s);
	return e;
}

enum err testvault_open(
	struct testvault *t, struct store *store, const char *name, struct why *why) {
	memset(t, 0, sizeof *t);
	enum err e = open_session(&t->session, store, why);
	t->has_session = e == OK;
	if (!e) e = vault_open(&t->vault, &t->session, name, why);
	t->has_vault = e == OK;
	if (e) testvault_close(t);
	return e;
}

void testvault_must_open(struct testvault *t, struct store *store) {
	struct why why = { OK, "" };
	testvault_must(testvault_open(t, store, "main", &why), &why, "opening");
}

void testvault_close(struct testvault *t) {
	if (t->has_vault) vault_close(&t->vault);
	if (t->has_session) close_session(&t->session);
	t->has_vault = t->has_session = false;
}

enum err testvault_backup(struct testvault *t, const char *folder, const char *tag,
	struct hash *snapshot, struct why *why) {
	struct backup_result result;
	struct backup_options o = {
		.paths = &folder,
		.path_count = 1,
		.stdin_fd = -1,
		.tags = &tag,
		.tag_count = tag ? 1 : 0,
		.host = "host",
		.compression = SQUEEZE_FAST,
		.threads = 1,
		.pack_limit = TESTVAULT_PACK,
	};
	enum err e = backup_run(&t->vault, &o, &result, why);
	if (!e && (result.unreadable || result.incomplete || result.changed))
		e = why_set(why, E_IO, "the backup is not complete");
	if (!e) *snapshot = result.snapshot;
	return e;
}

enum err testvault_prune(struct testvault *t, struct prune_result *out, struct why *why) {
	struct prune_options o = { .max_unused = 0, .pack_limit = TESTVAULT_PACK };
	return prune_run(&t->vault, &o, out, why);
}

static enum err decide_forget(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct hash *id = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){ .type = VAULTBODY_FORGET, .forget = { .rows = hash_span(id) } };
	return OK;
}

enum err testvault_forget(struct testvault *t, const struct hash *snapshot, struct why *why) {
	struct hash id = *snapshot;
	return vault_append(&t->vault, decide_forget, &id, why);
}

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND || e == E_UNSUPPORTED;
}

static void note_error(struct testvault_seen *s, enum err e, const struct why *why) {
	if (!s->errors++) {
		s->why = *why;
		s->first = e;
	}
}

/* The chunks of a stream, appended to ${out}. */
static enum err read_content(
	struct fetch *f, const struct streamref *ref, struct buf *out, struct why *why) {
	struct streamread r;
	struct streamref_item item;
	bool more = true;
	enum err e = streamread_open(&r, f, CHUNKTYPE_CONTENT, ref, why);
	while (!e) {
		struct fetch_chunk chunk = { .block = NULL };
		e = streamread_next(&r, &item, &more, why);
		if (e || !more) break;
		e = fetch_chunk(f, CHUNKTYPE_CONTENT, &item.id, &chunk, why);
		if (!e && chunk.bytes.len != item.length)
			e = why_set(why, E_FORGED, "a chunk has another length than its list says");
		if (!e) e = why_err(why, buf_add(out, chunk.bytes), "reading");
		fetch_release(f, &chunk);
	}
	streamread_close(&r);
	return e;
}

static enum err see_entry(
	struct fetch *f, struct testvault_seen *s, const struct treelist_item *item) {
	struct buf all;
	struct why why = { OK, "" };
	const struct direntry *d = &item->entry;
	struct direntry plain = *d;
	buf_init(&all, (size_t)1 << 28);
	/* a directory's reference is seen in what is below it */
	if (d->type == DIRENTRY_DIRECTORY) plain.stream = (struct streamref){ .length = 0 };
	enum err e = direntry_encode(&plain, &all);
	if (!e && d->type == DIRENTRY_FILE) e = read_content(f, &d->stream, &all, &why);
	if (is_damage(e)) {
		note_error(s, e, &why);
		e = OK;
	} else if (!e) {
		if (s->count == s->room) {
			s->room = s->room ? s->room * 2 : 64;
			s->items = realloc(s->items, s->room * sizeof *s->items);
			if (!s->items) abort();
		}
		hash_of(&s->items[s->count].path, item->path);
		hash_of(&s->items[s->count++].what, buf_span(&all));
	}
	buf_free(&all);
	return e;
}

static enum err see_tree(
	struct fetch *f, const struct streamref *root, struct testvault_seen *s, struct why *why) {
	struct treelist *list = NULL;
	struct treelist_params p = { .fetch = f, .root = root, .prefix = span_text("") };
	struct treelist_item item;
	bool more = true;
	enum err e = treelist_new(&list, &p, why);
	while (!e) {
		struct why reason = { OK, "" };
		e = treelist_next(list, &item, &more, &reason);
		if (is_damage(e)) {
			note_error(s, e, &reason);
			e = OK;
			if (s->errors > 100000) abort();
			continue;
		}
		if (e || !more) break;
		e = see_entry(f, s, &item);
	}
	treelist_free(list);
	return e;
}

enum err testvault_see(
	struct fetch *f, const struct hash *snapshot, struct testvault_seen *out, struct why *why) {
	struct snapshot s;
	struct buf bytes;
	memset(out, 0, sizeof *out);
	buf_init(&bytes, LIMIT_SNAPSHOT);
	enum err e = treewalk_snapshot(f, snapshot, &s, &bytes, why);
	if (!e) e = see_tree(f, &s.root, out, why);
	buf_free(&bytes);
	if (e) testvault_seen_done(out);
	return e;
}

void testvault_seen_done(struct testvault_seen *s) {
	free(s->items);
	s->items = NULL;
	s->count = s->room = 0;
}

bool testvault_within(const struct testvault_seen *part, const struct testvault_seen *whole) {
	size_t at = 0;
	/* both are in the order of the tree */
	for (size_t i = 0; i < part->count; i++) {
		while (at < whole->count && !hash_equal(&whole->items[at].path, &part->items[i].path)) at++;
		if (at == whole->count || !hash_equal(&whole->items[at].what, &part->items[i].what))
			return false;
		at++;
	}
	return true;
}
