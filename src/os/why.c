#include "os/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err why_set(struct why *why, enum err code, const char *format, ...) {
	if (!why) return code;
	va_list args;
	va_start(args, format);
	why->code = code;
	(void)vsnprintf(why->msg, sizeof why->msg, format, args);
	va_end(args);
	return code;
}

static enum err code_of(int number) {
	switch (number) {
	case ENOENT: return E_NOTFOUND;
	case EEXIST: return E_EXISTS;
	case ENOMEM: return E_NOMEM;
	case EACCES:
	case EPERM: return E_DENIED;
	default: return E_IO;
	}
}

enum err why_errno(struct why *why, const char *format, ...) {
	int number = errno;
	enum err code = code_of(number);
	if (!why) return code;
	va_list args;
	va_start(args, format);
	why->code = code;
	int n = vsnprintf(why->msg, sizeof why->msg, format, args);
	va_end(args);
	char text[128];
	if (n >= 0 && (size_t)n + 2 < sizeof why->msg)
		(void)snprintf(why->msg + n, sizeof why->msg - (size_t)n, ": %s",
			strerror_r(number, text, sizeof text));
	return code;
}

enum err why_in(struct why *why, const char *object) {
	if (!why) return E_IO;
	char old[WHY_MAX];
	memcpy(old, why->msg, sizeof old);
	(void)snprintf(why->msg, sizeof why->msg, "%.200s: %.300s", object, old);
	return why->code;
}

enum err why_err(struct why *why, enum err code, const char *what) {
	if (code == OK) return OK;
	return why_set(why, code, "%s: %s", what, err_text(code));
}
