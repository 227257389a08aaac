#include "secret/kitcode.h"

#include <string.h>

#include "base/mem.h"

/*
 * The 28 symbols are a word of a Reed-Solomon code over GF(32) = GF(2)[x] / (x^5 + x^2 + 1), alpha = x, with the roots
 * alpha^0 and alpha^1: the sums of c_i and of c_i * alpha^i are both zero. One error e at place p leaves e and
 * e * alpha^p, which name it. A swap of neighbours a and b leaves 0 and (a + b) * alpha^p * (1 + alpha), which is not 0.
 *
 * What handles the symbols of a good code has no branch and no table index that depends on them.
 */
enum {
	DATA_SYMBOLS = 26,
	CHECK_0 = 26,
	CHECK_1 = 27,
	BAD = 0xff,
};

struct word {
	uint8_t c[KITCODE_SYMBOLS];
};

/* 1 where a < b, else 0; both below 2^31. */
static uint32_t less(uint32_t a, uint32_t b) {
	return (a - b) >> 31;
}

static uint32_t within(uint32_t v, uint32_t low, uint32_t high) {
	return less(v, high + 1) & (less(v, low) ^ 1);
}

/* 0-9, then A-Z without I, L, O, U. */
static char symbol_char(uint32_t v) {
	return (char)('0' + v + 7 * less(9, v) + less(17, v) + less(19, v) + less(21, v) + less(26, v));
}

/* The inverse, for either case, with I, L as 1 and O as 0; BAD for everything else. */
static uint8_t symbol_value(uint8_t byte) {
	uint32_t c = byte;
	uint32_t v;
	uint32_t digit = within(c, '0', '9');
	uint32_t letter;

	c -= 32 * within(c, 'a', 'z');
	letter = within(c, 'A', 'Z') & (within(c, 'U', 'U') ^ 1);
	v = c - 'A' + 10 - less('I', c) - less('L', c) - less('O', c) - less('U', c);
	v = v * (within(c, 'I', 'I') ^ 1) * (within(c, 'L', 'L') ^ 1) * (within(c, 'O', 'O') ^ 1);
	v += within(c, 'I', 'I') + within(c, 'L', 'L');
	return (uint8_t)(v * letter + (c - '0') * digit + BAD * (1 - letter - digit));
}

static uint8_t gf_times_alpha(uint8_t a) {
	return (uint8_t)((a << 1 ^ 0x25 * (a >> 4)) & 0x1f);
}

static uint8_t gf_times(uint8_t a, uint8_t b) {
	uint8_t sum = 0;

	for (int bit = 4; bit >= 0; bit--) sum = (uint8_t)(gf_times_alpha(sum) ^ a * (b >> bit & 1));
	return sum;
}

/* The sums of c_i and of c_i * alpha^i over the first ${n} places. */
static void syndromes(const struct word *w, unsigned n, uint8_t *s0, uint8_t *s1) {
	*s0 = 0;
	*s1 = 0;
	for (unsigned i = n; i > 0; i--) {
		*s0 ^= w->c[i - 1];
		*s1 = (uint8_t)(gf_times_alpha(*s1) ^ w->c[i - 1]);
	}
}

static uint8_t gf_alpha_to(unsigned n) {
	uint8_t a = 1;

	while (n-- > 0) a = gf_times_alpha(a);
	return a;
}

/* In GF(32) a^31 = 1 for a other than 0, so a^30 is its inverse. */
static uint8_t gf_inverse(uint8_t a) {
	uint8_t out = 1;

	for (int i = 0; i < 30; i++) out = gf_times(out, a);
	return out;
}

/*
 * With the sums s0 and s1 of the data: c26 + c27 = s0 and c26 alpha^26 + c27 alpha^27 = s1. So
 * c27 (alpha^27 + alpha^26) = s1 + s0 alpha^26.
 */
static void add_checks(struct word *w) {
	uint8_t s0, s1;
	uint8_t a26 = gf_alpha_to(CHECK_0);
	uint8_t denominator = a26 ^ gf_alpha_to(CHECK_1);

	syndromes(w, DATA_SYMBOLS, &s0, &s1);
	w->c[CHECK_1] = gf_times((uint8_t)(s1 ^ gf_times(s0, a26)), gf_inverse(denominator));
	w->c[CHECK_0] = s0 ^ w->c[CHECK_1];
}

/* Bit ${i} of the 130: two version bits (both 0 here), then the bytes, the most significant bit first. */
static uint32_t secret_bit(const uint8_t secret[KITCODE_SECRET], unsigned i) {
	return i < 2 ? 0 : (uint32_t)secret[(i - 2) / 8] >> (7 - (i - 2) % 8) & 1;
}

void kitcode_encode(char out[KITCODE_TEXT], const uint8_t secret[KITCODE_SECRET]) {
	struct word w = { { 0 } };
	char *at = out;

	for (unsigned i = 0; i < DATA_SYMBOLS * 5; i++)
		w.c[i / 5] = (uint8_t)((uint32_t)w.c[i / 5] << 1 | secret_bit(secret, i));
	add_checks(&w);
	for (unsigned i = 0; i < KITCODE_SYMBOLS; i++) {
		if (i > 0 && i % 4 == 0) *at++ = '-';
		*at++ = symbol_char(w.c[i]);
	}
	*at = '\0';
	mem_wipe(&w, sizeof(w));
}

