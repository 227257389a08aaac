#include "client/heads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"
#include "os/file.h"

enum { HEAD_BYTES = 4 + 8 + 32 + 32, NAME_BYTES = 6 + HASH_HEX };

static const uint8_t magic[4] = { 'b', 'r', 'h', 1 };

static void file_name(char out[NAME_BYTES], const struct hash *chain) {
	char hex[HASH_HEX];
	hash_hex(hex, chain);
	(void)snprintf(out, NAME_BYTES, "heads/%s", hex);
}

/* The file ends in a checksum: a torn or damaged head must not pass for a seen one. */
static enum err decode(struct head *out, struct span in) {
	struct hash sum;
	if (in.len != HEAD_BYTES) return E_FORMAT;
	hash_of(&sum, span_of(in.ptr, HEAD_BYTES - HASH_SIZE));
	if (!span_equal(hash_span(&sum), span_of(in.ptr + HEAD_BYTES - HASH_SIZE, HASH_SIZE)))
		return E_FORMAT;
	struct reader r = reader_over(in);
	if (!span_equal(reader_raw(&r, sizeof magic), span_of(magic, sizeof magic))) return E_FORMAT;
	out->seq = reader_u64(&r);
	reader_copy(&r, out->hash.b, HASH_SIZE);
	return OK;
}

enum err heads_get(int state, const struct hash *chain, struct head *out, struct why *why) {
	char name[NAME_BYTES];
	struct buf b;
	buf_init(&b, HEAD_BYTES);
	file_name(name, chain);
	enum err e = file_read_whole(state, name, HEAD_BYTES, &b, why);
	if (!e && decode(out, buf_span(&b)))
		e = why_set(why, E_FORMAT,
			"the state file %s is damaged: remove it and run broch accept-older", name);
	if (e == E_LIMIT) e = why_set(why, E_FORMAT, "the state file %s is damaged", name);
	buf_free(&b);
	return e;
}

static enum err put(int state, const struct hash *chain, const struct head *head, struct why *why) {
	struct buf b;
	struct hash sum;
	char name[HASH_HEX];
	int folder = -1;
	buf_init(&b, HEAD_BYTES);
	struct writer w = writer_to(&b);
	writer_raw(&w, span_of(magic, sizeof magic));
	writer_u64(&w, head->seq);
	writer_raw(&w, hash_span(&head->hash));
	hash_of(&sum, buf_span(&b));
	writer_raw(&w, hash_span(&sum));
	enum err e = writer_finish(&w);
	if (e) e = why_err(why, e, "keeping a chain's head");
	if (!e) e = file_make_folder(state, "heads", FOLDER_PRIVATE, why);
	if (!e) e = file_open_folder(state, "heads", &folder, why);
	hash_hex(name, chain);
	if (!e) e = file_replace(folder, name, buf_span(&b), FILE_PRIVATE, why);
	file_close(&folder);
	buf_free(&b);
	return e;
}

/* One writer of heads at a time on this device: the later head wins, whoever comes last. */
static enum err lock(int state, int *fd, struct why *why) {
	*fd = openat(state, "heads.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE);
	if (*fd < 0) return why_errno(why, "opening heads.lock in the state folder");
	while (flock(*fd, LOCK_EX)) {
		if (errno == EINTR) continue;
		enum err e = why_errno(why, "locking heads.lock in the state folder");
		file_close(fd);
		return e;
	}
	return OK;
}

/* Two processes that read at the same time may have been shown two continuations of the chain. */
static enum err forked(const struct hash *chain, const struct head *head, struct why *why) {
	char hex[HASH_HEX];
	hash_hex(hex, chain);
	return why_set(why, E_ROLLBACK,
		"chain %.16s: entry %llu is another one than this device saw there: the store was forked or set back",
		hex, (unsigned long long)head->seq);
}

enum err heads_advance(
	int state, const struct hash *chain, const struct head *head, struct why *why) {
	int fd = -1;
	struct head kept;
	enum err e = lock(state, &fd, why);
	if (e) return e;
	e = heads_get(state, chain, &kept, why);
	if (e == E_NOTFOUND || (!e && kept.seq < head->seq)) e = put(state, chain, head, why);
	else if (!e && kept.seq == head->seq && !hash_equal(&kept.hash, &head->hash))
		e = forked(chain, head, why);
	file_close(&fd);
	return e;
}

enum err heads_set(int state, const struct hash *chain, const struct head *head, struct why *why) {
	int fd = -1;
	enum err e = lock(state, &fd, why);
	if (!e) e = put(state, chain, head, why);
	file_close(&fd);
	return e;
}
