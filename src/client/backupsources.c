#include "client/backupsources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/hash.h"

enum { BRANCH_PLAIN = 200, BRANCH_CUT = 160 };

/* Takes "." and ".." out of an absolute path, as text: no link is resolved. */
static void clean_path(char *path) {
	char *out = path, *in = path;
	while (*in) {
		while (*in == '/') in++;
		size_t n = strcspn(in, "/");
		if (n == 0 || (n == 1 && in[0] == '.')) {
			in += n;
			continue;
		}
		if (n == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/') continue;
			in += n;
			continue;
		}
		*out++ = '/';
		memmove(out, in, n);
		out += n;
		in += n;
	}
	if (out == path) *out++ = '/';
	*out = '\0';
}

static enum err absolute_path(const char *given, char **out, struct why *why) {
	char *here = NULL;
	if (given[0] != '/') {
		here = getcwd(NULL, 0);
		if (!here) return why_errno(why, "finding the working folder");
	}
	size_t len = (here ? strlen(here) : 0) + strlen(given) + 2;
	char *path = mem_alloc(len);
	if (path) (void)snprintf(path, len, "%s%s%s", here ? here : "", here ? "/" : "", given);
	free(here);
	if (!path) return why_err(why, E_NOMEM, "reading the sources");
	clean_path(path);
	*out = path;
	return OK;
}

static int by_text(const void *a, const void *b) {
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static void source_free(struct backupsources_node *s) {
	while (s) {
		struct backupsources_node *next = s->next;
		source_free(s->children);
		mem_free((uint8_t *)(uintptr_t)s->entry.ptr);
		mem_free(s->name);
		mem_free(s);
		s = next;
	}
}

/* The child called ${name} (${len} bytes), made in its place of the order by bytes if it is not there. */
static struct backupsources_node *source_child(
	struct backupsources_node *s, const char *name, size_t len) {
	struct backupsources_node **at = &s->children;
	for (; *at; at = &(*at)->next) {
		int order = span_order(span_text((*at)->name), span_of(name, len));
		if (order == 0) return *at;
		if (order > 0) break;
	}
	struct backupsources_node *c = mem_zalloc(sizeof *c);
	char *copy = c ? mem_alloc(len + 1) : NULL;
	if (!copy) {
		mem_free(c);
		return NULL;
	}
	memcpy(copy, name, len);
	copy[len] = '\0';
	c->name = copy;
	c->next = *at;
	*at = c;
	return c;
}

static enum err plant(struct backupsources *s, const char *path) {
	struct backupsources_node *n = s->root;
	for (const char *p = path + 1; *p && n && !n->whole;) {
		size_t len = strcspn(p, "/");
		n = source_child(n, p, len);
		p += len + (p[len] == '/');
	}
	if (!n) return E_NOMEM;
	n->whole = true;
	source_free(n->children); /* a source inside another is part of it */
	n->children = NULL;
	return OK;
}

static enum err make_paths(
	struct backupsources *s, const char *const *given, size_t count, struct why *why) {
	s->paths = mem_array(count + 1, sizeof *s->paths);
	if (!s->paths) return why_err(why, E_NOMEM, "reading the sources");
	for (size_t i = 0; i < count; i++) {
		enum err e = absolute_path(given[i], &s->paths[i], why);
		if (e) return e;
		s->count++;
	}
	qsort(s->paths, s->count, sizeof *s->paths, by_text);
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (kept && strcmp(s->paths[kept - 1], s->paths[i]) == 0) mem_free(s->paths[i]);
		else s->paths[kept++] = s->paths[i];
	}
	s->count = kept;
	return OK;
}

/* Plants what is there. ${errors}: of each path, 0 or what lstat said. */
static enum err plant_all(struct backupsources *s, int *errors, struct why *why) {
	size_t planted = 0;
	enum err e = OK;
	s->root = mem_zalloc(sizeof *s->root);
	if (!s->root) e = E_NOMEM;
	for (size_t i = 0; i < s->count && !e; i++) {
		struct stat st;
		errors[i] = fstatat(AT_FDCWD, s->paths[i], &st, AT_SYMLINK_NOFOLLOW) ? errno : 0;
		if (errors[i]) continue;
		planted++;
		e = plant(s, s->paths[i]);
	}
	if (e) return why_err(why, e, "reading the sources");
	if (planted || !s->count) return OK;
	errno = errors[0];
	return why_errno(why, "%s", s->paths[0]);
}

enum err backupsources_read(struct backupsources *s, const char *const *given, size_t count,
	backupsources_missed *missed, void *ctx, struct why *why) {
	enum err e = make_paths(s, given, count, why);
	int *errors = e ? NULL : mem_array(s->count + 1, sizeof *errors);
	if (!e && !errors) e = why_err(why, E_NOMEM, "reading the sources");
	if (!e) e = plant_all(s, errors, why);
	for (size_t i = 0; i < s->count && !e; i++) {
		struct why reason;
		if (!errors[i]) continue;
		errno = errors[i];
		err_ignore(why_errno(&reason, "looking for it"));
		missed(ctx, s->paths[i], &reason);
	}
	mem_free(errors);
	return e;
}

enum err backupsources_single(struct backupsources *s, const char *name, struct why *why) {
	size_t len = strlen(name) + 2;
	s->paths = mem_array(1, sizeof *s->paths);
	if (s->paths) s->paths[0] = mem_alloc(len);
	if (!s->paths || !s->paths[0]) return why_err(why, E_NOMEM, "reading the sources");
	(void)snprintf(s->paths[0], len, "/%s", name);
	s->count = 1;
	return OK;
}

enum err backupsources_branch(const struct backupsources *s, const char *host, char out[256]) {
	struct buf all;
	struct hash sum;
	char hex[HASH_HEX];
	buf_init(&all, (size_t)1 << 32);
	enum err e = buf_add(&all, span_text(host));
	for (size_t i = 0; i < s->count && !e; i++) {
		e = buf_add(&all, span_text(i ? "," : ":"));
		if (!e) e = buf_add(&all, span_text(s->paths[i]));
	}
	if (!e && all.len <= BRANCH_PLAIN) {
		(void)snprintf(out, 256, "%.*s", (int)all.len, (const char *)all.ptr);
	} else if (!e) {
		hash_of(&sum, buf_span(&all));
		hash_hex(hex, &sum);
		(void)snprintf(out, 256, "%.*s...%.16s", BRANCH_CUT, (const char *)all.ptr, hex);
	}
	buf_free(&all);
	return e;
}

void backupsources_free(struct backupsources *s) {
	for (size_t i = 0; i < s->count; i++) mem_free(s->paths[i]);
	mem_free(s->paths);
	source_free(s->root);
	*s = (struct backupsources){ .count = 0 };
}
