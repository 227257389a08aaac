#include "core/boxmake.h"

#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "format/boxes.h"
#include "secret/xwing.h"

enum { ROW = SIZE_HASH + SIZE_BOX };

/* A random place among ${count} rows for each of the recipients, by shuffling. */
static enum err shuffle(uint16_t *places, uint16_t count, struct fresh *fresh) {
	for (uint16_t i = 0; i < count; i++) places[i] = i;
	for (uint16_t i = count; i > 1; i--) {
		uint8_t r[8];
		enum err e = fresh_bytes(fresh, r, sizeof r);
		if (e) return e;
		uint16_t k = (uint16_t)(little_get64(r) % i);
		uint16_t t = places[i - 1];
		places[i - 1] = places[k];
		places[k] = t;
	}
	return OK;
}

static void tag_key(
	struct box_tag_key *out, const struct epoch_secrets *s, const struct epoch_secret *previous) {
	if (previous) epochkeys_box_tag(out, previous, &s->birth, s->epoch);
	else epochkeys_first_box_tag(out, &s->birth);
}

/*
 * Boxes for nobody: random tags, and nothing sealed to a key that is thrown away. Random bytes in their place would tell how
 * many there are, as an encapsulation is not uniform.
 */
static enum err fill(uint8_t *bytes, const uint16_t *places, size_t from, size_t rows,
	const struct box_content *content, struct fresh *fresh) {
	struct {
		struct kem_seed seed;
		struct box_content nothing;
	} s;
	uint8_t key[KEM_PUBLIC];
	struct hash tag;
	enum err e = fresh_bytes(fresh, &s.seed, sizeof s.seed);
	if (e) return e;
	memset(&s.nothing, 0, sizeof s.nothing);
	s.nothing.kind = content->kind;
	s.nothing.secrets.role = content->secrets.role;
	s.nothing.secrets.epoch = content->secrets.epoch;
	xwing_public(key, &s.seed);
	for (size_t i = from; i < rows && !e; i++) {
		uint8_t *row = bytes + (size_t)places[i] * ROW;
		e = fresh_bytes(fresh, tag.b, sizeof tag.b);
		if (e) break;
		memcpy(row, tag.b, SIZE_HASH);
		e = box_seal(row + SIZE_HASH, key, &tag, &s.nothing, fresh);
	}
	mem_wipe(&s, sizeof s);
	return e;
}

enum err boxmake_object(const struct box_content *content,
	const struct boxmake_recipient *recipients, size_t count, const struct epoch_secret *previous,
	struct fresh *fresh, struct buf *out) {
	struct box_tag_key key;
	uint16_t places[LIMIT_BOXES];
	uint8_t wrap[EPOCHKEYS_WRAP];
	uint16_t rows = LIMIT_BOXES_LEAST;
	while (rows < count && rows < LIMIT_BOXES) rows = (uint16_t)(rows * 2);
	if (count > rows) return E_LIMIT;
	uint8_t *bytes = mem_alloc((size_t)rows * ROW);
	if (!bytes) return E_NOMEM;
	tag_key(&key, &content->secrets, previous);
	enum err e = shuffle(places, rows, fresh);
	for (size_t i = 0; i < count && !e; i++) {
		uint8_t *row = bytes + (size_t)places[i] * ROW;
		struct hash tag;
		box_tag(&tag, &key, &recipients[i].id);
		memcpy(row, tag.b, SIZE_HASH);
		e = box_seal(row + SIZE_HASH, recipients[i].kem_key, &recipients[i].id, content, fresh);
	}
	if (!e) e = fill(bytes, places, count, rows, content, fresh);
	if (!e && previous) e = epochkeys_wrap(wrap, &content->secrets, previous, fresh);
	struct boxes boxes = {
		.epoch = content->secrets.epoch,
		.count = rows,
		.rows = span_of(bytes, (size_t)rows * ROW),
		.wrap = span_of(wrap, previous ? sizeof wrap : 0),
	};
	if (!e) e = boxes_encode(&boxes, out);
	mem_wipe(&key, sizeof key);
	mem_free(bytes);
	return e;
}
