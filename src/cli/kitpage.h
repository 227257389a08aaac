/*
 * The recovery kit's page: plain text to be printed, with the code in groups and as a QR code; and the reading of a
 * page or of a code alone, with a sentence for each mistake.
 */
#ifndef CLI_KITPAGE_H
#define CLI_KITPAGE_H

#include "base/buf.h"
#include "os/why.h"
#include "secret/kitcode.h"

enum { KITPAGE_MAX = 32 << 10 };

struct kitpage {
	const char *account; /* the account's address, or the beginning of it */
	const char *store;   /* where the store was: a hint for whoever holds the page */
	const char *date;    /* "2026-03-01" */
	bool light_on_dark;  /* draw the QR code for a dark terminal, not for paper */
	bool is_file;        /* say that the file is to be deleted; set by kitpage_write */
};

/* The page to ${out}, whose maximum is to be at least KITPAGE_MAX and which is to be wiped. E_NOMEM. */
MUST_USE enum err kitpage_render(
	struct buf *out, const struct kitpage *page, const uint8_t secret[KITCODE_SECRET]);

/* Writes the page to the new file ${path}, mode 0600, synced. E_EXISTS where something is there, E_NOMEM, E_IO. */
MUST_USE enum err kitpage_write(const char *path, const struct kitpage *page,
	const uint8_t secret[KITCODE_SECRET], struct why *why);

/* Reads a page or a code. E_DENIED with what is wrong with it; what opening and reading says, E_IO for a missing right. */
MUST_USE enum err kitpage_read(
	const char *path, uint8_t secret_out[KITCODE_SECRET], struct why *why);

/* The same for text that was typed. */
MUST_USE enum err kitpage_parse(
	struct span text, uint8_t secret_out[KITCODE_SECRET], struct why *why);

#endif
