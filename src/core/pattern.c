#include "core/pattern.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/glob.h"

/* A component of a pattern. */
struct part {
	struct span text;
	bool any;    /* `**` */
	bool simple; /* no special character: compare */
};

struct pattern {
	uint8_t *bytes; /* what the parts point into */
	struct part *parts;
	size_t n;
	bool rooted;
	bool negated;
};

struct pattern_set {
	struct pattern *list;
	size_t n;
	size_t room;
	bool negated; /* one of them is */
};

enum err pattern_set_new(struct pattern_set **out) {
	struct pattern_set *set = mem_zalloc(sizeof(*set));

	if (!set) return E_NOMEM;
	*out = set;
	return OK;
}

static void pattern_done(struct pattern *p) {
	mem_free(p->bytes);
	mem_free(p->parts);
}

void pattern_set_free(struct pattern_set *set) {
	if (!set) return;
	for (size_t i = 0; i < set->n; i++) pattern_done(&set->list[i]);
	mem_free(set->list);
	mem_free(set);
}

/* Cuts the first component off ${*rest}, with the slashes before it; false where there is none. */
static bool next_component(struct span *rest, struct span *out) {
	const uint8_t *slash;

	while (rest->len > 0 && rest->ptr[0] == '/') *rest = span_skip(*rest, 1);
	if (rest->len == 0) return false;
	slash = memchr(rest->ptr, '/', rest->len);
	*out = span_of(rest->ptr, slash ? (size_t)(slash - rest->ptr) : rest->len);
	*rest = span_skip(*rest, out->len);
	return true;
}

static bool is_text(struct span s, const char *text) {
	return span_equal(s, span_text(text));
}

/* Appends ${c}, with `.` and `..` resolved where that needs no file system, as restic's do. */
static enum err add_part(struct pattern *p, struct span c) {
	bool after_up = p->n > 0 && is_text(p->parts[p->n - 1].text, "..");

	if (is_text(c, ".")) return OK;
	if (is_text(c, "..") && p->n > 0 && !after_up) {
		p->n--;
		return OK;
	}
	if (is_text(c, "..") && p->rooted) return OK;
	if (!glob_valid(c)) return E_FORMAT;
	p->parts[p->n++] = (struct part){
		.text = c,
		.any = is_text(c, "**"),
		.simple = glob_is_literal(c),
	};
	return OK;
}

static enum err pattern_init(struct pattern *p, struct span text) {
	struct span rest, c;
	size_t most = 1;
	enum err e = E_NOMEM;

	*p = (struct pattern){ .negated = text.ptr[0] == '!' };
	text = span_skip(text, p->negated);
	if (text.len == 0 || memchr(text.ptr, '\0', text.len)) return E_FORMAT;
	for (rest = text; next_component(&rest, &c);) most++;
	if (most > PATTERN_PARTS_MAX) return E_LIMIT;
	p->rooted = text.ptr[0] == '/';
	p->bytes = mem_alloc(text.len);
	p->parts = mem_array(most, sizeof(*p->parts));
	if (!p->bytes || !p->parts) goto out;
	memcpy(p->bytes, text.ptr, text.len);
	e = OK;
	for (rest = span_of(p->bytes, text.len); e == OK && next_component(&rest, &c);)
		e = add_part(p, c);
	if (e == OK && p->n == 0 && !p->rooted) e = E_FORMAT; /* "." or "a/..": would match nothing */
out:
	if (e != OK) pattern_done(p);
	return e;
}

enum err pattern_set_add(struct pattern_set *set, struct span pattern) {
	struct pattern p;
	enum err e;

	if (pattern.len == 0) return OK;
	if (pattern.len > PATTERN_MAX || set->n == PATTERN_SET_MAX) return E_LIMIT;
	if (set->n == set->room) {
		size_t room = set->room ? 2 * set->room : 8;
		struct pattern *list = mem_resize(set->list, room, sizeof(*list));

		if (!list) return E_NOMEM;
		set->list = list;
		set->room = room;
	}
	e = pattern_init(&p, pattern);
	if (e != OK) return e;
	set->list[set->n++] = p;
	set->negated |= p.negated;
	return OK;
}

