#include "base/err.h"

static const char *const texts[E_COUNT] = {
	[OK] = "ok",
	[E_NOMEM] = "out of memory",
	[E_IO] = "input or output failed",
	[E_BUSY] = "somebody else was first",
	[E_NOTFOUND] = "not found",
	[E_EXISTS] = "exists already",
	[E_FORMAT] = "malformed",
	[E_FORGED] = "does not authenticate",
	[E_ROLLBACK] = "older than what was seen",
	[E_LIMIT] = "over a limit",
	[E_DENIED] = "denied",
	[E_USAGE] = "wrong use",
	[E_UNSUPPORTED] = "not supported by this version",
	[E_CANCELLED] = "cancelled",
};

const char *err_text(enum err e) {
	if ((unsigned)e >= E_COUNT || !texts[e]) return "unknown error";
	return texts[e];
}

bool err_is_retryable(enum err e) {
	return e == E_IO || e == E_BUSY || e == E_NOMEM;
}

void err_ignore(enum err e) {
	(void)e;
}
