#include "client/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY = 86400,
	DAYS_MAX = 365250, /* 1000 years */
};

/* Digits at ${*text}, at least one, moved behind them. */
static enum err take_number(const char **text, uint64_t *out) {
	uint64_t n = 0;
	const char *at = *text;

	if (*at < '0' || *at > '9') return E_FORMAT;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (n > (UINT64_MAX - digit) / 10) return E_LIMIT;
		n = n * 10 + digit;
	}
	*text = at;
	*out = n;
	return OK;
}

enum err units_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out) {
	uint64_t n = 0;
	enum err e = take_number(&text, &n);

	if (e != OK) return e;
	if (*text != '\0') return E_FORMAT;
	if (n < min || n > max) return E_LIMIT;
	*out = n;
	return OK;
}

enum err units_parse_size(const char *text, uint64_t *out) {
	static const char letters[] = "bkmgt";
	uint64_t n = 0;
	unsigned shift = 0;
	enum err e = take_number(&text, &n);

	if (e != OK) return e;
	if (*text != '\0') {
		const char *at = strchr(letters, *text | 0x20);

		if (!at || text[1] != '\0') return E_FORMAT;
		shift = 10 * (unsigned)(at - letters);
	}
	if (n > (UINT64_MAX >> 1) >> shift) return E_LIMIT;
	*out = n << shift;
	return OK;
}

struct unit {
	const char *name; /* a longer one before its own beginning */
	uint32_t years;
	uint32_t months;
	uint32_t days;
	uint32_t seconds;
};

static const struct unit *take_unit(const char **text) {
	static const struct unit units[] = {
		{ "min", 0, 0, 0, 60 },
		{ "y", 1, 0, 0, 0 },
		{ "m", 0, 1, 0, 0 },
		{ "w", 0, 0, 7, 0 },
		{ "d", 0, 0, 1, 0 },
		{ "h", 0, 0, 0, 3600 },
		{ "s", 0, 0, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(*text, units[i].name, n) == 0) {
			*text += n;
			return &units[i];
		}
	}
	return NULL;
}

enum err units_parse_age(const char *text, struct units_age *out) {
	struct units_age a = { 0 };

	if (strcmp(text, "0") == 0) {
		*out = a;
		return OK;
	}
	if (*text == '\0') return E_FORMAT;
	while (*text != '\0') {
		uint64_t n = 0;
		const struct unit *u;
		enum err e = take_number(&text, &n);

		if (e != OK) return e;
		u = take_unit(&text);
		if (!u) return E_FORMAT;
		if (n > (uint64_t)DAYS_MAX * DAY) return E_LIMIT;
		if (n > DAYS_MAX && u->seconds == 0) return E_LIMIT;
		a.years += (uint32_t)n * u->years;
		a.months += (uint32_t)n * u->months;
		a.days += (uint32_t)n * u->days;
		a.seconds += n * u->seconds;
		if (a.years > 1000 || a.months > 12000 || a.days > DAYS_MAX ||
			a.seconds > (uint64_t)DAYS_MAX * DAY)
			return E_LIMIT;
	}
	*out = a;
	return OK;
}

enum err units_parse_seconds(const char *text, uint64_t *out) {
	struct units_age a = { 0 };
	enum err e = units_parse_age(text, &a);

	if (e != OK) return e;
	if (a.years != 0 || a.months != 0) return E_FORMAT;
	*out = (uint64_t)a.days * DAY + a.seconds;
	return OK;
}

enum err units_parse_percent(const char *text, uint32_t *millionths_out) {
	uint64_t whole = 0;
	uint32_t part = 0;
	enum err e = take_number(&text, &whole);

	if (e != OK) return e;
	if (whole > 100) return E_LIMIT;
	if (*text == '.') {
		uint32_t unit = 1000;

		if (text[1] < '0' || text[1] > '9') return E_FORMAT;
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10) {
			if (unit == 0) return E_FORMAT;
			part += (uint32_t)(*text - '0') * unit;
		}
	}
	if (*text == '%') text++;
	if (*text != '\0') return E_FORMAT;
	if (whole == 100 && part > 0) return E_LIMIT;
	*millionths_out = (uint32_t)whole * 10000 + part;
	return OK;
}

static const char *scaled(char out[UNITS_TEXT], double bytes, const char *behind) {
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; bytes >= 1024 && i < 4; i++) bytes /= 1024;
	snprintf(out, UNITS_TEXT, i == 0 ? "%.0f %s%s" : "%.3f %s%s", bytes, names[i], behind);
	return out;
}

const char *units_size(char out[UNITS_TEXT], uint64_t bytes) {
	return scaled(out, (double)bytes, "");
}

const char *units_rate(char out[UNITS_TEXT], uint64_t bytes, double seconds) {
	return scaled(out, seconds > 0 ? (double)bytes / seconds : 0, "/s");
}

const char *units_elapsed(char out[UNITS_TEXT], uint64_t seconds) {
	unsigned long long hours = seconds / 3600;
	unsigned minutes = (unsigned)(seconds / 60 % 60);
	unsigned rest = (unsigned)(seconds % 60);

	if (hours > 0) snprintf(out, UNITS_TEXT, "%llu:%02u:%02u", hours, minutes, rest);
	else snprintf(out, UNITS_TEXT, "%u:%02u", minutes, rest);
	return out;
}

const char *units_percent(char out[UNITS_TEXT], uint64_t part, uint64_t whole) {
	double p = whole ? 100.0 * (double)part / (double)whole : 0;

	out[0] = '\0';
	if (whole) snprintf(out, UNITS_TEXT, "%.2f%%", p > 100 ? 100 : p);
	return out;
}

const char *units_seconds(char out[UNITS_TEXT], uint64_t seconds) {
	static const struct {
		const char *name;
		uint64_t size;
	} units[] = { { "d", DAY }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	size_t len = 0;

	snprintf(out, UNITS_TEXT, "0");
	for (size_t i = 0; i < 4; i++) {
		uint64_t n = seconds / units[i].size;

		seconds %= units[i].size;
		if (n > 0)
			len += (size_t)snprintf(
				out + len, UNITS_TEXT - len, "%llu%s", (unsigned long long)n, units[i].name);
	}
	return out;
}

const char *units_count(char out[UNITS_TEXT], uint64_t n, const char *one, const char *more) {
	snprintf(out, UNITS_TEXT, "%llu %s", (unsigned long long)n, n == 1 ? one : more);
	return out;
}
