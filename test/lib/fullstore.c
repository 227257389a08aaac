#include "fullstore.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client/intents.h"
#include "crypto/crypto.h"
#include "storesuite.h"

enum { NAMES_LISTED = 1025, NAMES_FEW = 3 };

static void must(int failed, const char *what) {
	if (!failed) return;
	perror(what);
	abort();
}

static void fill_text(uint8_t *out, size_t len, uint64_t seed) {
	static const char *const words[] = { "tower ", "stone ", "door ", "wall ", "stair ", "hearth ",
		"roof ", "well\n" };
	uint8_t *random = malloc(len);
	if (!random) abort();
	storesuite_bytes(random, len, seed);
	for (size_t at = 0, i = 0; at < len; i++)
		for (const char *w = words[random[i] & 7]; *w && at < len; w++) out[at++] = (uint8_t)*w;
	free(random);
}

void fullstore_file(
	const struct fullstore *f, const char *name, size_t len, uint64_t seed, bool text) {
	char path[SCRATCH_MAX];
	uint8_t *bytes = malloc(len + 1);
	if (!bytes) abort();
	if (text) fill_text(bytes, len, seed);
	else storesuite_bytes(bytes, len, seed);
	scratch_write(scratch_join(path, f->tree, name), bytes, len);
	free(bytes);
}

static void make_tree(const struct fullstore *f, size_t data) {
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	must(mkdir(f->tree, 0755), "tree");
	must(mkdir(scratch_join(path, f->tree, "small"), 0750), "small");
	for (int i = 0; i < 6; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "small/%d", i);
		fullstore_file(f, name, (size_t)(i * i * 37 + 1), (uint64_t)i + 10, i & 1);
	}
	fullstore_file(f, "data", data, 1, false);
	fullstore_file(f, "text", 20000, 2, true);
	fullstore_file(f, "empty", 0, 3, false);
	must(link(scratch_join(path, f->tree, "data"), scratch_join(other, f->tree, "linked")), "link");
	must(symlink("text", scratch_join(path, f->tree, "symlink")), "symlink");
	must(mkfifo(scratch_join(path, f->tree, "fifo"), 0600), "fifo");
	/* where the file system has no user attributes, there are none */
	(void)setxattr(scratch_join(path, f->tree, "text"), "user.note", "value", 5, 0);
	int fd = open(scratch_join(path, f->tree, "sparse"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd < 0 || pwrite(fd, "end", 3, 300000) != 3 || close(fd) != 0, "sparse");
}

static void keep_state(struct fullstore *f) {
	if (f->state_count == FULLSTORE_STATES) abort();
	f->states[f->state_count++] = rawstore_copy(f->store);
}

static enum err given(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	(void)v;
	(void)why;
	*out = *(const struct vault_entry *)ctx;
	return OK;
}

static void append(
	struct fullstore *f, struct testvault *t, struct vault_entry *entry, const char *what) {
	struct why why = { OK, "" };
	testvault_must(vault_append(&t->vault, given, entry, &why), &why, what);
	keep_state(f);
}

static void backup(struct fullstore *f, struct testvault *t, const char *tag, struct hash *id) {
	struct why why = { OK, "" };
	testvault_must(testvault_backup(t, f->tree, tag, id, &why), &why, "backup");
	keep_state(f);
}

/* An intent on packs that are not there: in the entry, or in a list object. */
static uint64_t intend(struct fullstore *f, struct testvault *t, size_t count) {
	struct buf names;
	struct why why = { OK, "" };
	struct vault_entry entry = {
		.body = { .type = VAULTBODY_INTENT },
		.public_part = { .kind = ENTRYPUBLIC_INTENT },
	};
	buf_init(&names, NAMES_LISTED * HASH_SIZE);
	for (size_t i = 0; i < count; i++) {
		struct hash name = storesuite_id(1000 + i);
		if (buf_add(&names, hash_span(&name))) abort();
	}
	intents_sort(&names);
	testvault_must(
		intents_make(&t->vault, buf_span(&names), &entry.public_part.packs, &why), &why, "intent");
	append(f, t, &entry, "intent");
	buf_free(&names);
	return t->vault.state.count - 1;
}

void fullstore_replace_kit(struct testvault *t, struct kit_secret *kit) {
	struct why why = { OK, "" };
	struct kit_keys old, keys;
	struct device_public pub;
	struct account *a = &t->session.account;
	kitkeys_derive(&old, kit);
	testvault_must(kitkeys_generate(kit, &t->session.secrets->fresh), &why, "kit");
	kitkeys_derive(&keys, kit);
	kitkeys_public(&pub, &keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(&pub, DEVICERECORD_KIT, span_text("recovery kit"), 0),
	};
	testvault_must(account_append(a, &body, &why), &why, "recovery");
	testvault_must(account_rotate(a, &why), &why, "rotate");
	testvault_must(account_put_locator(a, kit, &why), &why, "locator");
	testvault_must(store_locator_delete(t->session.store, &old.locator, &why), &why, "old locator");
}