static bool is_blank(uint8_t c) {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span trim(struct span s) {
	while (s.len > 0 && is_blank(s.ptr[0])) s = span_skip(s, 1);
	while (s.len > 0 && is_blank(s.ptr[s.len - 1])) s.len--;
	return s;
}

static bool is_name_byte(uint8_t c) {
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The length of the variable's name after a dollar at ${s}, with its braces, or 0; the name alone to ${*name}. */
static size_t variable_name(struct span s, struct span *name) {
	size_t n = 0;

	if (s.len > 0 && s.ptr[0] == '{') {
		const uint8_t *end = memchr(s.ptr, '}', s.len);

		if (!end || end == s.ptr + 1) return 0;
		*name = span_of(s.ptr + 1, (size_t)(end - s.ptr) - 1);
		return name->len + 2;
	}
	while (n < s.len && is_name_byte(s.ptr[n])) n++;
	*name = span_of(s.ptr, n);
	return n;
}

static enum err expand(
	struct buf *out, struct span line, pattern_variable_fn *variable, void *context) {
	enum err e = OK;

	buf_clear(out);
	while (e == OK && line.len > 0) {
		const uint8_t *dollar = memchr(line.ptr, '$', line.len);
		size_t plain = dollar ? (size_t)(dollar - line.ptr) : line.len;
		struct span name;
		const char *value;
		size_t n;

		e = buf_add(out, span_of(line.ptr, plain));
		line = span_skip(line, plain);
		if (e != OK || line.len == 0) break;
		line = span_skip(line, 1);
		if (line.len > 0 && line.ptr[0] == '$') {
			e = buf_add(out, span_of(line.ptr, 1));
			line = span_skip(line, 1);
			continue;
		}
		n = variable_name(line, &name);
		if (n == 0) { /* a dollar that names nothing stands for itself */
			e = buf_add(out, span_text("$"));
			continue;
		}
		value = variable ? variable(context, name) : NULL;
		if (value) e = buf_add(out, span_text(value));
		line = span_skip(line, n);
	}
	return e;
}

enum err pattern_set_add_lines(struct pattern_set *set, struct span text,
	pattern_variable_fn *variable, void *context, size_t *line_out) {
	struct buf one;
	enum err e = text.len > PATTERN_FILE_MAX ? E_LIMIT : OK;
	size_t line = 0;

	buf_init(&one, PATTERN_MAX);
	while (e == OK && text.len > 0) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) : text.len;
		struct span s = trim(span_of(text.ptr, n));

		line++;
		text = span_skip(text, n + (end ? 1 : 0));
		if (s.len == 0 || s.ptr[0] == '#') continue;
		e = expand(&one, s, variable, context);
		if (e == OK) e = pattern_set_add(set, buf_span(&one));
	}
	buf_free(&one);
	*line_out = line;
	return e;
}

bool pattern_set_is_empty(const struct pattern_set *set) {
	return set->n == 0;
}

static bool part_matches(const struct part *part, struct span c) {
	return part->simple ? span_equal(part->text, c) : glob_match(part->text, c);
}

/* How a run of parts without `**` lies at the head of a path. */
enum fit {
	FIT_NO,
	FIT_YES,
	FIT_SHORT, /* the path ends before the parts do, and all its components match */
};

static enum fit run_fits(const struct part *parts, size_t n, struct span *rest) {
	for (size_t i = 0; i < n; i++) {
		struct span c;

		if (!next_component(rest, &c)) return FIT_SHORT;
		if (!part_matches(&parts[i], c)) return FIT_NO;
	}
	return FIT_YES;
}

/* Moves ${*rest} behind the first place where the run fits. */
static bool run_found(const struct part *parts, size_t n, struct span *rest) {
	struct span skipped;

	for (;;) {
		struct span try = *rest;

		switch (run_fits(parts, n, &try)) {
		case FIT_YES: *rest = try; return true;
		case FIT_SHORT: return false; /* what is left is shorter still */
		case FIT_NO: break;
		}
		if (!next_component(rest, &skipped)) return false;
	}
}

