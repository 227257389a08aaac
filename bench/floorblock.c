/* Packs, blocks and chunks: both ways. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <blake3.h>
#include <sodium.h>

#include "floor.h"

int floor_pack_open(uint32_t number, int flags) {
	char name[64];
	int fd, dir = open(floor_store, O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(name, sizeof(name), "pack-%06u", number);
	fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	if (fd < 0) floor_die("open", name);
	close(dir);
	return fd;
}

/* A few samples tell whether compressing can help: trying costs as much as all the rest. */
static bool worth_compressing(struct worker *w, const unsigned char *p, size_t n) {
	size_t gained = 0, tried = 0;

	if (n < 32768) return true;
	for (size_t i = 0; i < 4; i++) {
		size_t c = ZSTD_compressCCtx(w->zc, w->squeezed, BLOCK, p + n / 4 * i, 4096, 1);

		tried += 4096;
		gained += ZSTD_isError(c) || c > 4096 ? 0 : 4096 - c;
	}
	return gained > tried / 32;
}

void floor_block_flush(struct worker *w) {
	uint64_t b;
	size_t n = w->fill - w->base, c;
	const unsigned char *from = w->window + w->base;
	unsigned long long sealed;
	unsigned char nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };

	if (!n) return;
	b = atomic_fetch_add(&floor_now.blocks, 1);
	c = n;
	if (worth_compressing(w, from, n)) {
		c = ZSTD_compressCCtx(w->zc, w->squeezed, ZSTD_compressBound(WINDOW), from, n, floor_level);
		if (!ZSTD_isError(c) && c < n) from = w->squeezed;
		else c = n;
	}
	memcpy(nonce, &b, sizeof(b));
	crypto_aead_aegis256_encrypt(w->sealed, &sealed, from, c, NULL, 0, NULL, nonce, floor_key);
	if (w->pack < 0 || w->pack_used + sealed > PACK) {
		if (w->pack >= 0) close(w->pack);
		w->pack_number = (uint32_t)atomic_fetch_add(&floor_now.packs, 1);
		w->pack = floor_pack_open(w->pack_number, O_CREAT | O_EXCL | O_WRONLY);
		w->pack_used = 0;
	}
	floor_write(w->pack, w->sealed, sealed, "pack");
	floor_now.block[b] =
		(struct block){ w->pack_number, (uint32_t)w->pack_used, (uint32_t)sealed, (uint32_t)n };
	w->pack_used += sealed;
	for (size_t i = 0; i < w->pendings; i++) floor_now.chunk[w->pending[i]].block = (uint32_t)b;
	w->pendings = 0;
	if (w->fill == w->have) w->fill = w->have = 0;
	w->base = w->fill;
}

/* Takes the n bytes behind the block's out of the window, moving the shorter side. */
static void chunk_drop(struct worker *w, size_t n) {
	size_t before = w->fill - w->base, after = w->have - w->fill - n;

	if (before < after) {
		memmove(w->window + w->base + n, w->window + w->base, before);
		w->base += n;
		w->fill += n;
	} else {
		memmove(w->window + w->fill, w->window + w->fill + n, after);
		w->have -= n;
	}
}

/* The n bytes behind the block's are a chunk: they join the block, or fall away as known. */
uint32_t floor_chunk_add(struct worker *w, size_t n) {
	uint8_t id[32];
	uint64_t prefix;
	blake3_hasher h;
	size_t i;
	uint32_t number;

	blake3_hasher_init_keyed(&h, floor_key);
	blake3_hasher_update(&h, w->window + w->fill, n);
	blake3_hasher_finalize(&h, id, sizeof(id));
	memcpy(&prefix, id, 8);
	prefix |= 1;
	for (i = prefix >> 8 & (TABLE - 1);; i = (i + 1) & (TABLE - 1)) {
		uint64_t seen = atomic_load(&floor_table[i]);

		if (seen == 0 && atomic_compare_exchange_strong(&floor_table[i], &seen, prefix)) break;
		if (seen == prefix) {
			while ((number = atomic_load(&floor_table_chunk[i])) == 0)
				; /* the other thread is between its two stores */
			chunk_drop(w, n);
			return number - 1;
		}
	}
	number = (uint32_t)atomic_fetch_add(&floor_now.chunks, 1);
	memcpy(floor_now.chunk[number].id, id, 32);
	floor_now.chunk[number].at = (uint32_t)(w->fill - w->base);
	floor_now.chunk[number].len = (uint32_t)n;
	w->pending[w->pendings++] = number;
	w->fill += n;
	atomic_store(&floor_table_chunk[i], number + 1);
	if (w->fill - w->base >= BLOCK || w->pendings == sizeof(w->pending) / sizeof(w->pending[0]))
		floor_block_flush(w);
	return number;
}

void floor_read_more(struct worker *w, int fd, uint64_t at, size_t n, const char *name) {
	while (n) {
		ssize_t r = pread(fd, w->window + w->have, n, (off_t)at);

		if (r <= 0) floor_die("read", name);
		w->have += (size_t)r;
		at += (size_t)r;
		n -= (size_t)r;
	}
}

/* The block, decoded, from the thread's few newest ones. */
static unsigned char *block_get(struct worker *w, uint32_t number) {
	enum { KEPT = 4 };
	static _Thread_local unsigned char *kept[KEPT];
	static _Thread_local uint32_t which[KEPT], turn;
	static _Thread_local int pack = -1;
	static _Thread_local uint32_t pack_number;
	const struct block *b = &floor_now.block[number];
	unsigned char nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };
	unsigned long long n;
	uint64_t wide = number;
	unsigned char *to;

	for (int i = 0; i < KEPT; i++) {
		if (kept[i] && which[i] == number) return kept[i];
	}
	turn = (turn + 1) % KEPT;
	if (!kept[turn]) kept[turn] = floor_reserve(WINDOW);
	to = kept[turn];
	which[turn] = number;
	if (pack < 0 || pack_number != b->pack) {
		if (pack >= 0) close(pack);
		pack = floor_pack_open(b->pack, O_RDONLY);
		pack_number = b->pack;
	}
	if (pread(pack, w->sealed, b->stored, b->at) != (ssize_t)b->stored) floor_die("read", "pack");
	memcpy(nonce, &wide, sizeof(wide));
	if (b->stored - crypto_aead_aegis256_ABYTES == b->raw) {
		if (crypto_aead_aegis256_decrypt(
				to, &n, NULL, w->sealed, b->stored, NULL, 0, nonce, floor_key) != 0)
			floor_die("decrypt", "block");
		return to;
	}
	if (crypto_aead_aegis256_decrypt(
			w->squeezed, &n, NULL, w->sealed, b->stored, NULL, 0, nonce, floor_key) != 0 ||
		ZSTD_decompressDCtx(w->zd, to, WINDOW, w->squeezed, n) != b->raw)
		floor_die("decrypt", "block");
	return to;
}

unsigned char *floor_chunk_get(struct worker *w, uint32_t number, size_t *len) {
	const struct chunk *c = &floor_now.chunk[number];
	unsigned char *p = block_get(w, c->block) + c->at;
	uint8_t id[32];
	blake3_hasher h;

	blake3_hasher_init_keyed(&h, floor_key);
	blake3_hasher_update(&h, p, c->len);
	blake3_hasher_finalize(&h, id, sizeof(id));
	if (memcmp(id, c->id, 32) != 0) floor_die("wrong", "chunk");
	*len = c->len;
	return p;
}