static void change_tree(const struct fullstore *f, unsigned n) {
	char path[SCRATCH_MAX], name[32];
	int fd = open(scratch_join(path, f->tree, "data"), O_WRONLY | O_CLOEXEC);
	must(fd < 0 || pwrite(fd, "changed", 7, 9000 * n) != 7 || close(fd) != 0, "data");
	(void)snprintf(name, sizeof name, "new%u", n);
	fullstore_file(f, name, 3000 * n, 100 + n, n & 1);
}

/* What neither a backup nor a prune writes. */
static void append_others(struct fullstore *f, struct testvault *t) {
	struct vault_entry entry = {
		.body = { .type = VAULTBODY_POLICY, .hold = 604800, .trust = VAULTBODY_TRUST_OWN }
	};
	append(f, t, &entry, "policy");
	entry.body = (struct vaultbody){ .type = VAULTBODY_KEEP, .keep_intent = true };
	entry.body.intent = intend(f, t, NAMES_FEW);
	append(f, t, &entry, "keep an intent");
	(void)intend(f, t, NAMES_LISTED);
	entry.body = (struct vaultbody){ .type = VAULTBODY_ACCOUNT };
	append(f, t, &entry, "account");
	entry = (struct vault_entry){
		.body = { .type = VAULTBODY_HOME },
		.public_part = { .kind = ENTRYPUBLIC_HOME, .store = *store_id(f->store) },
	};
	append(f, t, &entry, "home");
}

static void fill_small(struct fullstore *f, struct testvault *t) {
	struct why why = { OK, "" };
	struct vault_entry entry = { .body = { .type = VAULTBODY_TAG } };
	keep_state(f);
	backup(f, t, "one", &f->snapshots[0]);
	f->snapshot_count = 1;
	entry.body.snapshot = f->snapshots[0];
	append(f, t, &entry, "tag");
	testvault_must(testvault_forget(t, &f->snapshots[0], &why), &why, "forget");
	keep_state(f);
	entry.body = (struct vaultbody){ .type = VAULTBODY_KEEP, .snapshot = f->snapshots[0] };
	append(f, t, &entry, "keep");
	append_others(f, t);
}

static void fill(struct fullstore *f, struct testvault *t) {
	struct why why = { OK, "" };
	struct prune_result pruned;
	struct hash first;
	struct vault_entry entry = { .body = { .type = VAULTBODY_TAG } };
	keep_state(f);
	backup(f, t, "one", &first);
	change_tree(f, 1);
	backup(f, t, "two", &f->snapshots[0]);
	entry.body.snapshot = f->snapshots[0];
	append(f, t, &entry, "tag");
	testvault_must(testvault_forget(t, &first, &why), &why, "forget");
	keep_state(f);
	testvault_must(testvault_prune(t, &pruned, &why), &why, "prune");
	if (!pruned.purged_packs) abort();
	keep_state(f);
	fullstore_replace_kit(t, &f->kit);
	keep_state(f);
	change_tree(f, 2);
	backup(f, t, "three", &f->snapshots[1]);
	testvault_must(testvault_forget(t, &f->snapshots[1], &why), &why, "forget");
	keep_state(f);
	entry.body = (struct vaultbody){ .type = VAULTBODY_KEEP, .snapshot = f->snapshots[1] };
	append(f, t, &entry, "keep");
	append_others(f, t);
	change_tree(f, 3);
	backup(f, t, "four", &f->snapshots[2]);
	f->snapshot_count = 3;
}

static void make(
	struct fullstore *f, size_t data, void (*fill_it)(struct fullstore *, struct testvault *)) {
	char home[SCRATCH_MAX];
	struct hash id = storesuite_id(77);
	struct testvault t;
	memset(f, 0, sizeof *f);
	must(crypto_start() != OK, "crypto");
	scratch_make(f->folder);
	testvault_home(scratch_join(home, f->folder, "home"));
	(void)scratch_join(f->tree, f->folder, "tree");
	make_tree(f, data);
	f->store = rawstore_new(&id);
	testvault_make(f->store, 0, &f->kit);
	testvault_must_open(&t, f->store);
	f->vault = t.vault.id;
	fill_it(f, &t);
	testvault_close(&t);
}

void fullstore_make(struct fullstore *f) {
	make(f, 70000, fill);
}

void fullstore_make_small(struct fullstore *f) {
	make(f, 6000, fill_small);
}

void fullstore_done(struct fullstore *f) {
	for (size_t i = 0; i < f->state_count; i++) rawstore_copy_free(f->states[i]);
	store_free(f->store);
	scratch_remove(f->folder);
}