static size_t run_length(const struct part *parts, size_t n) {
	size_t i = 0;

	while (i < n && !parts[i].any) i++;
	return i;
}

/*
 * A path matches if a head of it does, so taking for every run between two `**` the first place where it fits is
 * enough: a later place leaves less for the runs behind.
 */
static bool pattern_matches(const struct pattern *p, struct span path) {
	struct span rest = path;
	struct span c;
	size_t i = run_length(p->parts, p->n);

	if (p->rooted && (path.len == 0 || path.ptr[0] != '/')) return false;
	if (!p->rooted && !next_component(&(struct span){ path.ptr, path.len }, &c))
		return false; /* nothing but the root */
	if (p->rooted && run_fits(p->parts, i, &rest) != FIT_YES) return false;
	if (!p->rooted && !run_found(p->parts, i, &rest)) return false;
	while (i < p->n) {
		size_t n = run_length(p->parts + i + 1, p->n - i - 1);

		if (!run_found(p->parts + i + 1, n, &rest)) return false;
		i += 1 + n;
	}
	return true;
}

static size_t component_count(struct span path) {
	struct span c;
	size_t n = 0;

	while (next_component(&path, &c)) n++;
	return n;
}

/* Whether the run fits at the very end of a path. */
static bool run_ends(const struct part *parts, size_t n, struct span rest) {
	struct span skipped;
	size_t count = component_count(rest);

	if (count < n) return false;
	while (count-- > n) (void)next_component(&rest, &skipped);
	return run_fits(parts, n, &rest) == FIT_YES;
}

/*
 * The same up to the path's last component: the last run has to fit at the end. What comes before the first `**` may
 * be anywhere in front of it (from the root on, if rooted), and the first place leaves most for the runs behind.
 */
static bool pattern_chooses(const struct pattern *p, struct span path) {
	struct span rest = path;
	size_t i = run_length(p->parts, p->n);

	if (component_count(path) == 0 || (p->rooted && path.ptr[0] != '/')) return false;
	if (p->rooted) {
		if (run_fits(p->parts, i, &rest) != FIT_YES) return false;
		if (i == p->n) return component_count(rest) == 0;
	} else {
		if (i == p->n) return run_ends(p->parts, i, rest);
		if (!run_found(p->parts, i, &rest)) return false;
	}
	for (;;) {
		const struct part *run = p->parts + i + 1;
		size_t n = run_length(run, p->n - i - 1);

		if (i + 1 + n == p->n) return run_ends(run, n, rest);
		if (!run_found(run, n, &rest)) return false;
		i += 1 + n;
	}
}

bool pattern_set_chooses(const struct pattern_set *set, struct span path) {
	bool chosen = false;

	for (size_t i = 0; i < set->n; i++) {
		const struct pattern *p = &set->list[i];

		if (p->negated) chosen = chosen && !pattern_matches(p, path);
		else chosen = chosen || pattern_chooses(p, path);
	}
	return chosen;
}

/* Whether something below ${path} may match. */
static bool pattern_may_match_below(const struct pattern *p, struct span path) {
	struct span rest = path;

	if (!p->rooted) return true;
	if (path.len == 0 || path.ptr[0] != '/') return false;
	return run_fits(p->parts, run_length(p->parts, p->n), &rest) != FIT_NO;
}

struct pattern_verdict pattern_set_match(const struct pattern_set *set, struct span path) {
	struct pattern_verdict v = { false, false };

	for (size_t i = 0; i < set->n; i++) {
		const struct pattern *p = &set->list[i];
		bool m = pattern_matches(p, path);

		if (p->negated) {
			v.matched = v.matched && !m;
			v.children = v.children && !m;
			continue;
		}
		v.matched = v.matched || m;
		v.children = v.children || pattern_may_match_below(p, path);
		if (v.matched && v.children && !set->negated) break;
	}
	return v;
}
