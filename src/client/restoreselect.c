#include "client/restoreselect.h"

#include <string.h>

#include "base/mem.h"

static const size_t path_max = (size_t)64 << 20;

/* One slash in front of each component, none at the end. */
static enum err add_path(struct buf *out, const char *text, struct why *why) {
	enum err e = OK;
	while (*text && !e) {
		size_t n = strcspn(text, "/");
		struct span part = span_of(text, n);
		text += n;
		text += strspn(text, "/");
		if (n == 0) continue;
		if (span_equal(part, span_text(".")) || span_equal(part, span_text("..")))
			return why_set(why, E_USAGE, "a path of a snapshot has no \".\" or \"..\" in it");
		e = buf_add(out, span_text("/"));
		if (!e) e = buf_add(out, part);
	}
	return why_err(why, e, "reading a path");
}

enum err restoreselect_init(
	struct restoreselect *s, const struct restore_options *o, struct why *why) {
	memset(s, 0, sizeof *s);
	s->options = o;
	s->all = o->path_count == 0 && !o->include && !o->exclude;
	if (o->path_count == 0) return OK;
	s->paths = mem_array(o->path_count, sizeof *s->paths);
	if (!s->paths) return why_err(why, E_NOMEM, "reading a path");
	enum err e = OK;
	for (size_t i = 0; i < o->path_count && !e; i++) {
		buf_init(&s->paths[s->count].text, path_max);
		e = add_path(&s->paths[s->count++].text, o->paths[i], why);
	}
	if (e) restoreselect_done(s);
	return e;
}

void restoreselect_done(struct restoreselect *s) {
	for (size_t i = 0; i < s->count; i++) buf_free(&s->paths[i].text);
	mem_free(s->paths);
	s->paths = NULL;
	s->count = 0;
}

/* Whether ${path} is ${above} or below it. */
static bool is_below(struct span path, struct span above) {
	return path.len >= above.len && (path.len == above.len || path.ptr[above.len] == '/') &&
		span_equal(span_of(path.ptr, above.len), above);
}

static struct restoreselect_verdict look_paths(struct restoreselect *s, struct span path) {
	struct restoreselect_verdict v = { .take = s->count == 0, .go = s->count == 0 };
	for (size_t i = 0; i < s->count; i++) {
		struct restoreselect_path *p = &s->paths[i];
		struct span text = buf_span(&p->text);
		if (is_below(path, text)) {
			p->found = true;
			v.take = v.go = true;
		} else if (is_below(text, path)) {
			v.go = true;
		}
	}
	return v;
}

struct restoreselect_verdict restoreselect_look(struct restoreselect *s, struct span path) {
	struct restoreselect_verdict v = look_paths(s, path);
	if (v.go && s->options->include) {
		struct pattern_verdict in = pattern_set_match(s->options->include, path);
		v.take = v.take && in.matched;
		v.go = in.matched || in.children;
	}
	if (v.go && s->options->exclude) {
		struct pattern_verdict out = pattern_set_match(s->options->exclude, path);
		if (out.matched) v.take = v.go = false;
	}
	return v;
}

size_t restoreselect_missing(const struct restoreselect *s) {
	size_t n = 0;
	for (size_t i = 0; i < s->count; i++) {
		bool missing = !s->paths[i].found && s->paths[i].text.len > 0;
		if (s->options->paths_missing) s->options->paths_missing[i] = missing;
		n += missing;
	}
	return n;
}
