#include "core/retention.h"

enum { DAY_S = 86400, HOUR_S = 3600, MONTHS = 12, MONDAY_SHIFT = 3, WEEK = 7 };

struct date {
	int64_t year;
	unsigned month, day; /* from 1 */
};

static int64_t floor_div(int64_t a, int64_t b) {
	return a / b - (a % b < 0);
}

/* The Gregorian calendar, counted in days since 1970-01-01, by years that begin in March. */
static struct date date_of(int64_t days) {
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	return (struct date){
		.year = yoe + era * 400 + (month <= 2),
		.month = (unsigned)month,
		.day = (unsigned)(doy - (153 * mp + 2) / 5 + 1),
	};
}

/* The day may be over the end of its month: it then runs into the next. */
static int64_t days_of(int64_t year, unsigned month, int64_t day) {
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t yoe = y - era * 400;
	int64_t mp = month > 2 ? month - 3 : month + 9;
	int64_t doy = (153 * mp + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* What all snapshots of one hour, day, week, month or year have in common, and no others. */
static int64_t bucket(enum retention_every every, int64_t wall_s, size_t nr) {
	int64_t days = floor_div(wall_s, DAY_S);
	struct date d;

	switch (every) {
	case RETENTION_LAST: return (int64_t)nr;
	case RETENTION_HOURLY: return floor_div(wall_s, HOUR_S);
	case RETENTION_DAILY: return days;
	case RETENTION_WEEKLY:
		return floor_div(days + MONDAY_SHIFT, WEEK); /* 1970 began on a Thursday */
	case RETENTION_MONTHLY: d = date_of(days); return d.year * MONTHS + d.month;
	case RETENTION_YEARLY: d = date_of(days); return d.year;
	case RETENTION_EVERYS: break;
	}
	return 0;
}

static bool age_is_none(const struct retention_age *a) {
	return !a->years && !a->months && !a->days && !a->seconds;
}

static int64_t before(int64_t wall_s, const struct retention_age *a) {
	struct date d = date_of(floor_div(wall_s, DAY_S));
	int64_t of_day = wall_s - floor_div(wall_s, DAY_S) * DAY_S;
	int64_t months =
		d.year * MONTHS + (int64_t)d.month - 1 - (int64_t)a->years * MONTHS - a->months;
	int64_t year = floor_div(months, MONTHS);
	int64_t days = days_of(year, (unsigned)(months - year * MONTHS) + 1, d.day) - a->days;

	if (a->seconds > INT64_MAX / 4) return INT64_MIN / 2;
	return days * DAY_S + of_day - (int64_t)a->seconds;
}

bool retention_is_empty(const struct retention_policy *p) {
	for (size_t e = 0; e < RETENTION_EVERYS; e++)
		if (p->counts[e] || !age_is_none(&p->within[e])) return false;
	return !p->by_tag;
}

void retention_straighten(int64_t *said_s, const int64_t *entry_s, size_t count, int64_t now_s) {
	for (size_t i = 0; i < count; i++) {
		if (said_s[i] > entry_s[i]) said_s[i] = entry_s[i];
		if (said_s[i] > now_s) said_s[i] = now_s;
		if (i > 0 && said_s[i] < said_s[i - 1]) said_s[i] = said_s[i - 1];
	}
}

/* What was met so far, from the newest on. */
struct progress {
	struct {
		uint64_t left;
		int64_t last;
		bool any;
	} counts[RETENTION_EVERYS], within[RETENTION_EVERYS];
	int64_t limits[RETENTION_EVERYS];
};

static void by_counts(struct progress *p, struct retention_item *item, size_t nr, bool is_oldest) {
	for (unsigned e = 0; e < RETENTION_EVERYS; e++) {
		int64_t value = bucket((enum retention_every)e, item->wall_s, nr);
		bool is_new = !p->counts[e].any || value != p->counts[e].last;

		if (!p->counts[e].left || (!is_new && !is_oldest)) continue;
		item->reasons |= UINT32_C(1) << e;
		if (!is_new) item->oldest |= UINT32_C(1) << e;
		p->counts[e].any = true;
		p->counts[e].last = value;
		if (p->counts[e].left != RETENTION_UNLIMITED) p->counts[e].left--;
	}
}

static void by_age(const struct retention_policy *policy, struct progress *p,
	struct retention_item *item, size_t nr, bool is_oldest) {
	for (unsigned e = 0; e < RETENTION_EVERYS; e++) {
		int64_t value = bucket((enum retention_every)e, item->wall_s, nr);

		if (age_is_none(&policy->within[e]) || item->wall_s <= p->limits[e]) continue;
		if (p->within[e].any && value == p->within[e].last && !is_oldest) continue;
		item->reasons |= UINT32_C(1) << (RETENTION_EVERYS + e);
		p->within[e].any = true;
		p->within[e].last = value;
	}
}

void retention_apply(
	const struct retention_policy *policy, struct retention_item *items, size_t count) {
	struct progress p = { .limits = { 0 } };

	for (unsigned e = 0; count > 0 && e < RETENTION_EVERYS; e++) {
		p.counts[e].left = policy->counts[e];
		p.limits[e] = before(items[count - 1].wall_s, &policy->within[e]);
	}
	for (size_t nr = 0; nr < count; nr++) {
		struct retention_item *item = &items[count - 1 - nr];
		bool is_oldest = nr == count - 1;

		item->reasons = item->oldest = 0;
		item->by_tag = policy->by_tag && item->keep_tagged;
		by_counts(&p, item, nr, is_oldest);
		by_age(policy, &p, item, nr, is_oldest);
		item->keep = item->reasons || item->by_tag || retention_is_empty(policy);
	}
}
