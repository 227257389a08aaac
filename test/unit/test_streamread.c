/* client/streamread: streams of every depth, and lists that are not what their reference says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/streamread.h"
#include "rawbox.h"
#include "storesuite.h"

enum { LEN = 200000, MANY = 60, FOREVER = 500, ITEMS = 20 };

static struct rawbox *box;
static struct craft craft;
static struct fetch *fetch; /* once the run is over */

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	fetch = NULL;
	craft_begin(&craft, &box->t);
	(void)alarm(FOREVER);
	return 0;
}

static int teardown(void **state) {
	(void)alarm(0);
	craft_drop(&craft);
	fetch_free(fetch);
	return rawbox_teardown(state);
}

/* What was made is in the store and can be read. */
static void done(void) {
	struct streamref none = { .length = 0 };
	(void)craft_end(&craft, &none, 0, 0);
	fetch = rawbox_fetch(box, 1);
}

static uint8_t *random_bytes(size_t len) {
	uint8_t *out = malloc(len);
	assert_non_null(out);
	storesuite_bytes(out, len, 1);
	return out;
}

/* Chunks of one byte value each, ${i} + 1 bytes long. */
static void make_items(struct streamref_item items[ITEMS]) {
	for (unsigned i = 0; i < ITEMS; i++) {
		uint8_t bytes[ITEMS];
		struct why why = { OK, "" };
		memset(bytes, (int)i, sizeof bytes);
		items[i].length = i + 1;
		rawbox_ok(storing_chunk(
					  craft.storing, CHUNKTYPE_CONTENT, span_of(bytes, i + 1), &items[i].id, &why),
			&why);
	}
}

enum { ITEMS_BYTES = ITEMS * (ITEMS + 1) / 2 };

/* Items as bytes. */
static void encode(const struct streamref_item *items, size_t count, uint8_t *out) {
	for (size_t i = 0; i < count; i++) streamref_item_encode(&items[i], out + i * SIZE_STREAM_ITEM);
}

static struct hash list_chunk(const uint8_t *bytes, size_t len) {
	struct hash id;
	struct why why = { OK, "" };
	rawbox_ok(storing_chunk(craft.storing, CHUNKTYPE_LIST, span_of(bytes, len), &id, &why), &why);
	return id;
}

/* Reads item by item, then whole: both end alike. How many items came goes to ${count}. */
static enum err read_both(const struct streamref *ref, size_t *count, struct why *why) {
	struct streamread s;
	struct streamref_item item;
	struct buf out;
	uint64_t total = 0;
	bool more = true;
	*why = (struct why){ OK, "" };
	*count = 0;
	enum err e = streamread_open(&s, fetch, CHUNKTYPE_CONTENT, ref, why);
	while (!e) {
		e = streamread_next(&s, &item, &more, why);
		if (e || !more) break;
		total += item.length;
		assert_true(total <= ref->length); /* never more than was promised, not even for a while */
		++*count;
	}
	if (!e) {
		assert_int_equal(total, ref->length);
		/* at the end it stays */
		assert_int_equal(streamread_next(&s, &item, &more, why), OK);
		assert_false(more);
	} else {
		assert_int_equal(why->code, e);
	}
	streamread_close(&s);
	buf_init(&out, 1 << 20);
	enum err whole = streamread_whole(fetch, CHUNKTYPE_CONTENT, ref, &out, why);
	assert_int_equal(whole, e);
	if (!e) assert_int_equal(out.len, ref->length);
	buf_free(&out);
	return e;
}

static enum err read_of(const struct streamref *ref) {
	size_t count;
	struct why why;
	return read_both(ref, &count, &why);
}

/* --- what is well */

