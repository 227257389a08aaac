/* os/terminal: nothing that a terminal acts on gets through, and everything can be turned back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/terminal.h"

static void expect(const char *text, size_t len, const char *want) {
	struct buf out;

	buf_init(&out, 1 << 20);
	assert_int_equal(terminal_escape(&out, span_of(text, len)), OK);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.ptr ? out.ptr : (const uint8_t *)"", want, out.len);
	buf_free(&out);
}

static void escapes(void **state) {
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "plain name.txt", "plain name.txt" },
		{ "", "" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07" },
		{ "a\\b", "a\\\\b" },
		{ "\x7f", "\\x7f" },
		{ "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
			"caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "31m",
			"\\xc2\\x9b31m" },                                              /* C1: CSI */
		{ "exe.\xe2\x80\xaetxt", "exe.\\xe2\\x80\\xaetxt" },                /* U+202E */
		{ "\xe2\x81\xa6x\xe2\x81\xa9", "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9" }, /* U+2066, U+2069 */
		{ "\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\xd8\\x9c\\xe2\\x80\\x8e\\xe2\\x80\\x8f" },
		{ "\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\xa8\\xe2\\x80\\x8b\\xef\\xbb\\xbf" },
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* a tag */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" }, /* cut */
		{ "\xe2\x80", "\\xe2\\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" },                   /* too long a form */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above all characters */
		{ "\xef\xbf\xbf", "\\xef\\xbf\\xbf" },          /* a noncharacter */
		{ "\xf0\x9f\xbf\xbe", "\\xf0\\x9f\\xbf\\xbe" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, strlen(cases[i].text), cases[i].want);
	expect("a\0b", 3, "a\\x00b");
}

/* As doc/json.md and broch(1) promise: `\\` and `\xNN` are all there is. */
static size_t unescape(const uint8_t *text, size_t len, uint8_t *out) {
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		if (text[i] != '\\') {
			out[n] = text[i++];
		} else if (text[i + 1] == '\\') {
			out[n] = '\\';
			i += 2;
		} else {
			char two[3] = { (char)text[i + 2], (char)text[i + 3], '\0' };

			assert_int_equal(text[i + 1], 'x');
			out[n] = (uint8_t)strtoul(two, NULL, 16);
			i += 4;
		}
	}
	return n;
}

static void turns_back(void **state) {
	unsigned seed = 5;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = round % 40;
		uint8_t *text = malloc(n ? n : 1);
		uint8_t back[256];
		struct buf out;

		assert_non_null(text);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = (uint8_t)(seed >> 24);
			if (round % 3 == 0) text[i] = (uint8_t) "\\x1\xe2\x80\xae\xc3"[seed >> 29];
		}
		buf_init(&out, 4096);
		assert_int_equal(terminal_escape(&out, span_of(text, n)), OK);
		for (size_t i = 0; i < out.len; i++) assert_true(out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
		assert_int_equal(unescape(out.ptr, out.len, back), n);
		assert_memory_equal(back, text, n);
		buf_free(&out);
		free(text);
	}
}

static void keeps_to_its_limits(void **state) {
	struct buf out;

	(void)state;
	buf_init(&out, 6);
	assert_int_equal(terminal_escape(&out, span_text("\x01\x02")), E_LIMIT);
	buf_free(&out);
	buf_init(&out, 100);
	mem_fail_at(1);
	assert_int_equal(terminal_escape(&out, span_text("abc")), E_NOMEM);
	mem_fail_at(0);
	buf_free(&out);
}

static void measures(void **state) {
	struct span wide = span_text("\xe6\x97\xa5\xe6\x9c\xac x");
	struct span marks = span_text("e\xcc\x81t\xc3\xa9");

	(void)state;
	assert_int_equal(terminal_width(wide), 6);
	assert_int_equal(terminal_fit(wide, 3), 3);
	assert_int_equal(terminal_fit(wide, 4), 6);
	assert_int_equal(terminal_fit(wide, 100), 8);
	assert_int_equal(terminal_width(marks), 3);
	assert_int_equal(terminal_fit(marks, 1), 3);
	assert_int_equal(terminal_fit(span_text("abc"), 0), 0);
	assert_false(terminal_is(-1));
	assert_int_equal(terminal_columns(-1), 80);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(turns_back),
		cmocka_unit_test(keeps_to_its_limits),
		cmocka_unit_test(measures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