static bool is_space(uint8_t c) {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts the first line off ${*rest}. */
static struct span next_line(struct span *rest) {
	const uint8_t *end = memchr(rest->ptr, '\n', rest->len);
	struct span line = span_of(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);

	*rest = span_skip(*rest, line.len + (end ? 1 : 0));
	return line;
}

/* The rest of the line with the marker, or the whole text where there is none. */
static struct span find_code(struct span text) {
	struct span marker = span_text(KITCODE_MARKER);
	struct span rest = text;

	while (rest.len > 0) {
		struct span line = next_line(&rest);

		while (line.len > 0 && is_space(line.ptr[0])) line = span_skip(line, 1);
		if (line.len >= marker.len && span_equal(span_of(line.ptr, marker.len), marker))
			return span_skip(line, marker.len);
	}
	return text;
}

/* The symbols of ${code} to ${w}, the bytes they were typed as to ${typed}. */
static enum err read_symbols(
	struct word *w, uint8_t typed[KITCODE_SYMBOLS], struct span code, struct kitcode_fault *f) {
	unsigned n = 0;
	unsigned foreign = 0;
	uint8_t foreign_byte = 0;

	for (size_t i = 0; i < code.len; i++) {
		uint8_t c = code.ptr[i];
		uint8_t v;

		if (is_space(c) || c == '-') continue;
		v = symbol_value(c);
		if (n < KITCODE_SYMBOLS) {
			w->c[n] = v;
			typed[n] = c;
		}
		n++;
		if (v == BAD && foreign == 0) {
			foreign = n;
			foreign_byte = c;
		}
	}
	f->found = n;
	if (foreign != 0) {
		f->kind = KITCODE_FOREIGN;
		f->place = foreign;
		f->was = foreign_byte;
		return E_FORMAT;
	}
	if (n != KITCODE_SYMBOLS) {
		f->kind = KITCODE_LENGTH;
		return E_FORMAT;
	}
	return OK;
}

static void name_swap(struct kitcode_fault *f, const struct word *w, uint8_t s1) {
	uint8_t power = 3; /* alpha^p * (1 + alpha) */

	for (unsigned p = 0; p + 1 < KITCODE_SYMBOLS; p++, power = gf_times_alpha(power)) {
		uint8_t d = w->c[p] ^ w->c[p + 1];

		if (d == 0 || gf_times(d, power) != s1) continue;
		f->kind = KITCODE_SWAPPED;
		f->place = f->place ? f->place : p + 1;
		f->places |= UINT32_C(1) << p;
	}
}

/* Only for a code that is wrong: here the time may depend on what was typed. */
static void name_fault(
	struct kitcode_fault *f, const struct word *w, const uint8_t *typed, uint8_t s0, uint8_t s1) {
	uint8_t at = s0;

	f->kind = KITCODE_BROKEN;
	if (s0 == 0) {
		name_swap(f, w, s1);
		return;
	}
	for (unsigned p = 0; p < KITCODE_SYMBOLS; p++, at = gf_times_alpha(at)) {
		if (at != s1) continue;
		f->kind = KITCODE_ONE;
		f->place = p + 1;
		f->was = typed[p];
		f->should = symbol_char(w->c[p] ^ s0);
		return;
	}
}

static void take_secret(uint8_t out[KITCODE_SECRET], const struct word *w) {
	memset(out, 0, KITCODE_SECRET);
	for (unsigned i = 2; i < DATA_SYMBOLS * 5; i++) {
		uint8_t *byte = &out[(i - 2) / 8];

		*byte = (uint8_t)(*byte << 1 | (w->c[i / 5] >> (4 - i % 5) & 1));
	}
}

enum err kitcode_decode(
	uint8_t secret_out[KITCODE_SECRET], struct span text, struct kitcode_fault *fault) {
	struct {
		struct word w;
		uint8_t typed[KITCODE_SYMBOLS];
		uint8_t s0, s1;
	} s = { .s0 = 0 };
	enum err e = OK;

	*fault = (struct kitcode_fault){ .kind = KITCODE_GOOD };
	if (text.len > KITCODE_INPUT_MAX) {
		fault->kind = KITCODE_LENGTH;
		return E_LIMIT;
	}
	e = read_symbols(&s.w, s.typed, find_code(text), fault);
	if (e != OK) goto out;
	syndromes(&s.w, KITCODE_SYMBOLS, &s.s0, &s.s1);
	if ((s.s0 | s.s1) != 0) {
		name_fault(fault, &s.w, s.typed, s.s0, s.s1);
		e = E_FORMAT;
		goto out;
	}
	fault->version = s.w.c[0] >> 3;
	if (fault->version != 0) {
		fault->kind = KITCODE_VERSION;
		e = E_UNSUPPORTED;
		goto out;
	}
	take_secret(secret_out, &s.w);
out:
	mem_wipe(&s, sizeof(s));
	return e;
}