static void every_depth_comes_back(void **state) {
	(void)state;
	static const size_t lens[] = { 0, 1, 255, 3000, 20000, LEN };
	enum { COUNT = sizeof lens / sizeof *lens };
	struct streamref refs[COUNT];
	uint8_t *bytes = random_bytes(LEN);
	uint8_t deepest = 0;
	for (size_t i = 0; i < COUNT; i++) refs[i] = craft_content(&craft, span_of(bytes, lens[i]));
	done();
	for (size_t i = 0; i < COUNT; i++) {
		struct buf out;
		struct why why = { OK, "" };
		buf_init(&out, LEN + 6);
		assert_int_equal(buf_add(&out, span_text("before")), OK);
		rawbox_ok(streamread_whole(fetch, CHUNKTYPE_CONTENT, &refs[i], &out, &why), &why);
		assert_int_equal(out.len, 6 + lens[i]);
		assert_memory_equal(out.ptr, "before", 6);
		if (lens[i]) assert_memory_equal(out.ptr + 6, bytes, lens[i]);
		buf_free(&out);
		assert_int_equal(read_of(&refs[i]), OK);
		if (refs[i].depth > deepest) deepest = refs[i].depth;
	}
	assert_true(deepest >= 2); /* lists of lists, items across two of them */
	assert_int_equal(refs[1].depth, 0);
	free(bytes);
}

/* The items are those that were put in, in order. */
static void items_come_in_order(void **state) {
	(void)state;
	struct streamref_item items[ITEMS], item;
	uint8_t bytes[ITEMS * SIZE_STREAM_ITEM];
	struct streamread s;
	struct why why = { OK, "" };
	bool more;
	make_items(items);
	encode(items, ITEMS, bytes);
	struct streamref ref = {
		.length = ITEMS_BYTES, .depth = 1, .id = list_chunk(bytes, sizeof bytes)
	};
	done();
	rawbox_ok(streamread_open(&s, fetch, CHUNKTYPE_CONTENT, &ref, &why), &why);
	for (unsigned i = 0; i < ITEMS; i++) {
		rawbox_ok(streamread_next(&s, &item, &more, &why), &why);
		assert_true(more);
		assert_int_equal(item.length, i + 1);
		assert_true(hash_equal(&item.id, &items[i].id));
	}
	rawbox_ok(streamread_next(&s, &item, &more, &why), &why);
	assert_false(more);
	streamread_close(&s);
}

/* Blocks that a stream held are let go, wherever it was left: else the cache would be full for ever. */
static void nothing_stays_held(void **state) {
	(void)state;
	uint8_t *bytes = malloc(100000);
	struct streamref refs[MANY];
	assert_non_null(bytes);
	craft_drop(&craft);
	for (size_t i = 0; i < MANY;
		 i++) { /* each in a pack of its own, so that its lists are in blocks of their own */
		struct streamref none = { .length = 0 };
		craft_begin(&craft, &box->t);
		storesuite_bytes(bytes, 100000, 1000 + i);
		refs[i] = craft_content(&craft, span_of(bytes, 100000));
		assert_true(refs[i].depth >= 1);
		(void)craft_end(&craft, &none, 0, 0);
	}
	fetch = rawbox_fetch(box, 1);
	for (size_t i = 0; i < MANY; i++) {
		struct streamread s;
		struct streamref_item item;
		struct why why = { OK, "" };
		bool more;
		rawbox_ok(streamread_open(&s, fetch, CHUNKTYPE_CONTENT, &refs[i], &why), &why);
		for (size_t k = 0; k <= i; k++) {
			rawbox_ok(streamread_next(&s, &item, &more, &why), &why);
			assert_true(more);
		}
		streamread_close(&s);
		streamread_close(&s); /* nothing left */
	}
	free(bytes);
}

/* --- what is not what the reference says */

static void of_another_origin(void **state) {
	(void)state;
	struct streamref ref = craft_content(&craft, span_text("content"));
	struct streamread s;
	struct buf out;
	struct why why = { OK, "" };
	done();
	ref.origin.kind = ORIGIN_OWN + 1;
	assert_int_equal(streamread_open(&s, fetch, CHUNKTYPE_CONTENT, &ref, &why), E_UNSUPPORTED);
	streamread_close(&s);
	buf_init(&out, 100);
	assert_int_equal(streamread_whole(fetch, CHUNKTYPE_CONTENT, &ref, &out, &why), E_UNSUPPORTED);
	buf_free(&out);
}

