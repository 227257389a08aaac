#include "os/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

struct range {
	uint32_t low;
	uint32_t high;
};

/* Characters that a terminal acts on, or that can't be seen. In order. */
static const struct range hostile[] = {
	{ 0x0000, 0x001f },
	{ 0x005c, 0x005c },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x061c, 0x061c },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200b },
	{ 0x200e, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0xe0000, 0xe0fff },
};

/* Characters of two columns, and of none. A rough table: a wrong width costs a wrapped progress line, no more. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0xa4cf },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};
static const struct range narrow[] = {
	{ 0x0300, 0x036f },
	{ 0x0483, 0x0489 },
	{ 0x0591, 0x05bd },
	{ 0x064b, 0x065f },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x200c, 0x200d },
	{ 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool in_table(const struct range *table, size_t n, uint32_t c) {
	for (size_t i = 0; i < n && table[i].low <= c; i++)
		if (c <= table[i].high) return true;
	return false;
}

/* The character at the head of ${s}, and its bytes; false (and one byte) where it is not UTF-8. */
static bool take_char(struct span s, uint32_t *out, size_t *n) {
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s.ptr[0];
	size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	*n = 1;
	*out = c;
	if (len <= 1) return len == 1;
	if (s.len < len) return false;
	c &= UINT32_C(0x7f) >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80) return false;
		c = c << 6 | (s.ptr[i] & 0x3f);
	}
	if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) return false;
	*n = len;
	*out = c;
	return true;
}

static bool plain_byte(uint8_t c) {
	return c >= 0x20 && c < 0x7f && c != '\\';
}

static enum err escape_bytes(struct buf *out, struct span bytes) {
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.len; i++) {
		char text[4] = { '\\', 'x', digits[bytes.ptr[i] >> 4], digits[bytes.ptr[i] & 15] };
		enum err e = buf_add(out, span_of(text, sizeof(text)));

		if (e != OK) return e;
	}
	return OK;
}

enum err terminal_escape(struct buf *out, struct span text) {
	enum err e = OK;

	while (e == OK && text.len > 0) {
		size_t n = 0;
		uint32_t c;

		while (n < text.len && plain_byte(text.ptr[n])) n++;
		if (n > 0) {
			e = buf_add(out, span_of(text.ptr, n));
		} else if (text.ptr[0] == '\\') {
			n = 1;
			e = buf_add(out, span_text("\\\\"));
		} else if (!take_char(text, &c, &n) || in_table(hostile, COUNT(hostile), c) ||
			(c & 0xfffe) == 0xfffe) {
			e = escape_bytes(out, span_of(text.ptr, n));
		} else {
			e = buf_add(out, span_of(text.ptr, n));
		}
		text = span_skip(text, n);
	}
	return e;
}

static size_t char_width(uint32_t c) {
	if (in_table(narrow, COUNT(narrow), c)) return 0;
	return in_table(wide, COUNT(wide), c) ? 2 : 1;
}

static size_t measure(struct span text, size_t columns, size_t *bytes) {
	size_t used = 0;
	size_t at = 0;

	while (at < text.len) {
		uint32_t c;
		size_t n;
		size_t w;

		(void)take_char(span_skip(text, at), &c, &n);
		w = char_width(c);
		if (w > columns - used) break;
		used += w;
		at += n;
	}
	*bytes = at;
	return used;
}

size_t terminal_fit(struct span text, size_t columns) {
	size_t bytes;

	(void)measure(text, columns, &bytes);
	return bytes;
}

size_t terminal_width(struct span text) {
	size_t bytes;

	return measure(text, SIZE_MAX, &bytes);
}

bool terminal_is(int fd) {
	return isatty(fd) == 1;
}

size_t terminal_columns(int fd) {
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
	return size.ws_col;
}
