/* What treecmp says: see cmpreport.h. */
#include "cmpreport.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_MAX 9000 /* two link targets and a little text */

static const char *const CLASS_NAMES[CMP_CLASSES] = {
	[CMP_MISSING] = "missing",
	[CMP_EXTRA] = "extra",
	[CMP_TYPE] = "type",
	[CMP_CONTENT] = "content",
	[CMP_SIZE] = "size",
	[CMP_HOLES] = "holes",
	[CMP_NEW_HOLES] = "new-holes",
	[CMP_MODE] = "mode",
	[CMP_SETUID] = "setuid",
	[CMP_OWNER] = "owner",
	[CMP_MTIME] = "mtime",
	[CMP_XATTR] = "xattr",
	[CMP_ACL] = "acl",
	[CMP_CAPABILITY] = "capability",
	[CMP_SECURITY] = "security",
	[CMP_TRUSTED] = "trusted",
	[CMP_TARGET] = "target",
	[CMP_RDEV] = "rdev",
	[CMP_HARDLINK] = "hardlink",
	[CMP_DEVICE] = "device",
	[CMP_SOCKET] = "socket",
	[CMP_UNREADABLE] = "unreadable",
};

static void ignore_one(struct cmpreport *r, const char *name, size_t len) {
	for (size_t i = 0; i < CMP_CLASSES; i++) {
		if (strlen(CLASS_NAMES[i]) == len && memcmp(CLASS_NAMES[i], name, len) == 0) {
			r->ignored[i] = true;
			return;
		}
	}
	errno = 0;
	treelib_die("--ignore: no class \"%.*s\"", (int)len, name);
}

void cmpreport_ignore(struct cmpreport *r, const char *names) {
	while (*names != '\0') {
		size_t len = strcspn(names, ",");

		ignore_one(r, names, len);
		names += len;
		if (*names == ',') names++;
	}
}

void cmpreport_path_add(struct cmpreport *r, const char *name) {
	size_t len = strlen(name);

	if (r->path_room - r->path_len < len + 1) {
		r->path_room = r->path_room * 2 + len + 256;
		r->path = treelib_resize(r->path, r->path_room);
	}
	if (r->path_len > 0) r->path[r->path_len++] = '/';
	memcpy(r->path + r->path_len, name, len);
	r->path_len += len;
}

void cmpreport_path_cut(struct cmpreport *r, size_t len) {
	r->path_len = len;
}

static void print_path(const struct cmpreport *r) {
	if (r->path_len == 0) (void)fputc('.', stdout);
	else treelib_escape(stdout, r->path, r->path_len, r->json);
}

void cmpreport_add(struct cmpreport *r, enum cmpreport_class class, const char *fmt, ...) {
	char detail[DETAIL_MAX];
	va_list args;
	int n;

	r->count[class]++;
	if (r->ignored[class] || r->quiet) return;
	va_start(args, fmt);
	n = vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	if (n < 0) treelib_die("formatting a message");
	(void)printf(r->json ? "{\"type\":\"difference\",\"class\":\"%s\",\"path\":\"" : "%s \"",
		CLASS_NAMES[class]);
	print_path(r);
	(void)fputs(r->json ? "\",\"detail\":\"" : "\": ", stdout);
	treelib_escape(stdout, detail, strlen(detail), r->json);
	(void)fputs(r->json ? "\"}\n" : "\n", stdout);
}

/* The counts of the classes that are ignored, or of those that are not. */
static uint64_t print_counts(const struct cmpreport *r, bool ignored) {
	uint64_t sum = 0;
	const char *comma = "";

	(void)printf(r->json ? ",\"%s\":{" : "%s:", ignored ? "ignored" : "differences");
	for (size_t i = 0; i < CMP_CLASSES; i++) {
		if (r->count[i] == 0 || r->ignored[i] != ignored) continue;
		(void)printf(r->json ? "%s\"%s\":%" PRIu64 : "%s %s=%" PRIu64, r->json ? comma : "",
			CLASS_NAMES[i], r->count[i]);
		comma = ",";
		sum += r->count[i];
	}
	(void)fputs(r->json ? "}" : (sum == 0 ? " none\n" : "\n"), stdout);
	return sum;
}

int cmpreport_finish(struct cmpreport *r) {
	uint64_t different;

	(void)printf(r->json ? "{\"type\":\"summary\",\"entries\":%" PRIu64 ",\"data_bytes\":%" PRIu64
						 : "compared: entries=%" PRIu64 " data-bytes=%" PRIu64 "\n",
		r->entries, r->data_bytes);
	(void)print_counts(r, true);
	different = print_counts(r, false);
	if (r->json) (void)fputs("}\n", stdout);
	if (fflush(stdout) != 0) treelib_die("writing the report");
	free(r->path);
	r->path = NULL;
	if (!r->ignored[CMP_UNREADABLE] && r->count[CMP_UNREADABLE] > 0) return 2;
	return different > 0 ? 1 : 0;
}