static void a_length_that_is_wrong(void **state) {
	(void)state;
	uint8_t *bytes = random_bytes(LEN);
	struct streamref deep = craft_content(&craft, span_of(bytes, LEN));
	struct streamref flat = craft_content(&craft, span_of(bytes, 200));
	struct streamref bad;
	struct buf out;
	struct why why = { OK, "" };
	done();
	free(bytes);
	assert_true(deep.depth >= 2);
	static const int64_t wrong[] = { -1, 1, -LEN + 1, LEN };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		bad = deep;
		bad.length = (uint64_t)((int64_t)bad.length + wrong[i]);
		assert_int_equal(read_of(&bad), E_FORGED);
	}
	/* of one chunk, the length is seen when it is fetched */
	bad = flat;
	bad.length++;
	buf_init(&out, 1000);
	assert_int_equal(streamread_whole(fetch, CHUNKTYPE_CONTENT, &bad, &out, &why), E_FORGED);
	assert_int_equal(why.code, E_FORGED);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	bad.length = LIMIT_CHUNK + 1;
	assert_int_equal(read_of(&bad), E_FORGED);
	bad.length = UINT64_MAX;
	assert_int_equal(read_of(&bad), E_FORGED);
	bad = deep;
	bad.length = INT64_MAX;
	assert_int_equal(read_of(&bad), E_FORGED);
}

static void a_depth_that_is_wrong(void **state) {
	(void)state;
	uint8_t *bytes = random_bytes(LEN);
	struct streamref ref = craft_content(&craft, span_of(bytes, LEN));
	struct streamref flat = craft_content(&craft, span_of(bytes, 200));
	uint8_t right = ref.depth;
	done();
	free(bytes);
	for (uint8_t depth = 1; depth <= LIMIT_STREAM_DEPTH; depth++) {
		ref.depth = depth;
		assert_int_equal(read_of(&ref), depth == right ? OK : E_FORGED);
		flat.depth = depth;
		assert_int_equal(read_of(&flat), E_FORGED);
	}
}

/* Lists that no writer makes: torn, of items without length, with a length that their chunk has not. */
static void lists_that_are_malformed(void **state) {
	(void)state;
	struct streamref_item items[ITEMS];
	uint8_t bytes[ITEMS * SIZE_STREAM_ITEM];
	struct streamref ref = { .length = ITEMS_BYTES, .depth = 1 }, refs[8];
	size_t n = 0;
	make_items(items);
	encode(items, ITEMS, bytes);
	ref.id = list_chunk(bytes, sizeof bytes);
	struct streamref good = ref;
	ref.id = list_chunk(bytes, sizeof bytes - 1);
	refs[n++] = ref;
	ref.id = list_chunk(bytes, sizeof bytes - SIZE_STREAM_ITEM);
	refs[n++] = ref;
	ref.id = list_chunk(bytes, 1);
	refs[n++] = ref;
	ref.length -= ITEMS; /* all is there, and a beginning of one more */
	ref.id = list_chunk(bytes, sizeof bytes - 1);
	refs[n++] = ref;
	memset(bytes + sizeof bytes - 3, 0, 3); /* the last item has no length */
	ref.id = list_chunk(bytes, sizeof bytes);
	refs[n++] = ref;
	ref.length += ITEMS - 1; /* as if it were the one before again */
	refs[n++] = ref;
	ref.length -= ITEMS - 1;
	memset(bytes + sizeof bytes - 3, 0xff, 3); /* or more than a chunk has */
	ref.id = list_chunk(bytes, sizeof bytes);
	ref.length += 0xffffff;
	refs[n++] = ref;
	/* two lists below one: right, and with the length of the first one off */
	struct streamref_item halves[2];
	uint8_t top[2 * SIZE_STREAM_ITEM];
	encode(items, ITEMS, bytes);
	halves[0].length = 5 * SIZE_STREAM_ITEM + 7; /* cut in an item */
	halves[0].id = list_chunk(bytes, halves[0].length);
	halves[1].length = (uint32_t)sizeof bytes - halves[0].length;
	halves[1].id = list_chunk(bytes + halves[0].length, halves[1].length);
	encode(halves, 2, top);
	struct streamref deep = {
		.length = ITEMS_BYTES, .depth = 2, .id = list_chunk(top, sizeof top)
	};
	struct streamref off = deep;
	halves[0].length++;
	encode(halves, 2, top);
	off.id = list_chunk(top, sizeof top);
	done();
	assert_int_equal(read_of(&good), OK);
	for (size_t i = 0; i < n; i++) assert_int_equal(read_of(&refs[i]), E_FORGED);
	assert_int_equal(read_of(&deep), OK);
	assert_int_equal(read_of(&off), E_FORGED);
}

