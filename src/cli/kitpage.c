#include "cli/kitpage.h"

#include <qrencode.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/textout.h"
#include "os/userfile.h"

enum {
	QUIET = 4, /* empty modules around a QR code, as its standard asks */
	INDENT = 8,
};

static const char intro[] =
	"This opens the account, all its vaults and everything in them, on any machine, together with the store. Nothing "
	"else does if the devices are lost: nobody can make another one. Whoever finds this page and the store has "
	"everything too.";

static const char keep_file[] =
	"Print it, or copy the code by hand; keep it apart from the devices, best in two places; then delete the file.";

static const char keep_shown[] =
	"Copy the code by hand, or print this; keep it apart from the devices, best in two places. It is not shown again.";

static const char steps[] =
	"To open the account on a new machine: install Broch, have the store at hand, run\n\n"
	"broch recover --at STORE\n\n"
	"and type the code. Capitals, hyphens and spaces do not matter; I and L are read as 1, O as 0. A mistyped character "
	"is named. To see that the code is right without changing anything: broch kit verify. When the page may have been "
	"seen by somebody: broch kit replace.";

/* A module of the code, with the quiet zone around it. */
static bool dark(const QRcode *code, int x, int y) {
	if (x < 0 || y < 0 || x >= code->width || y >= code->width) return false;
	return code->data[y * code->width + x] & 1;
}

/* Two rows of modules in a line of half blocks. */
static void draw_rows(struct textout *t, const QRcode *code, int y, bool inverse) {
	static const char *const blocks[4] = { " ", "\u2584", "\u2580", "\u2588" };

	textout_put(t, "%*s", INDENT, "");
	for (int x = -QUIET; x < code->width + QUIET; x++) {
		unsigned upper = dark(code, x, y) != inverse;
		unsigned lower = dark(code, x, y + 1) != inverse;

		textout_put(t, "%s", blocks[upper << 1 | lower]);
	}
	textout_put(t, "\n");
}

/* A page without its picture is a page still: only memory can run out here. */
static void draw(struct textout *t, const char *text, bool inverse) {
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_Q, QR_MODE_8, 1);

	if (!code) {
		t->e = E_NOMEM;
		return;
	}
	for (int y = -QUIET; y < code->width + QUIET; y += 2) draw_rows(t, code, y, inverse);
	mem_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

enum err kitpage_render(
	struct buf *out, const struct kitpage *page, const uint8_t secret[KITCODE_SECRET]) {
	struct textout t = textout_to(out);
	char code[KITCODE_TEXT];
	enum err e =
		buf_reserve(out, KITPAGE_MAX); /* so that growing leaves no copy of the code behind */

	if (e != OK) return e;
	kitcode_encode(code, secret);
	textout_put(&t, "BROCH RECOVERY KIT\n\n");
	textout_wrap(&t, intro, 0, 0, 78);
	textout_put(&t, "\n");
	textout_wrap(&t, page->is_file ? keep_file : keep_shown, 0, 0, 78);
	textout_put(&t, "\n        " KITCODE_MARKER "  ");
	textout_raw(&t, code, KITCODE_TEXT - 1); /* textout_put would leave a copy on the stack */
	textout_put(&t, "\n\n");
	draw(&t, code, page->light_on_dark);
	textout_put(&t, "\n");
	textout_wrap(&t, steps, 0, 0, 78);
	textout_put(&t, "\nAccount: %.200s\nMade on: %.40s\nStore then: %.1000s\n", page->account,
		page->date, page->store);
	mem_wipe(code, sizeof(code));
	return textout_finish(&t);
}

enum err kitpage_write(const char *path, const struct kitpage *page,
	const uint8_t secret[KITCODE_SECRET], struct why *why) {
	struct kitpage as_file = *page;
	struct buf text;
	enum err e;

	as_file.is_file = true;
	buf_init(&text, KITPAGE_MAX);
	e = why_err(why, kitpage_render(&text, &as_file, secret), "making the recovery kit's page");
	if (e == OK) e = userfile_write_new(path, "the recovery kit", buf_span(&text), why);
	buf_wipe_free(&text);
	return e;
}

/* Which pairs may be swapped, as "places 3 and 4, or 9 and 10". */
static void list_swaps(char *out, size_t room, uint32_t places) {
	size_t len = 0;

	for (unsigned p = 0; p < 32 && len < room; p++) {
		if (places >> p & 1)
			len += (size_t)snprintf(
				out + len, room - len, "%s%u and %u", len ? ", or " : "", p + 1, p + 2);
	}
}

static enum err tell(const struct kitcode_fault *f, struct why *why) {
	char swaps[160] = "";
	char was[8];

	snprintf(was, sizeof(was), f->was > 0x20 && f->was < 0x7f ? "%c" : "\\x%02x", f->was);
	switch (f->kind) {
	case KITCODE_LENGTH:
		return why_set(why, E_DENIED, "a recovery code has %d characters; these are %u",
			KITCODE_SYMBOLS, f->found);
	case KITCODE_FOREIGN:
		return why_set(why, E_DENIED,
			"character %u of the code, \"%s\", can't be one of a recovery code", f->place, was);
	case KITCODE_ONE:
		return why_set(why, E_DENIED,
			"character %u of the code, \"%s\", is wrong; if it is the only one, it should be \"%c\": compare "
			"it with the page",
			f->place, was, f->should);
	case KITCODE_SWAPPED:
		list_swaps(swaps, sizeof(swaps), f->places);
		return why_set(why, E_DENIED,
			"two neighbouring characters of the code are swapped: %s; compare them with the page",
			swaps);
	case KITCODE_VERSION:
		return why_set(why, E_UNSUPPORTED,
			"this recovery kit is of version %u, which this program does not know", f->version);
	case KITCODE_BROKEN:
	case KITCODE_GOOD: break;
	}
	return why_set(
		why, E_DENIED, "this is not a recovery code, or several of its characters are wrong");
}

enum err kitpage_parse(struct span text, uint8_t secret_out[KITCODE_SECRET], struct why *why) {
	struct kitcode_fault fault;
	enum err e = kitcode_decode(secret_out, text, &fault);

	if (e != OK) e = tell(&fault, why);
	mem_wipe(&fault, sizeof(fault));
	return e;
}

enum err kitpage_read(const char *path, uint8_t secret_out[KITCODE_SECRET], struct why *why) {
	struct buf text;
	enum err e;

	buf_init(&text, KITCODE_INPUT_MAX + 1);
	e = userfile_read(path, "the recovery kit", KITCODE_INPUT_MAX, &text, why);
	if (e == E_DENIED) { /* a file that can't be read is no wrong kit */
		e = E_IO;
		if (why) why->code = e;
	}
	if (e == OK) e = kitpage_parse(buf_span(&text), secret_out, why);
	buf_wipe_free(&text);
	return e;
}
