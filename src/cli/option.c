#include "cli/option.h"

#include <stdio.h>
#include <string.h>

#include "client/when.h"
#include "core/pattern.h"

size_t option_word(const char *choices, size_t i, const char **word) {
	for (; i > 0; i--) {
		choices += strcspn(choices, "|");
		if (*choices == '\0') return 0;
		choices++;
	}
	*word = choices;
	return strcspn(choices, "|");
}

/* The place of the ${n} bytes at ${text} among ${choices}. */
static bool find_word(const char *choices, const char *text, size_t n, uint64_t *place) {
	const char *word = NULL;
	size_t len;

	for (size_t i = 0; (len = option_word(choices, i, &word)) > 0; i++) {
		if (len == n && strncmp(word, text, n) == 0) {
			*place = i;
			return true;
		}
	}
	return false;
}

static enum err read_choice(const struct option *o, const char *text, struct option_value *out) {
	return find_word(o->choices, text, strlen(text), &out->number) ? OK : E_FORMAT;
}

/* Words with commas; `all`, where it is a choice, is the last and stands for all of them. */
static enum err read_choices(const struct option *o, const char *text, struct option_value *out) {
	uint64_t place;

	out->number = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (!find_word(o->choices, text, n, &place)) return E_FORMAT;
		out->number |= n == 3 && strncmp(text, "all", 3) == 0 ? (UINT64_C(2) << place) - 1
															  : UINT64_C(1) << place;
		text += n;
		if (*text == ',' && *++text == '\0') return E_FORMAT;
	}
	return OK;
}

static enum err read_ratio(const char *text, const char *slash, struct option_part *out) {
	char first[24] = "";
	size_t n = (size_t)(slash - text);
	enum err e;

	if (n >= sizeof(first)) return E_LIMIT;
	memcpy(first, text, n);
	e = units_parse_u64(slash + 1, 1, 1000000, &out->b);
	if (e == OK) e = units_parse_u64(first, 1, out->b, &out->a);
	out->kind = OPTION_PART_RATIO;
	return e;
}

static enum err read_part(const struct option *o, const char *text, struct option_part *out) {
	const char *slash = strchr(text, '/');
	size_t len = strlen(text);
	uint32_t millionths = 0;
	enum err e;

	*out = (struct option_part){ .kind = OPTION_PART_ALL };
	if (o->type == OPTION_UNUSED && strcmp(text, "unlimited") == 0) return OK;
	if (o->type == OPTION_SUBSET && slash) return read_ratio(text, slash, out);
	if (len == 0 || text[len - 1] != '%') {
		out->kind = OPTION_PART_BYTES;
		return units_parse_size(text, &out->a);
	}
	out->kind = OPTION_PART_PERCENT;
	e = units_parse_percent(text, &millionths);
	out->a = millionths;
	return e == OK && millionths == 0 && o->type == OPTION_SUBSET ? E_LIMIT : e;
}

static enum err read_count(const char *text, uint64_t *out) {
	if (strcmp(text, "unlimited") != 0) return units_parse_u64(text, 0, UINT64_MAX - 1, out);
	*out = UINT64_MAX;
	return OK;
}

static enum err read_percent(const char *text, uint64_t *out) {
	uint32_t millionths = 0;
	enum err e = units_parse_percent(text, &millionths);

	*out = millionths;
	return e;
}

static enum err read_pattern(const char *text) {
	struct pattern_set *set = NULL;
	enum err e = pattern_set_new(&set);

	if (e == OK) e = *text == '\0' ? E_FORMAT : pattern_set_add(set, span_text(text));
	pattern_set_free(set);
	return e;
}

static enum err read_value(const struct option *o, const char *text, struct option_value *out) {
	switch (o->type) {
	case OPTION_FLAG:
	case OPTION_TAGS: return OK;
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_FOLDER: return *text == '\0' ? E_FORMAT : OK;
	case OPTION_PATTERN: return read_pattern(text);
	case OPTION_NUMBER: return units_parse_u64(text, 0, INT64_MAX, &out->number);
	case OPTION_COUNT: return read_count(text, &out->number);
	case OPTION_SIZE: return units_parse_size(text, &out->number);
	case OPTION_SECONDS: return units_parse_seconds(text, &out->number);
	case OPTION_AGE: return units_parse_age(text, &out->age);
	case OPTION_PERCENT: return read_percent(text, &out->number);
	case OPTION_TIME: return when_parse(text, &out->time);
	case OPTION_CHOICE: return read_choice(o, text, out);
	case OPTION_CHOICES: return read_choices(o, text, out);
	case OPTION_SUBSET:
	case OPTION_UNUSED: return read_part(o, text, &out->part);
	}
	return E_USAGE;
}

/* What a value of this type looks like. */
static const char *expected(enum option_type type) {
	switch (type) {
	case OPTION_FLAG:
	case OPTION_TAGS: break;
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_FOLDER: return "must not be empty";
	case OPTION_PATTERN: return "is not a pattern: look at brackets and backslashes";
	case OPTION_NUMBER: return "is not a number";
	case OPTION_COUNT: return "is neither a number nor \"unlimited\"";
	case OPTION_SIZE: return "is not a size such as 512K, 16M or 2G";
	case OPTION_SECONDS:
		return "is not a duration such as 7d, 12h, 30min or 90s (m stands for months and can't be used here)";
	case OPTION_AGE: return "is not a duration such as 7d or 2y5m7d3h (m stands for months)";
	case OPTION_PERCENT: return "is not a percentage such as 5 or 0.5%";
	case OPTION_TIME: return "is not a time such as \"2026-03-01 14:30:00\", or now";
	case OPTION_CHOICE:
	case OPTION_CHOICES: break;
	case OPTION_SUBSET:
		return "is neither a part such as 2/5, nor a percentage such as 10%, nor a size such as 500M";
	case OPTION_UNUSED:
		return "is neither a size such as 500M, nor a percentage such as 5%, nor \"unlimited\"";
	}
	return "is not possible here";
}

enum err option_read(const struct option *o, const char *text, struct option_value *out,
	char problem[OPTION_PROBLEM]) {
	struct option_value v = { .text = text };
	enum err e = read_value(o, text, &v);

	if (e == OK) {
		*out = v;
		return OK;
	}
	if (e == E_NOMEM) return e;
	if (o->type == OPTION_CHOICE || o->type == OPTION_CHOICES)
		snprintf(problem, OPTION_PROBLEM, "is not one of %s", o->choices);
	else if (e == E_LIMIT) snprintf(problem, OPTION_PROBLEM, "is out of range");
	else snprintf(problem, OPTION_PROBLEM, "%s", expected(o->type));
	return E_USAGE;
}