/* An item that gives its chunk another length: seen by who fetches it. */
static void an_item_that_is_wrong_of_its_chunk(void **state) {
	(void)state;
	struct streamref_item items[ITEMS];
	uint8_t bytes[ITEMS * SIZE_STREAM_ITEM];
	struct buf out;
	struct why why = { OK, "" };
	make_items(items);
	items[4].length++;
	items[5].length--;
	encode(items, ITEMS, bytes);
	struct streamref ref = {
		.length = ITEMS_BYTES, .depth = 1, .id = list_chunk(bytes, sizeof bytes)
	};
	done();
	buf_init(&out, 10000);
	assert_int_equal(streamread_whole(fetch, CHUNKTYPE_CONTENT, &ref, &out, &why), E_FORGED);
	buf_free(&out);
}

static void a_string_longer_than_there_is_room(void **state) {
	(void)state;
	uint8_t *bytes = random_bytes(LEN);
	struct streamref ref = craft_content(&craft, span_of(bytes, LEN));
	struct buf out;
	struct why why = { OK, "" };
	done();
	buf_init(&out, LEN - 1);
	assert_int_equal(streamread_whole(fetch, CHUNKTYPE_CONTENT, &ref, &out, &why), E_LIMIT);
	assert_true(out.len < LEN);
	buf_free(&out);
	free(bytes);
}

static void lists_that_cannot_be_read(void **state) {
	(void)state;
	uint8_t *bytes = random_bytes(LEN);
	struct streamref ref = craft_content(&craft, span_of(bytes, LEN));
	struct streamref_item items[ITEMS];
	uint8_t list[ITEMS * SIZE_STREAM_ITEM];
	struct why why;
	size_t count;
	char hex[HASH_HEX];
	make_items(items);
	items[7].id = storesuite_id(5); /* a chunk that is nowhere */
	encode(items, ITEMS, list);
	struct streamref hole = {
		.length = ITEMS_BYTES, .depth = 1, .id = list_chunk(list, sizeof list)
	};
	struct streamref gone = ref;
	gone.id = storesuite_id(6); /* or a list */
	done();
	free(bytes);
	assert_int_equal(read_both(&gone, &count, &why), E_FORGED);
	hash_hex(hex, &gone.id);
	assert_non_null(strstr(why.msg, hex));
	/* the list is well, its chunk is missing: the items come, the string does not */
	struct streamread s;
	struct streamref_item item;
	struct buf out;
	bool more = true;
	rawbox_ok(streamread_open(&s, fetch, CHUNKTYPE_CONTENT, &hole, &why), &why);
	for (count = 0; more; count++) rawbox_ok(streamread_next(&s, &item, &more, &why), &why);
	assert_int_equal(count, ITEMS + 1);
	streamread_close(&s);
	buf_init(&out, 10000);
	assert_int_equal(streamread_whole(fetch, CHUNKTYPE_CONTENT, &hole, &out, &why), E_FORGED);
	hash_hex(hex, &items[7].id);
	assert_non_null(strstr(why.msg, hex));
	buf_free(&out);
	/* and a store that fails is no damage */
	fetch_free(fetch);
	fetch = rawbox_fetch(box, 1);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(read_of(&ref), E_IO);
	faulty_clear(box->store);
	assert_int_equal(read_of(&ref), OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_depth_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(items_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_stays_held, setup, teardown),
		cmocka_unit_test_setup_teardown(of_another_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(a_length_that_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(a_depth_that_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_that_are_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(an_item_that_is_wrong_of_its_chunk, setup, teardown),
		cmocka_unit_test_setup_teardown(a_string_longer_than_there_is_room, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_that_cannot_be_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
