#include "client/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"

static const int64_t SECOND = 1000000000;

/* Exactly ${digits} digits. */
static bool take_digits(const char **text, int digits, int *out) {
	int n = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9') return false;
		n = 10 * n + (**text - '0');
	}
	*out = n;
	return true;
}

static bool take_char(const char **text, char c) {
	if (**text != c) return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, struct tm *tm) {
	if (!take_digits(text, 4, &tm->tm_year) || !take_char(text, '-') ||
		!take_digits(text, 2, &tm->tm_mon) || !take_char(text, '-') ||
		!take_digits(text, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

static bool take_clock(const char **text, struct tm *tm) {
	if (!take_digits(text, 2, &tm->tm_hour) || !take_char(text, ':') ||
		!take_digits(text, 2, &tm->tm_min))
		return false;
	return !take_char(text, ':') || take_digits(text, 2, &tm->tm_sec);
}

/* `Z` or `+hh:mm`, in seconds east. */
static bool take_zone(const char **text, int *east) {
	int sign = **text == '-' ? -1 : 1;
	int hours = 0;
	int minutes = 0;

	*east = 0;
	if (take_char(text, 'Z')) return true;
	if (!take_char(text, '+') && !take_char(text, '-')) return false;
	if (!take_digits(text, 2, &hours) || !take_char(text, ':') || !take_digits(text, 2, &minutes))
		return false;
	*east = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

/* Whether the library kept the date as it is: it would turn 31 February into March. */
static bool same_date(const struct tm *a, const struct tm *b) {
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday;
}

enum err when_parse(const char *text, int64_t *ns_out) {
	struct tm tm = { .tm_isdst = -1 };
	struct tm made;
	time_t t;
	int east = 0;
	bool zone = false;

	if (strcmp(text, "now") == 0) {
		*ns_out = clock_real_ns();
		return OK;
	}
	if (!take_date(&text, &tm)) return E_FORMAT;
	if (*text != '\0') {
		if ((!take_char(&text, ' ') && !take_char(&text, 'T')) || !take_clock(&text, &tm))
			return E_FORMAT;
		zone = *text != '\0';
		if (zone && (!take_zone(&text, &east) || *text != '\0')) return E_FORMAT;
	}
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59) return E_FORMAT;
	if (tm.tm_year < 70 || tm.tm_year > 300) return E_LIMIT;
	made = tm;
	t = zone ? timegm(&made) : mktime(&made);
	if (!same_date(&tm, &made)) return E_FORMAT;
	*ns_out = ((int64_t)t - east) * SECOND;
	return OK;
}

static void split(int64_t ns, time_t *seconds, long *rest) {
	*seconds = (time_t)(ns / SECOND);
	*rest = (long)(ns % SECOND);
	if (*rest < 0) {
		*rest += (long)SECOND;
		--*seconds;
	}
}

const char *when_local(char out[WHEN_TEXT], int64_t ns) {
	struct tm tm;
	time_t t;
	long rest;

	split(ns, &t, &rest);
	if (!localtime_r(&t, &tm) || strftime(out, WHEN_TEXT, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, WHEN_TEXT, "%lld", (long long)t);
	return out;
}

const char *when_utc(char out[WHEN_TEXT], int64_t ns) {
	struct tm tm;
	time_t t;
	long rest;
	size_t n;

	split(ns, &t, &rest);
	if (!gmtime_r(&t, &tm)) return out[0] = '\0', out;
	n = strftime(out, WHEN_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, WHEN_TEXT - n, ".%09ldZ", rest);
	return out;
}
