#include "casefile.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_FIELDS = 400, CASE_ALLOCATIONS = 4096 };

struct field {
	const char *name;
	const char *value;
};

struct casefile_case {
	const char *path;
	unsigned line;
	const char *kind;
	struct field fields[CASE_FIELDS];
	unsigned count;
	void **owned; /* what bytes were handed out in; freed with the case */
	unsigned *owned_count;
};

static _Noreturn void die(const char *path, unsigned line, const char *what, const char *more) {
	fprintf(stderr, "%s:%u: %s %s\n", path, line, what, more);
	exit(2);
}

static _Noreturn void broken(const struct casefile_case *c, const char *what, const char *more) {
	die(c->path, c->line, what, more);
}

static void *must(void *p) {
	if (p) return p;
	fputs("out of memory\n", stderr);
	exit(2);
}

static char *own(const struct casefile_case *c, size_t n) {
	if (*c->owned_count == CASE_ALLOCATIONS) broken(c, "too many fields", "");
	return c->owned[(*c->owned_count)++] = must(sodium_malloc(n)); /* a guard page right behind */
}

static const char *find(const struct casefile_case *c, const char *name, unsigned nth) {
	for (unsigned i = 0; i < c->count; i++)
		if (strcmp(c->fields[i].name, name) == 0 && nth-- == 0) return c->fields[i].value;
	return NULL;
}

static const char *need(const struct casefile_case *c, const char *name) {
	const char *v = find(c, name, 0);
	if (!v) broken(c, "no field", name);
	return v;
}

static unsigned digit(const struct casefile_case *c, char x) {
	const char *digits = "0123456789abcdef", *at = x ? strchr(digits, x) : NULL;
	if (!at) broken(c, "no hexadecimal digits:", "");
	return (unsigned)(at - digits);
}

static struct span from_hex(const struct casefile_case *c, const char *v) {
	size_t n = strlen(v);
	if (n % 2) broken(c, "half a byte in", v);
	char *p = own(c, n / 2);
	for (size_t i = 0; i < n / 2; i++)
		p[i] = (char)(digit(c, v[2 * i]) << 4 | digit(c, v[2 * i + 1]));
	return span_of(p, n / 2);
}

struct span casefile_bytes(const struct casefile_case *c, const char *field) {
	return from_hex(c, need(c, field));
}

bool casefile_nth(const struct casefile_case *c, const char *field, unsigned i, struct span *out) {
	const char *v = find(c, field, i);
	if (v) *out = from_hex(c, v);
	return v != NULL;
}

struct span casefile_fixed(const struct casefile_case *c, const char *field, size_t n) {
	struct span s = casefile_bytes(c, field);
	if (s.len != n) broken(c, "wrong size of", field);
	return s;
}

void casefile_copy(void *out, const struct casefile_case *c, const char *field, size_t n) {
	struct span s = casefile_fixed(c, field, n);
	if (n) memcpy(out, s.ptr, n);
}

bool casefile_is(const struct casefile_case *c, const char *field, const void *bytes, size_t n) {
	return span_equal(casefile_bytes(c, field), span_of(bytes, n));
}

const char *casefile_text(const struct casefile_case *c, const char *field) {
	return need(c, field);
}

static uint64_t number(const struct casefile_case *c, const char *v) {
	char *end;
	errno = 0;
	uint64_t n = strtoull(v, &end, 10);
	if (*v < '0' || *v > '9' || *end || errno) broken(c, "no number:", v);
	return n;
}

uint64_t casefile_number(const struct casefile_case *c, const char *field) {
	return number(c, need(c, field));
}

/* --- bad variants */

static enum err result_of(const struct casefile_case *c, const char *name) {
	static const struct {
		const char *name;
		enum err e;
	} results[] = { { "forged", E_FORGED }, { "malformed", E_FORMAT }, { "denied", E_DENIED },
		{ "limit", E_LIMIT }, { "unsupported", E_UNSUPPORTED }, { "differs", E_COUNT } };
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		if (strcmp(results[i].name, name) == 0) return results[i].e;
	broken(c, "no such result:", name);
}

/* The next word of ${*at}, which is cut off; the last takes all that is left if ${rest}. */
static char *word(const struct casefile_case *c, char **at, bool rest) {
	char *w = *at;
	if (!w) broken(c, "a bad line ends too early", "");
	char *space = rest ? NULL : strchr(w, ' ');
	if (space) *space = 0;
	*at = space ? space + 1 : NULL;
	return w;
}

static const char *altered(
	const struct casefile_case *c, const char *value, const char *change, char *rest) {
	if (strcmp(change, "is") == 0) return rest ? rest : "";
	size_t n = strlen(value);
	char *at = rest;
	uint64_t k = number(c, word(c, &at, false));
	if (k > 100000) broken(c, "a change far out:", change);
	char *v = own(c, n + 2 * (size_t)k + 1);
	memcpy(v, value, n + 1);
	if (strcmp(change, "cut") == 0 && 2 * k <= n) {
		v[n - 2 * k] = 0;
	} else if (strcmp(change, "grow") == 0) {
		memset(v + n, '0', 2 * (size_t)k);
		v[n + 2 * k] = 0;
	} else if (strcmp(change, "flip") == 0 && 2 * k < n) {
		v[2 * k + 1] = "0123456789abcdef"[digit(c, v[2 * k + 1]) ^ 1];
	} else if (strcmp(change, "put") == 0 && at && 2 * k + strlen(at) <= n) {
		memcpy(v + 2 * k, at, strlen(at));
	} else {
		broken(c, "no such change:", change);
	}
	return v;
}

