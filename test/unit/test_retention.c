/* core/retention: restic's documented rules, and clocks that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/retention.h"

enum { ITEMS = 64, HOUR = 3600, DAY = 86400 };

/* Days since 1970 of the dates used here, from another calendar than the one under test: counted up day by day. */
static int64_t day(int year, int month, int of_month) {
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t days = 0;

	for (int y = 1970; y < year; y++)
		days += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
	for (int m = 1; m < month; m++)
		days += lengths[m - 1] + (m == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	return days + of_month - 1;
}

static int64_t at(int year, int month, int of_month, int hour, int minute) {
	return day(year, month, of_month) * DAY + hour * HOUR + minute * 60;
}

/* The kept ones as a text, in the order of the chain: 'k' or '.'. */
static void apply(
	const struct retention_policy *p, const int64_t *times, size_t n, const char *right) {
	struct retention_item items[ITEMS] = { { .keep = false } };
	char text[ITEMS + 1] = "";

	assert_true(n <= ITEMS);
	for (size_t i = 0; i < n; i++) items[i].wall_s = times[i];
	retention_apply(p, items, n);
	for (size_t i = 0; i < n; i++) text[i] = items[i].keep ? 'k' : '.';
	assert_string_equal(text, right);
}

static void empty(void **state) {
	struct retention_policy p = { .by_tag = false };
	int64_t times[] = { 1, 2, 3 };

	(void)state;
	assert_true(retention_is_empty(&p));
	apply(&p, times, 3, "kkk");
	apply(&p, times, 0, "");
	p.counts[RETENTION_YEARLY] = 1;
	assert_false(retention_is_empty(&p));
	apply(&p, times, 0, "");
}

/* restic's manual: snapshots on eight Sundays, --keep-daily 4 keeps the last four of them. */
static void sundays(void **state) {
	struct retention_policy p = { .counts = { [RETENTION_DAILY] = 4 } };
	int64_t times[] = { at(2014, 9, 7, 10, 0), at(2014, 9, 14, 10, 0), at(2014, 9, 21, 10, 0),
		at(2014, 9, 28, 10, 0), at(2014, 10, 5, 10, 0), at(2014, 10, 12, 10, 0),
		at(2014, 10, 19, 10, 0), at(2014, 10, 26, 10, 0) };

	(void)state;
	apply(&p, times, 8, "....kkkk");
	p = (struct retention_policy){ .counts = { [RETENTION_MONTHLY] = 2 } };
	apply(&p, times, 8, "...k...k");
	p = (struct retention_policy){ .counts = { [RETENTION_WEEKLY] = 3 } };
	apply(&p, times, 8, ".....kkk");
}

static void last(void **state) {
	struct retention_policy p = { .counts = { [RETENTION_LAST] = 2 } };
	int64_t times[] = { 10, 10, 10, 10 };

	(void)state;
	apply(&p, times, 4, "..kk");
	p.counts[RETENTION_LAST] = 9;
	apply(&p, times, 4, "kkkk");
	p.counts[RETENTION_LAST] = RETENTION_UNLIMITED;
	apply(&p, times, 4, "kkkk");
}

/* Of each hour, day, week, month, year the last; the oldest of all fills what room is left. */
static void buckets(void **state) {
	int64_t times[] = { at(2015, 12, 31, 23, 59), at(2016, 1, 1, 0, 0), at(2016, 1, 1, 0, 59),
		at(2016, 1, 1, 1, 0), at(2016, 1, 3, 23, 0), at(2016, 1, 4, 0, 0), at(2016, 2, 29, 12, 0),
		at(2016, 3, 1, 12, 0) };
	struct {
		enum retention_every every;
		uint64_t count;
		const char *right;
	} cases[] = {
		{ RETENTION_HOURLY, 3, ".....kkk" },
		{ RETENTION_HOURLY, RETENTION_UNLIMITED, "k.kkkkkk" },
		{ RETENTION_DAILY, 4, "....kkkk" },
		{ RETENTION_DAILY, RETENTION_UNLIMITED, "k..kkkkk" },
		/* 2016-01-03 is a Sunday: the week of 2015-12-28; 2016-02-29 and 03-01 are of one week */
		{ RETENTION_WEEKLY, 3, "....kk.k" },
		{ RETENTION_WEEKLY, RETENTION_UNLIMITED, "k...kk.k" },
		{ RETENTION_MONTHLY, 3, ".....kkk" },
		{ RETENTION_MONTHLY, 4, "k....kkk" },
		{ RETENTION_YEARLY, 1, ".......k" },
		{ RETENTION_YEARLY, 2, "k......k" },
		{ RETENTION_YEARLY, 5, "k......k" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct retention_policy p = { .by_tag = false };

		p.counts[cases[i].every] = cases[i].count;
		apply(&p, times, 8, cases[i].right);
	}
}

static void oldest(void **state) {
	struct retention_policy p = { .counts = { [RETENTION_DAILY] = 5 } };
	struct retention_item items[2] = { { .wall_s = at(2020, 1, 1, 1, 0) },
		{ .wall_s = at(2020, 1, 1, 2, 0) } };

	(void)state;
	retention_apply(&p, items, 2);
	assert_true(items[0].keep && items[1].keep);
	assert_int_equal(items[0].oldest, 1 << RETENTION_DAILY);
	assert_int_equal(items[1].oldest, 0);
}

static void several(void **state) {
	struct retention_policy p = {
		.counts = { [RETENTION_LAST] = 1, [RETENTION_DAILY] = 2, [RETENTION_YEARLY] = 2 }
	};
	struct retention_item items[4] = { { .wall_s = at(2018, 6, 1, 0, 0) },
		{ .wall_s = at(2019, 6, 1, 0, 0) }, { .wall_s = at(2020, 6, 1, 0, 0) },
		{ .wall_s = at(2020, 6, 2, 0, 0) } };

	(void)state;
	retention_apply(&p, items, 4);
	assert_false(items[0].keep);
	assert_int_equal(items[1].reasons, 1 << RETENTION_YEARLY);
	assert_int_equal(items[2].reasons, 1 << RETENTION_DAILY);
	assert_int_equal(
		items[3].reasons, 1 << RETENTION_LAST | 1 << RETENTION_DAILY | 1 << RETENTION_YEARLY);
}

static void within(void **state) {
	int64_t times[] = { at(2019, 12, 31, 0, 0), at(2020, 1, 31, 12, 0), at(2020, 2, 15, 12, 0),
		at(2020, 2, 28, 11, 0), at(2020, 2, 28, 13, 0), at(2020, 2, 29, 12, 0) };
	struct {
		enum retention_every every;
		struct retention_age age;
		const char *right;
	} cases[] = {
		{ RETENTION_LAST, { .days = 1 }, "....kk" },
		{ RETENTION_LAST, { .seconds = 25 * HOUR },
			"...."
			"kk" },
		{ RETENTION_LAST, { .seconds = 26 * HOUR }, "...kkk" },
		{ RETENTION_LAST, { .months = 1 }, ".kkkkk" }, /* since 01-29 */
		{ RETENTION_LAST, { .years = 100 }, "kkkkkk" },
		{ RETENTION_DAILY, { .days = 3 }, "....kk" },
		{ RETENTION_MONTHLY, { .years = 1 }, "kk...k" },
		{ RETENTION_YEARLY, { .years = 1 }, "k....k" },
		{ RETENTION_LAST, { .seconds = UINT64_MAX }, "kkkkkk" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct retention_policy p = { .by_tag = false };

		p.within[cases[i].every] = cases[i].age;
		apply(&p, times, 6, cases[i].right);
	}
}

/* Three months before May 31 is "February 31", which runs on into March, as restic counts. */
static void short_month(void **state) {
	struct retention_policy p = { .within = { [RETENTION_LAST] = { .months = 3 } } };
	int64_t times[] = { at(2021, 3, 2, 0, 0), at(2021, 3, 3, 0, 0), at(2021, 3, 3, 0, 1),
		at(2021, 5, 31, 0, 0) };

	(void)state;
	apply(&p, times, 4, "..kk");
}

static void tags(void **state) {
	struct retention_policy p = { .by_tag = true };
	struct retention_item items[3] = { { .keep_tagged = true }, { .wall_s = 1 },
		{ .wall_s = 2, .keep_tagged = true } };

	(void)state;
	retention_apply(&p, items, 3);
	assert_true(items[0].keep && items[0].by_tag);
	assert_false(items[1].keep);
	assert_true(items[2].keep);
	p.by_tag = false;
	p.counts[RETENTION_LAST] = 1;
	retention_apply(&p, items, 3);
	assert_false(items[0].keep);
}

static void clocks(void **state) {
	int64_t said[] = { 100, 5000, 90, 130, 9000, 10, 170 };
	const int64_t entry[] = { 100, 110, 120, 130, 140, 150, 9999 };
	const int64_t right[] = { 100, 110, 110, 130, 140, 140, 160 };

	(void)state;
	retention_straighten(said, entry, 7, 160);
	assert_memory_equal(said, right, sizeof(right));
	retention_straighten(said, entry, 0, 160);
}

/* Before 1970, and in the year 2200. */
static void far(void **state) {
	struct retention_policy p = { .counts = { [RETENTION_YEARLY] = 9 } };
	int64_t times[] = { -day(1971, 1, 1) * DAY - 1, -1, 0, at(2200, 2, 28, 0, 0),
		at(2200, 3, 1, 0, 0) };

	(void)state;
	apply(&p, times, 5, "kkk.k");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(sundays),
		cmocka_unit_test(last),
		cmocka_unit_test(buckets),
		cmocka_unit_test(oldest),
		cmocka_unit_test(several),
		cmocka_unit_test(within),
		cmocka_unit_test(short_month),
		cmocka_unit_test(tags),
		cmocka_unit_test(clocks),
		cmocka_unit_test(far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
