/* Parameters, the prepared key, the rules of minimum and maximum, and the choice of the code path. */
#include "core/chunker.h"

#include <assert.h>

#include "base/little.h"
#include "core/chunker_cpu.h"
#include "core/chunker_key.h"
#include "secret/secretmem.h"

const struct chunker_params chunker_default = { 229376, CHUNKER_MAX, 16 };

struct chunker {
	struct chunker_key key;
	struct chunker_params params;
	enum chunker_path path;
	chunker_find *find;
};

/* ---- Paths ---- */

static const struct {
	const char *name;
	chunker_find *find;
} paths[CHUNKER_PATHS] = {
	[CHUNKER_PORTABLE] = { "portable", chunker_portable_find },
#ifdef CHUNKER_CPU_X86
	[CHUNKER_AESNI] = { "aesni", chunker_aesni_find },
	[CHUNKER_VAES256] = { "vaes256", chunker_vaes256_find },
	[CHUNKER_VAES512] = { "vaes512", chunker_vaes512_find },
#else
	[CHUNKER_AESNI] = { "aesni", NULL },
	[CHUNKER_VAES256] = { "vaes256", NULL },
	[CHUNKER_VAES512] = { "vaes512", NULL },
#endif
};

const char *chunker_path_name(enum chunker_path path) {
	return path < CHUNKER_PATHS ? paths[path].name : "?";
}

bool chunker_path_here(enum chunker_path path) {
	return path < CHUNKER_PATHS && paths[path].find != NULL && chunker_cpu_has(path);
}

enum chunker_path chunker_path_of(const struct chunker *c) {
	return c->path;
}

enum err chunker_force_path(struct chunker *c, enum chunker_path path) {
	if (!chunker_path_here(path)) return E_UNSUPPORTED;
	c->path = path;
	c->find = paths[path].find;
	return OK;
}

/* ---- Key ---- */

static uint64_t times_x(uint64_t d) {
	return d << 1 ^ ((0 - (d >> 63)) & CHUNKER_REDUCE);
}

static uint64_t times_x64(uint64_t d) {
	for (int i = 0; i < 64; i++) d = times_x(d);
	return d;
}

/* FIPS 197 section 5.2 for 128-bit keys. */
static void expand_aes(uint8_t round[11][16], const uint8_t key[16]) {
	uint8_t constant = 1;
	memcpy(round[0], key, 16);
	for (int r = 1; r < 11; r++) {
		for (int i = 0; i < 4; i++)
			round[r][i] = round[r - 1][i] ^ chunker_portable_sbox(round[r - 1][12 + (i + 1) % 4]);
		round[r][0] ^= constant;
		for (int i = 4; i < 16; i++) round[r][i] = round[r - 1][i] ^ round[r][i - 4];
		constant = (uint8_t)(constant << 1 ^ (constant >> 7) * CHUNKER_REDUCE);
	}
}

/* The byte whose S-box is ${b}, looked for in a time that doesn't depend on it. */
static uint8_t inverse_sbox(uint8_t b) {
	unsigned found = 0;
	for (unsigned x = 0; x < 256; x++) {
		unsigned differs = chunker_portable_sbox((uint8_t)x) ^ b;
		found |= x & (0 - ((differs - 1) >> 31));
	}
	return (uint8_t)found;
}

static void key_prepare(
	struct chunker_key *k, const uint8_t key[CHUNKER_KEY_BYTES], uint32_t bits) {
	expand_aes(k->round, key + 4096);
	for (int lane = 0; lane < 2; lane++) {
		uint64_t k0 = little_get64(k->round[0] + 8 * lane);
		for (int b = 0; b < 256; b++) {
			uint64_t t = little_get64(key + 16 * b + 8 * lane);
			k->in[b][lane] = t ^ times_x(k0) ^ k0;
			k->out[b][lane] = times_x64(t);
		}
	}
	for (int i = 0; i < 16; i++) k->column[i] = k->round[9][i % 4];
	k->wanted = inverse_sbox(k->round[10][0]);
	k->any = bits < 8;
	k->mask = ((uint64_t)1 << bits) - 1;
}

enum err chunker_new(struct chunker **out, const uint8_t key[CHUNKER_KEY_BYTES],
	const struct chunker_params *params) {
	if (params->min < CHUNKER_WINDOW || params->min >= params->max || params->max > CHUNKER_MAX ||
		params->mask_bits < 1 || params->mask_bits > 40)
		return E_FORMAT;
	struct chunker *c = secretmem_alloc(sizeof(*c));
	if (c == NULL) return E_NOMEM;
	key_prepare(&c->key, key, params->mask_bits);
	c->params = *params;
	for (int path = CHUNKER_PATHS - 1; c->find == NULL; path--) {
		assert(path >= 0);
		if (chunker_path_here((enum chunker_path)path)) c->find = paths[path].find;
		c->path = (enum chunker_path)path;
	}
	*out = c;
	return OK;
}

void chunker_free(struct chunker *c) {
	secretmem_free(c);
}

/* ---- Cuts ---- */

/* The last i with cuts[i] + min <= at and a cut after it, or n: the traced chunk whose scan may have seen ${at}. */
static size_t traced_chunk(const size_t *cuts, size_t n, size_t at, size_t min) {
	size_t low = 0, high = n < 1 ? 0 : n - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cuts[middle] + min <= at) low = middle + 1;
		else high = middle;
	}
	return low == 0 ? n : low - 1;
}

/*
 * A traced chunk [s, e) says: no hit in [s + min, e); and a hit at e, unless the maximum cut it or the string ends
 * there. (At the end of the string every chunk ends, so there it does not matter which.)
 */
static size_t find_traced(const struct chunker *c, const uint8_t *data, size_t from, size_t to,
	const size_t *cuts, size_t n) {
	size_t min = c->params.min, max = c->params.max;
	while (from < to) {
		size_t i = traced_chunk(cuts, n, from, min);
		if (i < n && from <= cuts[i + 1]) {
			size_t end = cuts[i + 1];
			if (end >= to) return to;
			if (end - cuts[i] < max) return end;
			from = end;
		}
		size_t next = i < n ? i + 1 : 0; /* the next chunk whose scan may spare us the rest */
		size_t stop = next + 1 < n && cuts[next] + min < to ? cuts[next] + min : to;
		if (stop <= from) stop = from + 1;
		size_t hit = c->find(&c->key, data, from, stop);
		if (hit < stop) return hit;
		from = stop;
	}
	return to;
}

size_t chunker_next_traced(const struct chunker *c, const uint8_t *data, size_t len, bool final,
	size_t at, const size_t *cuts, size_t n) {
	assert(at <= len);
	size_t left = len - at, min = c->params.min, max = c->params.max;
	size_t last = left < max ? left : max - 1; /* the longest chunk that a hit can end here */
	if (min <= last) {
		size_t hit = find_traced(c, data, at + min, at + last + 1, cuts, n) - at;
		if (hit <= last) return hit;
	}
	if (left >= max) return max;
	return final ? left : 0;
}

size_t chunker_next(const struct chunker *c, const uint8_t *data, size_t len, bool final) {
	return chunker_next_traced(c, data, len, final, 0, NULL, 0);
}

size_t chunker_trace(const struct chunker *c, const uint8_t *data, size_t len, bool final,
	size_t start, size_t end, size_t *cuts, size_t room) {
	size_t n = 0, at = start, step;
	assert(start <= len);
	if (room > 0) cuts[n++] = start;
	while (n < room && at < end && (step = chunker_next(c, data + at, len - at, final)) > 0)
		cuts[n++] = at += step;
	return n;
}
