/* secret/kitcode: the vectors of test/vector/kit, and every single mistake that a person can make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "secret/kitcode.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static FILE *open_vectors(const char *name) {
	const char *root = getenv("BROCH_SOURCE_ROOT");
	char path[4096];
	FILE *f;

	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/test/vector/kit/%s", root, name);
	f = fopen(path, "r");
	assert_non_null(f);
	return f;
}

/* The next line that is no comment, without its end. */
static bool next_line(FILE *f, char *line, size_t room) {
	while (fgets(line, (int)room, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#') return true;
	}
	return false;
}

static void parse_secret(const char *hex, uint8_t out[KITCODE_SECRET]) {
	for (size_t i = 0; i < KITCODE_SECRET; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
}

static void good_vectors(void **state) {
	char line[256];
	unsigned n = 0;
	FILE *f = open_vectors("good.txt");

	(void)state;
	while (next_line(f, line, sizeof(line))) {
		uint8_t want[KITCODE_SECRET], got[KITCODE_SECRET];
		struct kitcode_fault fault;
		char text[KITCODE_TEXT];
		const char *code = strchr(line, '\t') + 1;

		parse_secret(line, want);
		assert_int_equal(kitcode_decode(got, span_text(code), &fault), OK);
		assert_int_equal(fault.kind, KITCODE_GOOD);
		assert_memory_equal(got, want, KITCODE_SECRET);
		kitcode_encode(text, want);
		if (n++ < 16) assert_string_equal(text, code); /* the others are written differently */
	}
	fclose(f);
	assert_int_equal(n, 21);
}

static void bad_vectors(void **state) {
	static const char *const kinds[] = { "good", "length", "foreign", "one", "swapped", "broken",
		"version" };
	char line[256];
	unsigned n = 0;
	FILE *f = open_vectors("bad.txt");

	(void)state;
	while (next_line(f, line, sizeof(line))) {
		uint8_t secret[KITCODE_SECRET];
		struct kitcode_fault fault;
		char kind[16], place[16], should[4], code[64] = "";
		uint32_t places = 0;
		enum err e;

		assert_int_equal(sscanf(line, "%15s\t%15s\t%3s\t%63[^\n]", kind, place, should, code), 4);
		e = kitcode_decode(secret, span_text(code), &fault);
		assert_int_equal(e, strcmp(kind, "version") == 0 ? E_UNSUPPORTED : E_FORMAT);
		assert_string_equal(kinds[fault.kind], kind);
		if (fault.kind == KITCODE_FOREIGN || fault.kind == KITCODE_ONE)
			assert_int_equal(fault.place, atoi(place));
		if (fault.kind == KITCODE_ONE) assert_int_equal(fault.should, should[0]);
		if (fault.kind == KITCODE_VERSION) assert_int_equal(fault.version, atoi(place));
		for (char *p = strtok(place, ","); p && fault.kind == KITCODE_SWAPPED;
			 p = strtok(NULL, ","))
			places |= UINT32_C(1) << (atoi(p) - 1);
		assert_int_equal(fault.places, places);
		n++;
	}
	fclose(f);
	assert_int_equal(n, 24);
}

/* A code without hyphens. */
static void make(char out[KITCODE_SYMBOLS + 1], unsigned seed) {
	uint8_t secret[KITCODE_SECRET];
	char text[KITCODE_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < KITCODE_SECRET; i++) {
		seed = seed * 1664525 + 1013904223;
		secret[i] = (uint8_t)(seed >> 24);
	}
	kitcode_encode(text, secret);
	for (const char *c = text; *c; c++)
		if (*c != '-') out[n++] = *c;
	out[n] = '\0';
	assert_int_equal(n, KITCODE_SYMBOLS);
}

/* Every wrong character at every place is named, with the right one. */
static void every_character(void **state) {
	unsigned tried = 0;

	(void)state;
	for (unsigned seed = 0; seed < 50; seed++) {
		char code[KITCODE_SYMBOLS + 1];

		make(code, seed);
		for (unsigned p = 0; p < KITCODE_SYMBOLS; p++) {
			char right = code[p];

			for (const char *wrong = alphabet; *wrong; wrong++) {
				uint8_t secret[KITCODE_SECRET] = { 0xa5 };
				struct kitcode_fault fault;

				if (*wrong == right) continue;
				code[p] = *wrong;
				assert_int_equal(kitcode_decode(secret, span_text(code), &fault), E_FORMAT);
				assert_int_equal(fault.kind, KITCODE_ONE);
				assert_int_equal(fault.place, p + 1);
				assert_int_equal(fault.was, *wrong);
				assert_int_equal(fault.should, right);
				assert_int_equal(secret[0], 0xa5);
				tried++;
			}
			code[p] = right;
		}
	}
	assert_int_equal(tried, 50 * KITCODE_SYMBOLS * 31);
}

/* Every swap of neighbours that differ is called a swap, and its place is among those named. */
static void every_swap(void **state) {
	unsigned tried = 0;

	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		char code[KITCODE_SYMBOLS + 1];

		make(code, seed);
		for (unsigned p = 0; p + 1 < KITCODE_SYMBOLS; p++) {
			char a = code[p], b = code[p + 1];
			uint8_t secret[KITCODE_SECRET];
			struct kitcode_fault fault;

			if (a == b) continue;
			code[p] = b;
			code[p + 1] = a;
			assert_int_equal(kitcode_decode(secret, span_text(code), &fault), E_FORMAT);
			assert_int_equal(fault.kind, KITCODE_SWAPPED);
			assert_true(fault.places >> p & 1);
			code[p] = a;
			code[p + 1] = b;
			tried++;
		}
	}
	assert_true(tried > 12000);
}

/* Each of the 256 bytes at one place: of the alphabet, a lookalike, white space, or named as foreign. */
static void every_byte(void **state) {
	char code[KITCODE_SYMBOLS + 1];

	(void)state;
	make(code, 7);
	for (unsigned byte = 0; byte < 256; byte++) {
		bool skipped = byte == '-' || byte == ' ' || (byte >= 9 && byte <= 13);
		int upper = byte >= 'a' && byte <= 'z' ? (int)byte - 32 : (int)byte;
		bool known = byte != 0 && (strchr(alphabet, upper) || strchr("ILO", upper));
		uint8_t secret[KITCODE_SECRET];
		struct kitcode_fault fault;
		char typed[KITCODE_SYMBOLS];

		memcpy(typed, code, sizeof(typed));
		typed[4] = (char)byte;
		(void)(kitcode_decode(secret, span_of(typed, sizeof(typed)), &fault) == OK);
		if (skipped) {
			assert_int_equal(fault.kind, KITCODE_LENGTH);
			assert_int_equal(fault.found, KITCODE_SYMBOLS - 1);
		} else if (known) {
			assert_true(fault.kind == KITCODE_GOOD || fault.kind == KITCODE_ONE);
		} else {
			assert_int_equal(fault.kind, KITCODE_FOREIGN);
			assert_int_equal(fault.place, 5);
			assert_int_equal(fault.was, byte);
		}
	}
}

static void finds_the_code_in_a_page(void **state) {
	static const char page[] = "BROCH RECOVERY KIT\nsome 1234 words\n   " KITCODE_MARKER
							   "  6KXG-501N-5D2Z-QC9Y-PF98-EKP6-KR5B\r\nmore\n";
	static const char empty[] = "words\n" KITCODE_MARKER "\n6KXG-501N-5D2Z-QC9Y-PF98-EKP6-KR5B\n";
	uint8_t secret[KITCODE_SECRET];
	struct kitcode_fault fault;

	(void)state;
	assert_int_equal(kitcode_decode(secret, span_text(page), &fault), OK);
	assert_int_equal(secret[0], 0xd3);
	assert_int_equal(kitcode_decode(secret, span_text(empty), &fault), E_FORMAT);
	assert_int_equal(fault.kind, KITCODE_LENGTH);
}

static void refuses_what_is_too_long(void **state) {
	char *text = calloc(1, KITCODE_INPUT_MAX + 1);
	uint8_t secret[KITCODE_SECRET];
	struct kitcode_fault fault;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', KITCODE_INPUT_MAX + 1);
	memcpy(text, "6KXG-501N-5D2Z-QC9Y-PF98-EKP6-KR5B", 34);
	assert_int_equal(kitcode_decode(secret, span_of(text, KITCODE_INPUT_MAX), &fault), OK);
	assert_int_equal(kitcode_decode(secret, span_of(text, KITCODE_INPUT_MAX + 1), &fault), E_LIMIT);
	free(text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_vectors),
		cmocka_unit_test(bad_vectors),
		cmocka_unit_test(every_character),
		cmocka_unit_test(every_swap),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(finds_the_code_in_a_page),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
