/* What a run knows, written to and read from STORE. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "floor.h"

static struct head head_of(struct all *a) {
	return (struct head){ a->chunks, a->blocks, a->entries, a->refs, a->names, a->packs };
}

static void head_set(struct all *a, const struct head *h) {
	a->chunks = h->chunks;
	a->blocks = h->blocks;
	a->entries = h->entries;
	a->refs = h->refs;
	a->names = h->names;
	a->packs = h->packs;
}

static FILE *store_file(const char *name, const char *mode) {
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", floor_store, name);
	f = fopen(path, mode);
	if (!f) floor_die("open", path);
	setvbuf(f, NULL, _IONBF, 0);
	return f;
}

/* The five arrays in order, each as blocks of 1 MiB, compressed and encrypted when `sealed`. */
static void array_put(FILE *f, const void *from, size_t n, bool sealed) {
	struct worker *w = &floor_worker[0];

	for (const char *p = from; n && sealed;) {
		static const unsigned char nonce[crypto_aead_aegis256_NPUBBYTES];
		size_t take = n < BLOCK ? n : BLOCK;
		uint32_t len;
		unsigned long long c = ZSTD_compressCCtx(w->zc, w->squeezed, 2 * BLOCK, p, take, 1);

		crypto_aead_aegis256_encrypt(
			w->sealed + 4, &c, w->squeezed, c, NULL, 0, NULL, nonce, floor_key);
		len = (uint32_t)c;
		memcpy(w->sealed, &len, 4);
		if (fwrite(w->sealed, 1, c + 4, f) != c + 4) floor_die("write", "list");
		p += take;
		n -= take;
	}
	if (n && fwrite(from, 1, n, f) != n) floor_die("write", "state");
}

static void array_get(FILE *f, void *to, size_t n, bool sealed) {
	struct worker *w = &floor_worker[0];

	for (char *p = to; n && sealed;) {
		static const unsigned char nonce[crypto_aead_aegis256_NPUBBYTES];
		uint32_t len;
		unsigned long long c;
		size_t got;

		if (fread(&len, 1, 4, f) != 4 || fread(w->sealed, 1, len, f) != len ||
			crypto_aead_aegis256_decrypt(
				w->squeezed, &c, NULL, w->sealed, len, NULL, 0, nonce, floor_key) != 0)
			floor_die("read", "list");
		got = ZSTD_decompressDCtx(w->zd, p, n, w->squeezed, c);
		if (ZSTD_isError(got)) floor_die("decompress", "list");
		p += got;
		n -= got;
	}
	if (n && fread(to, 1, n, f) != n) floor_die("read", "state");
}

void floor_all_put(struct all *a, const char *name, bool sealed) {
	FILE *f = store_file(name, "w");
	struct head h = head_of(a);

	array_put(f, &h, sizeof(h), false);
	array_put(f, a->entry, sizeof(struct entry) * h.entries, sealed);
	array_put(f, a->name, h.names, sealed);
	array_put(f, a->ref, sizeof(uint32_t) * h.refs, sealed);
	array_put(f, a->chunk, sizeof(struct chunk) * h.chunks, sealed);
	array_put(f, a->block, sizeof(struct block) * h.blocks, sealed);
	if (fclose(f) != 0) floor_die("close", name);
}

/* `whole`: with the chunks; else entries and names only, which lie first. */
void floor_all_get(struct all *a, const char *name, bool sealed, bool whole) {
	FILE *f = store_file(name, "r");
	struct head h;

	if (!floor_worker[0].zd) {
		floor_worker[0].zd = ZSTD_createDCtx();
		floor_worker[0].squeezed = floor_reserve(2 * BLOCK);
		floor_worker[0].sealed = floor_reserve(2 * BLOCK);
	}
	array_get(f, &h, sizeof(h), false);
	head_set(a, &h);
	array_get(f, a->entry, sizeof(struct entry) * h.entries, sealed);
	array_get(f, a->name, h.names, sealed);
	if (whole) {
		array_get(f, a->ref, sizeof(uint32_t) * h.refs, sealed);
		array_get(f, a->chunk, sizeof(struct chunk) * h.chunks, sealed);
		array_get(f, a->block, sizeof(struct block) * h.blocks, sealed);
	}
	fclose(f);
}