static enum err make_variant(
	struct casefile_case *out, const struct casefile_case *c, const char *bad) {
	char *at = own(c, strlen(bad) + 1);
	strcpy(at, bad);
	enum err result = result_of(c, word(c, &at, false));
	const char *field = word(c, &at, false), *change = word(c, &at, false);
	*out = *c;
	for (unsigned i = 0; i < out->count; i++) {
		if (strcmp(out->fields[i].name, field) != 0) continue;
		out->fields[i].value = altered(c, out->fields[i].value, change, at);
		return result;
	}
	broken(c, "a bad line for no field:", field);
}

/* --- running */

struct tally {
	unsigned passed;
	unsigned failed;
};

static void judge(const struct casefile_case *c, const char *variant, enum err want, enum err got,
	struct tally *t) {
	if (got == want) {
		t->passed++;
		return;
	}
	t->failed++;
	printf("%s:%u: %s%s%.60s: %s instead of %s\n", c->path, c->line, c->kind, *variant ? ": " : "",
		variant, got == E_COUNT ? "differs" : err_text(got),
		want == E_COUNT ? "a difference" : err_text(want));
}

static void run_kind(
	const struct casefile_case *c, const struct casefile_kind *kind, struct tally *t) {
	judge(c, "", OK, kind->run(c), t);
	if (kind->once) return;
	const char *bad;
	for (unsigned i = 0; (bad = find(c, "bad", i)); i++) {
		unsigned before = *c->owned_count;
		struct casefile_case *variant = must(malloc(sizeof *variant));
		enum err want = make_variant(variant, c, bad);
		judge(c, bad, want, kind->run(variant), t);
		free(variant);
		while (*c->owned_count > before) sodium_free(c->owned[--*c->owned_count]);
	}
}

static void run_case(
	const struct casefile_case *c, const struct casefile_kind *kinds, struct tally *t) {
	bool known = false;
	for (const struct casefile_kind *k = kinds; k->name; k++) {
		if (strcmp(k->name, c->kind) != 0) continue;
		known = true;
		run_kind(c, k, t);
	}
	if (!known) broken(c, "no such kind of case:", c->kind);
	while (*c->owned_count) sodium_free(c->owned[--*c->owned_count]);
}

static char *load(const char *path) {
	const char *root = getenv("BROCH_SOURCE_ROOT");
	char full[4096];
	snprintf(full, sizeof full, "%s/%s", root ? root : ".", path);
	FILE *f = fopen(full, "rb");
	if (!f) die(full, 0, "cannot be opened", "");
	if (fseek(f, 0, SEEK_END)) die(full, 0, "cannot be read", "");
	long n = ftell(f);
	if (n < 0) die(full, 0, "cannot be read", "");
	rewind(f);
	char *text = must(malloc((size_t)n + 1));
	if (fread(text, 1, (size_t)n, f) != (size_t)n) die(full, 0, "cannot be read", "");
	fclose(f);
	text[n] = 0;
	return text;
}

static void add_field(struct casefile_case *c, char *line) {
	char *sep = strstr(line, " =");
	if (!sep || c->count == CASE_FIELDS) broken(c, "no field:", line);
	*sep = 0;
	const char *value = sep + 2;
	if (*value == ' ') value++;
	c->fields[c->count++] = (struct field){ line, value };
}

unsigned casefile_run(const char *path, const struct casefile_kind *kinds, unsigned *passed) {
	static void *owned[CASE_ALLOCATIONS];
	unsigned owned_count = 0, number_of_line = 0;
	struct tally t = { 0, 0 };
	char *text = load(path), *next = text;
	struct casefile_case *c = must(calloc(1, sizeof *c));
	*c = (struct casefile_case){ .path = path, .owned = owned, .owned_count = &owned_count };
	while (next) {
		char *line = next, *end = strchr(line, '\n');
		if (end) *end = 0;
		next = end ? end + 1 : NULL;
		c->line = ++number_of_line;
		if (*line == '#') continue;
		if (strncmp(line, "case ", 5) == 0) {
			if (c->kind) broken(c, "a case inside a case", "");
			c->kind = line + 5;
		} else if (*line) {
			if (!c->kind) broken(c, "outside of a case:", line);
			add_field(c, line);
		}
		if ((!*line || !next) && c->kind) {
			c->line -= c->count + 1;
			run_case(c, kinds, &t);
			c->kind = NULL;
			c->count = 0;
		}
	}
	free(c);
	free(text);
	*passed += t.passed;
	return t.failed;
}
