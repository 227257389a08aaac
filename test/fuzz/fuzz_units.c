/* client/units: a number, a size, a duration, a percentage; what is taken, written for people and read again. */
#include <assert.h>
#include <string.h>

#include "client/units.h"

enum { TEXT_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_refusal(enum err e) {
	assert(e == E_FORMAT || e == E_LIMIT);
}

static void try_number(const char *text) {
	uint64_t n = 0;
	enum err e = units_parse_u64(text, 7, UINT64_MAX - 1, &n);
	if (e) is_refusal(e);
	else assert(n >= 7 && n < UINT64_MAX);
}

static void try_size(const char *text) {
	char out[UNITS_TEXT];
	uint64_t n = 0;
	enum err e = units_parse_size(text, &n);
	if (e) {
		is_refusal(e);
		return;
	}
	assert(n <= INT64_MAX);
	assert(strlen(units_size(out, n)) < UNITS_TEXT && out[0]);
	assert(strlen(units_rate(out, n, (double)(n % 7))) < UNITS_TEXT && out[0]);
	assert(strlen(units_elapsed(out, n)) < UNITS_TEXT && out[0]);
	assert(strlen(units_percent(out, n % 1000, n / 1000)) < UNITS_TEXT);
}

static void try_age(const char *text) {
	char out[UNITS_TEXT];
	struct units_age age;
	uint64_t seconds = 0, again = 0;
	enum err e = units_parse_age(text, &age);
	if (e) is_refusal(e);
	else assert(age.years <= 1000 && age.months <= 12000 && age.days <= 365250);
	enum err plain = units_parse_seconds(text, &seconds);
	if (plain) is_refusal(plain);
	assert(e == OK || plain == e);
	if (plain) return;
	assert(seconds == age.days * UINT64_C(86400) + age.seconds);
	assert(strlen(units_seconds(out, seconds)) < UNITS_TEXT);
	assert(units_parse_seconds(out, &again) == OK || seconds > UINT64_C(365250) * 86400);
	assert(again == seconds || again == 0);
}

static void try_percent(const char *text) {
	uint32_t millionths = 0;
	enum err e = units_parse_percent(text, &millionths);
	if (e) is_refusal(e);
	else assert(millionths <= 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char text[TEXT_MAX + 1] = "";
	if (size > TEXT_MAX) return 0;
	if (size > 0) memcpy(text, data, size);
	try_number(text);
	try_size(text);
	try_age(text);
	try_percent(text);
	return 0;
}
