/* broch tag: adds, removes or replaces tags of snapshots, whose ids stay. */
#include <string.h>

#include "base/mem.h"
#include "cli/chosen.h"
#include "cli/cmd.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "format/limits.h"

/* Tags in order, each once. They point into the command line or into the vault's state. */
struct tags {
	struct span items[LIMIT_TAGS];
	size_t count;
};

/* What is asked for, and for whom. */
struct change {
	const struct invocation *inv;
	struct tags add, remove, set;
	bool replaces;
	struct hash id;
	struct bytelist_build list;
	bool is_done; /* nothing is left to change */
};

static enum err insert(struct tags *t, struct span tag, struct why *why) {
	size_t at = 0;

	if (tag.len > LIMIT_TEXT)
		return why_set(why, E_USAGE, "a tag has at most %d bytes", LIMIT_TEXT);
	while (at < t->count && span_order(t->items[at], tag) < 0) at++;
	if (at < t->count && span_equal(t->items[at], tag)) return OK;
	if (t->count == LIMIT_TAGS)
		return why_set(why, E_USAGE, "a snapshot has at most %d tags", LIMIT_TAGS);
	memmove(&t->items[at + 1], &t->items[at], (t->count - at) * sizeof(t->items[0]));
	t->items[at] = tag;
	t->count++;
	return OK;
}

static bool has(const struct tags *t, struct span tag) {
	for (size_t i = 0; i < t->count; i++)
		if (span_equal(t->items[i], tag)) return true;
	return false;
}

static enum err read_option(
	const struct invocation *inv, const char *name, struct tags *out, struct why *why) {
	const char *text;
	enum err e = OK;

	for (size_t i = 0; !e && (text = invocation_nth(inv, name, i)); i++) {
		while (!e && *text) {
			size_t n = strcspn(text, ",");

			if (n > 0) e = insert(out, span_of(text, n), why);
			text += n + (text[n] == ',');
		}
	}
	return e;
}

static enum err read_options(struct change *c, struct why *why) {
	const struct invocation *inv = c->inv;
	enum err e;

	c->replaces = invocation_has(inv, "set");
	if (!c->replaces && !invocation_has(inv, "add") && !invocation_has(inv, "remove"))
		return why_set(why, E_USAGE, "say what to change with --add, --remove or --set");
	if (c->replaces && (invocation_has(inv, "add") || invocation_has(inv, "remove")))
		return why_set(why, E_USAGE, "--set can't be given together with --add or --remove");
	e = read_option(inv, "add", &c->add, why);
	if (!e) e = read_option(inv, "remove", &c->remove, why);
	if (!e) e = read_option(inv, "set", &c->set, why);
	return e;
}

static enum err tags_after(
	const struct change *c, const struct vault_snapshot *s, struct tags *out, struct why *why) {
	struct span rest = s->stamp.tags.items, item;
	enum err e = OK;

	*out = c->replaces ? c->set : c->add;
	if (c->replaces) return OK;
	while (!e && bytelist_next(&rest, &item))
		if (!has(&c->remove, item)) e = insert(out, item, why);
	for (size_t i = 0; i < c->remove.count; i++) { /* added and removed at once: removed */
		size_t kept = 0;

		for (size_t k = 0; k < out->count; k++)
			if (!span_equal(out->items[k], c->remove.items[i])) out->items[kept++] = out->items[k];
		out->count = kept;
	}
	return e;
}

static enum err build(struct change *c, const struct tags *t) {
	enum err e = OK;

	bytelist_build_done(&c->list);
	bytelist_build_init(&c->list);
	for (size_t i = 0; i < t->count && !e; i++) e = bytelist_build_add(&c->list, t->items[i]);
	return e;
}

/* For vault_append: E_EXISTS where the tags are as they are to be. */
static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct change *c = ctx;
	const struct vault_snapshot *s = vaultstate_snapshot(&v->state, &c->id);
	struct bytelist list;
	struct tags tags;
	enum err e;

	if (!s) return why_set(why, E_NOTFOUND, "the snapshot is gone");
	e = tags_after(c, s, &tags, why);
	if (!e) e = why_err(why, build(c, &tags), "making a list of tags");
	if (e) return e;
	list = bytelist_build_list(&c->list);
	c->is_done = bytelist_equal(&list, &s->stamp.tags);
	if (c->is_done) return E_EXISTS;
	out->body = (struct vaultbody){ .type = VAULTBODY_TAG, .snapshot = c->id, .tags = list };
	return OK;
}

static void tell(const struct change *c, const struct vault *v, bool changed) {
	const struct vault_snapshot *s = vaultstate_snapshot(&v->state, &c->id);
	char id[SNAPSHOTROW_ID];
	struct buf text;

	if (!s) return;
	if (say_json(c->inv->say)) {
		struct jsonl *o = snapshotrow_json("tagged", s, NULL);

		jsonl_flag(o, "modified", changed);
		say_object(c->inv->say, o);
		return;
	}
	buf_init(&text, 1 << 20);
	err_ignore(snapshotrow_join(&text, &s->stamp.tags)); /* an incomplete line is no wrong tag */
	say_out(c->inv->say, "%s %s: ", snapshotrow_id(id, &c->id), changed ? "tagged" : "unchanged");
	say_line(c->inv->say, buf_span(&text));
	buf_free(&text);
}

static int run(struct change *c, struct opening *o) {
	struct chosen chosen;
	struct why why = { 0 };
	int code = chosen_read(&chosen, o, c->inv, false);

	if (!code && chosen.count == 0) say_note(c->inv->say, "there is no such snapshot");
	for (size_t i = 0; !code && i < chosen.count; i++) {
		enum err e;

		c->id = chosen.ids[i];
		c->is_done = false;
		e = vault_append(&o->vault, decide, c, &why);
		if (e && !c->is_done) code = opening_failed(c->inv, &why);
		else tell(c, &o->vault, e == OK);
	}
	chosen_done(&chosen);
	return code;
}

int cmd_tag(const struct invocation *inv) {
	struct change *c = mem_zalloc(sizeof(*c)); /* large for a stack */
	struct opening o = { .has_session = false };
	struct why why = { 0 };
	int code;

	if (!c) {
		say_error(inv->say, "out of memory");
		return EXITCODE_ERROR;
	}
	c->inv = inv;
	bytelist_build_init(&c->list);
	if (read_options(c, &why)) code = opening_failed(inv, &why);
	else code = opening_vault(&o, inv);
	if (!code) code = run(c, &o);
	bytelist_build_done(&c->list);
	opening_close(&o);
	mem_free(c);
	return code;
}
