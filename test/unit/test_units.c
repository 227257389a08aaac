/* client/units and client/when: what is taken, what is refused, and what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "client/units.h"
#include "client/when.h"

static void sizes(void **state) {
	static const char *const bad[] = { "", "K", "1KB", "1 K", "-1", "+1", "1.5G", "0x10", "1P",
		"1k1" };
	uint64_t n = 7;

	(void)state;
	assert_int_equal(units_parse_size("0", &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(units_parse_size("123", &n), OK);
	assert_int_equal(n, 123);
	assert_int_equal(units_parse_size("12b", &n), OK);
	assert_int_equal(n, 12);
	assert_int_equal(units_parse_size("3K", &n), OK);
	assert_int_equal(n, 3072);
	assert_int_equal(units_parse_size("2m", &n), OK);
	assert_int_equal(n, 2 << 20);
	assert_int_equal(units_parse_size("5G", &n), OK);
	assert_int_equal(n, UINT64_C(5) << 30);
	assert_int_equal(units_parse_size("1T", &n), OK);
	assert_int_equal(n, UINT64_C(1) << 40);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_parse_size(bad[i], &n), E_FORMAT);
	assert_int_equal(units_parse_size("18446744073709551616", &n), E_LIMIT);
	assert_int_equal(units_parse_size("8388608T", &n), E_LIMIT);
	assert_int_equal(n, UINT64_C(1) << 40);
}

static void durations(void **state) {
	static const char *const bad[] = { "", "7", "d", "7x", "-7d", "7d ", "1.5h", "7 d" };
	struct units_age a;
	uint64_t s = 0;

	(void)state;
	assert_int_equal(units_parse_age("2y5m7d3h", &a), OK);
	assert_int_equal(a.years, 2);
	assert_int_equal(a.months, 5);
	assert_int_equal(a.days, 7);
	assert_int_equal(a.seconds, 3 * 3600);
	assert_int_equal(units_parse_age("1w2min3s", &a), OK);
	assert_int_equal(a.days, 7);
	assert_int_equal(a.seconds, 123);
	assert_int_equal(units_parse_age("0", &a), OK);
	assert_int_equal(a.days, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_parse_age(bad[i], &a), E_FORMAT);
	assert_int_equal(units_parse_age("1001y", &a), E_LIMIT);
	assert_int_equal(units_parse_age("600y600y", &a), E_LIMIT);
	assert_int_equal(units_parse_age("99999999999999999999d", &a), E_LIMIT);
	assert_int_equal(units_parse_age("4294967297y", &a), E_LIMIT);
	assert_int_equal(units_parse_seconds("7d", &s), OK);
	assert_int_equal(s, 7 * 86400);
	assert_int_equal(units_parse_seconds("2s", &s), OK);
	assert_int_equal(s, 2);
	assert_int_equal(units_parse_seconds("5min", &s), OK);
	assert_int_equal(s, 300);
	assert_int_equal(units_parse_seconds("1m", &s), E_FORMAT);
	assert_int_equal(units_parse_seconds("1y", &s), E_FORMAT);
}

static void percentages(void **state) {
	static const char *const bad[] = { "", "%", ".5", "5.", "5%%", "1.00001", "5 %", "-1" };
	uint32_t m = 0;

	(void)state;
	assert_int_equal(units_parse_percent("5", &m), OK);
	assert_int_equal(m, 50000);
	assert_int_equal(units_parse_percent("2.5%", &m), OK);
	assert_int_equal(m, 25000);
	assert_int_equal(units_parse_percent("0.0001", &m), OK);
	assert_int_equal(m, 1);
	assert_int_equal(units_parse_percent("100%", &m), OK);
	assert_int_equal(m, 1000000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_parse_percent(bad[i], &m), E_FORMAT);
	assert_int_equal(units_parse_percent("101", &m), E_LIMIT);
	assert_int_equal(units_parse_percent("100.1", &m), E_LIMIT);
}

static void texts(void **state) {
	char t[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_size(t, 0), "0 B");
	assert_string_equal(units_size(t, 1023), "1023 B");
	assert_string_equal(units_size(t, 1024), "1.000 KiB");
	assert_string_equal(units_size(t, 1536 << 10), "1.500 MiB");
	assert_string_equal(units_size(t, UINT64_C(5) << 30), "5.000 GiB");
	assert_string_equal(units_size(t, UINT64_C(2000) << 40), "2000.000 TiB");
	assert_string_equal(units_rate(t, 10 << 20, 4), "2.500 MiB/s");
	assert_string_equal(units_rate(t, 10, 0), "0 B/s");
	assert_string_equal(units_elapsed(t, 5), "0:05");
	assert_string_equal(units_elapsed(t, 3599), "59:59");
	assert_string_equal(units_elapsed(t, 3600 * 100 + 61), "100:01:01");
	assert_string_equal(units_percent(t, 1, 3), "33.33%");
	assert_string_equal(units_percent(t, 4, 3), "100.00%");
	assert_string_equal(units_percent(t, 1, 0), "");
	assert_string_equal(units_seconds(t, 0), "0");
	assert_string_equal(units_seconds(t, 7 * 86400), "7d");
	assert_string_equal(units_seconds(t, 90061), "1d1h1min1s");
	assert_string_equal(units_seconds(t, UINT64_MAX), "213503982334601d7h15s");
	assert_string_equal(units_count(t, 0, "entry", "entries"), "0 entries");
	assert_string_equal(units_count(t, 1, "entry", "entries"), "1 entry");
	assert_string_equal(
		units_count(t, UINT64_MAX, "entry", "entries"), "18446744073709551615 entries");
}

static void times(void **state) {
	static const char *const bad[] = { "", "2026", "2026-13-01", "2026-02-30", "2026-00-10",
		"2026-01-01 24:00", "2026-01-01 10", "2026-01-01 10:00:60", "2026-01-01 10:00:00 ",
		"2026-01-01 10:00:00+1", "2026-01-01  10:00", "yesterday", "2026-01-01 10:00:00Zz",
		"26-01-01" };
	int64_t ns = 0, before = 0;
	char t[WHEN_TEXT];

	(void)state;
	assert_int_equal(setenv("TZ", "UTC-2", 1), 0); /* two hours east */
	tzset();
	assert_int_equal(when_parse("2026-03-01 14:30:05", &ns), OK);
	assert_int_equal(ns, INT64_C(1772368205) * 1000000000);
	assert_string_equal(when_local(t, ns), "2026-03-01 14:30:05");
	assert_string_equal(when_utc(t, ns + 7), "2026-03-01T12:30:05.000000007Z");
	assert_int_equal(when_parse("2026-03-01T12:30:05Z", &before), OK);
	assert_int_equal(before, ns);
	assert_int_equal(when_parse("2026-03-01 07:00:05-05:30", &before), OK);
	assert_int_equal(before, ns);
	assert_int_equal(when_parse("2026-03-01 14:30", &before), OK);
	assert_int_equal(before, ns - INT64_C(5000000000));
	assert_int_equal(when_parse("2026-03-01", &before), OK);
	assert_string_equal(when_local(t, before), "2026-03-01 00:00:00");
	assert_int_equal(when_parse("now", &ns), OK);
	assert_true(ns > before);
	assert_string_equal(when_utc(t, -1), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(when_utc(t, INT64_MIN), "1677-09-21T00:12:43.145224192Z");
	assert_string_equal(when_utc(t, INT64_MAX), "2262-04-11T23:47:16.854775807Z");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (when_parse(bad[i], &ns) != E_FORMAT) fail_msg("%s was taken", bad[i]);
	assert_int_equal(when_parse("1969-01-01", &ns), E_LIMIT);
	assert_int_equal(when_parse("9999-01-01", &ns), E_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(percentages),
		cmocka_unit_test(texts),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
