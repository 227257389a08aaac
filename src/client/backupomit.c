#include "client/backupomit.h"

#include <fcntl.h>
#include <string.h>

#include "os/file.h"

void backupomit_own(struct backupomit *o, int state, int cache) {
	int folders[] = { state, cache };
	struct stat st;
	for (size_t i = 0; i < 2; i++) {
		o->inodes[i] = 0;
		if (folders[i] < 0 || fstat(folders[i], &st)) continue;
		o->devices[i] = st.st_dev;
		o->inodes[i] = st.st_ino;
	}
}

static bool has_name(const struct listing *l, const char *name) {
	size_t from = 0, to = l->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(l->names[middle].name, name);
		if (order == 0) return true;
		if (order < 0) from = middle + 1;
		else to = middle;
	}
	return false;
}

/* Reads the first ${n} bytes of the file ${name} in the folder. */
static bool read_head(int at, const char *name, void *head, size_t n) {
	struct stat st;
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		file_read_at(fd, 0, head, n, NULL) == OK;
	file_close(&fd);
	return is;
}

bool backupomit_is_cache(int fd, const struct listing *l) {
	static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
	char head[sizeof signature - 1];
	return has_name(l, "CACHEDIR.TAG") && read_head(fd, "CACHEDIR.TAG", head, sizeof head) &&
		memcmp(head, signature, sizeof head) == 0;
}

/* A user's folder may have the same names in it by chance: the file must be a store's mark, of whatever version. */
static bool is_store(int fd, const struct listing *l) {
	static const char mark[] = "broch store ";
	char head[sizeof mark - 1];
	return has_name(l, "broch-store") && has_name(l, "chains") && has_name(l, "packs") &&
		read_head(fd, "broch-store", head, sizeof head) && memcmp(head, mark, sizeof head) == 0;
}

const char *backupomit_reason(
	const struct backupomit *o, int fd, const struct stat *st, const struct listing *l) {
	for (size_t i = 0; i < 2; i++)
		if (o->inodes[i] == st->st_ino && o->devices[i] == st->st_dev)
			return "it is this device's own state";
	return is_store(fd, l) ? "it is a Broch store" : NULL;
}
