/*
 * The text of a recovery kit: 128 random bits as 28 characters, of which the last two are checks that name the place
 * of any one mistyped character and detect any swap of neighbours (doc/spec/kit.md). This is the code only: what is
 * derived from the bits is elsewhere, and nothing here says whether a kit opens an account.
 */
#ifndef SECRET_KITCODE_H
#define SECRET_KITCODE_H

#include "base/err.h"
#include "base/span.h"

enum {
	KITCODE_SECRET = 16,       /* bytes of the secret */
	KITCODE_SYMBOLS = 28,      /* characters without hyphens */
	KITCODE_TEXT = 35,         /* seven groups of four, six hyphens, a NUL */
	KITCODE_INPUT_MAX = 65536, /* the longest text that kitcode_decode looks at */
};

/* A line that starts with this (after white space) holds the code in a page. */
#define KITCODE_MARKER "Recovery code:"

enum kitcode_trouble {
	KITCODE_GOOD = 0,
	KITCODE_LENGTH,  /* not 28 characters: ${found} of them */
	KITCODE_FOREIGN, /* the character at ${place} is none of the alphabet: ${was} */
	KITCODE_ONE, /* one character is wrong: the one at ${place}, ${was}, should be ${should} (if it is only one) */
	KITCODE_SWAPPED, /* neighbours are swapped: the one at ${place} with the next; ${places} has a bit for every pair it may be */
	KITCODE_BROKEN,  /* several characters are wrong: not a kit */
	KITCODE_VERSION, /* a good code of a version that this program does not know: ${version} */
};

/* What is wrong with a code. Places count from 1, without hyphens and spaces. Holds parts of the typed code: wipe it. */
struct kitcode_fault {
	enum kitcode_trouble kind;
	unsigned place;
	unsigned found;
	unsigned version;
	uint32_t places; /* bit p-1: the swap may be of places p and p+1 */
	uint8_t was;     /* a byte of the input, as typed */
	char should;
};

/* The code of ${secret}, in groups of four with hyphens, NUL-terminated. */
void kitcode_encode(char out[KITCODE_TEXT], const uint8_t secret[KITCODE_SECRET]);

/*
 * Reads a code, or a page with a line that starts with KITCODE_MARKER (the first such line counts; the page's other
 * lines are not looked at). Case, white space and hyphens do not matter; I and L read as 1, O as 0. ${secret_out} is
 * written on OK only. E_FORMAT with what is wrong in ${*fault}; E_UNSUPPORTED for KITCODE_VERSION; E_LIMIT for a text
 * longer than KITCODE_INPUT_MAX (${*fault} then says KITCODE_LENGTH). A mistake is never put right silently.
 */
MUST_USE enum err kitcode_decode(
	uint8_t secret_out[KITCODE_SECRET], struct span text, struct kitcode_fault *fault);

#endif
