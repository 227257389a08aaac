#include "core/glob.h"

enum { NOT_UTF8 = 0x110000 };

/* The character at the head of ${s}, which is not empty, and its bytes; a byte that is not UTF-8 is one above all. */
static uint32_t head_char(struct span s, size_t *n) {
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s.ptr[0];
	size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	*n = 1;
	if (len <= 1) return len == 1 ? c : NOT_UTF8 + c;
	if (s.len < len) return NOT_UTF8 + c;
	c &= UINT32_C(0x7f) >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80) return NOT_UTF8 + s.ptr[0];
		c = c << 6 | (s.ptr[i] & 0x3f);
	}
	if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) return NOT_UTF8 + s.ptr[0];
	*n = len;
	return c;
}

/* Takes a character of a class, with its escape; false where there is none, or one that can't stand there. */
static bool class_char(struct span *p, uint32_t *out) {
	size_t n;

	if (p->len == 0 || p->ptr[0] == '-' || p->ptr[0] == ']') return false;
	if (p->ptr[0] == '\\') *p = span_skip(*p, 1);
	if (p->len == 0) return false;
	*out = head_char(*p, &n);
	*p = span_skip(*p, n);
	return *out < NOT_UTF8;
}

/* Takes a class from behind its `[` to behind its `]`. False if it is malformed. ${*in}: whether it has ${c}. */
static bool take_class(struct span *p, uint32_t c, bool *in) {
	bool inverse = p->len > 0 && p->ptr[0] == '^';
	bool found = false;
	size_t ranges = 0;

	*p = span_skip(*p, inverse);
	while (p->len > 0 && (p->ptr[0] != ']' || ranges == 0)) {
		uint32_t low, high;

		if (!class_char(p, &low)) return false;
		high = low;
		if (p->len > 0 && p->ptr[0] == '-') {
			*p = span_skip(*p, 1);
			if (!class_char(p, &high)) return false;
		}
		if (high < low) return false;
		found |= low <= c && c <= high;
		ranges++;
	}
	if (p->len == 0) return false;
	*p = span_skip(*p, 1);
	*in = found != inverse;
	return true;
}

/* Takes one element other than `*` off the pattern and says whether it is ${c}. False if malformed. */
static bool take_element(struct span *p, uint32_t c, bool *is) {
	size_t n;

	switch (p->ptr[0]) {
	case '?':
		*p = span_skip(*p, 1);
		*is = true;
		return true;
	case '[': *p = span_skip(*p, 1); return take_class(p, c, is);
	case '\\':
		*p = span_skip(*p, 1);
		if (p->len == 0) return false;
		break;
	default: break;
	}
	*is = head_char(*p, &n) == c;
	*p = span_skip(*p, n);
	return true;
}

bool glob_valid(struct span pattern) {
	bool is;

	while (pattern.len > 0) {
		if (pattern.ptr[0] == '*') pattern = span_skip(pattern, 1);
		else if (!take_element(&pattern, 0, &is)) return false;
	}
	return true;
}

bool glob_is_literal(struct span pattern) {
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t c = pattern.ptr[i];

		if (c == '\\' || c == '[' || c == ']' || c == '*' || c == '?') return false;
	}
	return true;
}

bool glob_match(struct span pattern, struct span name) {
	struct span after_star = { 0 };
	struct span from = { 0 }; /* where the last star's rest was tried */
	bool star = false;

	for (;;) {
		bool is = false;
		size_t n;

		if (pattern.len > 0 && pattern.ptr[0] == '*') {
			pattern = span_skip(pattern, 1);
			after_star = pattern;
			from = name;
			star = true;
			continue;
		}
		if (name.len == 0 && pattern.len == 0) return true;
		if (name.len > 0 && pattern.len > 0) {
			uint32_t c = head_char(name, &n);

			name = span_skip(name, n);
			if (take_element(&pattern, c, &is) && is) continue;
		}
		if (!star || from.len == 0) return false;
		(void)head_char(from, &n);
		from = span_skip(from, n);
		name = from;
		pattern = after_star;
	}
}
