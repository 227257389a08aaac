#include "cli/invocation.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cli/suggest.h"
#include "cli/verb.h"

/* A command line while it is read. */
struct parser {
	struct invocation *inv;
	const char *const *argv;
	int argc;
	int at; /* the next word */
	struct why *why;
};

static enum err no_memory(struct why *why) {
	return why_set(why, E_NOMEM, "out of memory");
}

static bool named(const struct option *o, const char *name, size_t len) {
	if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) return true;
	return o->alias && strlen(o->alias) == len && strncmp(o->alias, name, len) == 0;
}

/* An option by name, or by letter where ${name} is NULL; before the verb only the common ones. */
static const struct option *find_option(
	const struct verb *v, const char *name, size_t len, char letter) {
	const struct option *o;

	for (size_t i = 0; (o = verb_option(v, &i));)
		if (name ? named(o, name, len) : o->letter == letter) return o;
	return NULL;
}

/* Whether any verb has it. */
static bool somebody_has(const char *name, size_t len, char letter) {
	for (size_t i = 0; verb_at(i); i++)
		if (find_option(verb_at(i), name, len, letter)) return true;
	return false;
}

static enum err unknown_long(const struct parser *p, const char *name, size_t len) {
	const struct verb *v = p->inv->verb;
	struct suggest s = suggest_for(name, len);
	const struct option *o;
	int shown = len > INVOCATION_NAME ? INVOCATION_NAME : (int)len;

	if (!v && somebody_has(name, len, 0))
		return why_set(p->why, E_USAGE, "--%.*s belongs behind the command", shown, name);
	for (size_t i = 0; (o = verb_option(v, &i));) suggest_offer(&s, o->name);
	if (suggest_best(&s))
		return why_set(p->why, E_USAGE, "%s%sthere is no option --%.*s; did you mean --%s?",
			v ? v->name : "", v ? ": " : "", shown, name, suggest_best(&s));
	return why_set(p->why, E_USAGE, "%s%sthere is no option --%.*s", v ? v->name : "",
		v ? ": " : "", shown, name);
}

static enum err unknown_letter(const struct parser *p, char letter) {
	const struct verb *v = p->inv->verb;

	if (!v && somebody_has(NULL, 0, letter))
		return why_set(p->why, E_USAGE, "-%c belongs behind the command", letter);
	return why_set(
		p->why, E_USAGE, "%s%sthere is no option -%c", v ? v->name : "", v ? ": " : "", letter);
}

static enum err keep(struct invocation *inv, const struct invocation_given *g, struct why *why) {
	if (inv->given_n == inv->given_room) {
		size_t room = inv->given_room ? 2 * inv->given_room : 16;
		struct invocation_given *given = mem_resize(inv->given, room, sizeof(*given));

		if (!given) return no_memory(why);
		inv->given = given;
		inv->given_room = room;
	}
	inv->given[inv->given_n++] = *g;
	return OK;
}

/* ${dashes} and ${by}: what the value came by, for the sentence. */
static enum err take_value(struct parser *p, const struct option *o, const char *text,
	const char *dashes, const char *by) {
	struct invocation_given g = { .option = o };
	char problem[OPTION_PROBLEM] = "";
	enum err e = option_read(o, text, &g.value, problem);

	if (e == E_NOMEM) return no_memory(p->why);
	if (e != OK && *text == '\0') return why_set(p->why, E_USAGE, "%s%s is empty", dashes, by);
	if (e != OK) return why_set(p->why, E_USAGE, "%s%s: \"%.100s\" %s", dashes, by, text, problem);
	if (strcmp(o->name, "help") == 0) p->inv->help = true;
	return keep(p->inv, &g, p->why);
}

/* The word behind an option; a missing one is an error that names the option. */
static enum err next_word(struct parser *p, const struct option *o, const char **out) {
	if (p->at == p->argc)
		return why_set(p->why, E_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
	*out = p->argv[p->at++];
	return OK;
}

static enum err take_long(struct parser *p, const char *word) {
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct option *o = find_option(p->inv->verb, name, len, 0);
	enum err e;

	if (!o && !p->inv->verb && strcmp(name, "version") == 0) { /* as every program has it */
		p->inv->verb = verb_find("version");
		return OK;
	}
	if (!o) return unknown_long(p, name, len);
	if (o->type == OPTION_FLAG && value)
		return why_set(p->why, E_USAGE, "--%s takes no value", o->name);
	if (o->type != OPTION_FLAG && !value) {
		e = next_word(p, o, &value);
		if (e != OK) return e;
	}
	return take_value(p, o, value ? value : "", "--", o->name);
}

/* Letters in one word: flags, and at the end perhaps one with a value. */
static enum err take_letters(struct parser *p, const char *word) {
	for (const char *at = word + 1; *at != '\0'; at++) {
		const struct option *o = find_option(p->inv->verb, NULL, 0, *at);
		const char *value = "";
		enum err e = OK;

		if (!o) return unknown_letter(p, *at);
		if (o->type != OPTION_FLAG && at[1] != '\0') value = at + 1;
		else if (o->type != OPTION_FLAG) e = next_word(p, o, &value);
		if (e == OK) e = take_value(p, o, value, "--", o->name);
		if (e != OK) return e;
		if (o->type != OPTION_FLAG) break;
	}
	return OK;
}

/* Whether a verb of two words starts with ${word}. */
static bool starts_verb(const char *word) {
	for (size_t i = 0; verb_at(i); i++)
		if (verb_in_group(verb_at(i), word, strlen(word))) return true;
	return false;
}

static enum err unknown_verb(const struct parser *p, const char *word) {
	struct suggest s = suggest_for(word, strlen(word));

	for (size_t i = 0; verb_at(i); i++) {
		const char *name = verb_at(i)->name;

		if (p->inv->group[0] == '\0') suggest_offer(&s, name);
		else if (verb_in_group(verb_at(i), p->inv->group, strlen(p->inv->group)))
			suggest_offer(&s, name + strlen(p->inv->group) + 1);
	}
	if (suggest_best(&s))
		return why_set(p->why, E_USAGE,
			"there is no command \"%s%s%.40s\"; did you mean \"%s%s%s\"?", p->inv->group,
			p->inv->group[0] ? " " : "", word, p->inv->group, p->inv->group[0] ? " " : "",
			suggest_best(&s));
	return why_set(p->why, E_USAGE, "there is no command \"%s%s%.40s\"; \"broch help\" lists them",
		p->inv->group, p->inv->group[0] ? " " : "", word);
}

/* A word before the verb is known: the verb, or the first half of it. */
static enum err take_verb(struct parser *p, const char *word) {
	char name[2 * INVOCATION_NAME + 2] = "";
	size_t n = strlen(word);
	size_t first = strlen(p->inv->group);

	if (n >= INVOCATION_NAME) return unknown_verb(p, word);
	memcpy(name, p->inv->group, first);
	if (first > 0) name[first++] = ' ';
	memcpy(name + first, word, n + 1);
	p->inv->verb = verb_find(name);
	if (p->inv->verb) return OK;
	if (p->inv->group[0] != '\0' || !starts_verb(word)) return unknown_verb(p, word);
	memcpy(p->inv->group, word, n + 1);
	return OK;
}

static void take_argument(struct parser *p, const char *word) {
	p->inv->args_room[p->inv->args_n++] = word;
}

static enum err take_word(struct parser *p, const char *word, bool *options_ended) {
	if (!*options_ended && strcmp(word, "--") == 0) {
		*options_ended = true;
		return OK;
	}
	if (!*options_ended && word[0] == '-' && word[1] == '-') return take_long(p, word);
	if (!*options_ended && word[0] == '-' && word[1] != '\0') return take_letters(p, word);
	if (!p->inv->verb) return take_verb(p, word);
	take_argument(p, word);
	return OK;
}

static bool was_given(const struct invocation *inv, const struct option *o) {
	for (size_t i = 0; i < inv->given_n; i++)
		if (inv->given[i].option == o) return true;
	return false;
}

/* Values from the environment and from the table for what was not given. */
static enum err add_standing(struct parser *p, invocation_env_fn *env, void *context) {
	const struct option *o;
	enum err e = OK;

	for (size_t i = 0; e == OK && (o = verb_option(p->inv->verb, &i));) {
		const char *value = o->env && env ? env(context, o->env) : NULL;

		if (was_given(p->inv, o)) continue;
		if (value && *value != '\0') {
			e = take_value(p, o, value, o->env, "");
		} else if (o->standard) {
			e = take_value(p, o, o->standard, "--", o->name);
			if (e == OK) p->inv->given[p->inv->given_n - 1].standard = true;
		}
	}
	return e;
}

static enum err check_arguments(const struct parser *p) {
	const struct verb *v = p->inv->verb;
	size_t n = p->inv->args_n;

	if (n < v->args_min)
		return why_set(p->why, E_USAGE, "usage: broch %s [options] %s", v->name, v->args);
	if (n > v->args_max && v->args_max == 0)
		return why_set(p->why, E_USAGE, "%s takes no argument; \"%.100s\" is one too many", v->name,
			p->inv->args[0]);
	if (n > v->args_max)
		return why_set(p->why, E_USAGE,
			"\"%.100s\" is one argument too many; usage: broch %s [options] %s",
			p->inv->args[v->args_max], v->name, v->args);
	return OK;
}

static enum err missing_verb(const struct parser *p) {
	if (p->inv->group[0] == '\0')
		return why_set(p->why, E_USAGE, "no command was given; \"broch help\" lists them");
	return why_set(p->why, E_USAGE, "\"%s\" needs a second word; \"broch help %s\" lists them",
		p->inv->group, p->inv->group);
}

enum err invocation_parse(struct invocation *out, int argc, const char *const *argv,
	invocation_env_fn *env, void *context, struct why *why) {
	struct parser p = { .inv = out, .argv = argv, .argc = argc, .why = why };
	bool options_ended = false;
	enum err e = OK;

	*out = (struct invocation){ 0 };
	out->args_room = mem_array((size_t)argc + 1, sizeof(*out->args_room));
	if (!out->args_room) return no_memory(why);
	out->args = out->args_room;
	while (e == OK && p.at < argc && !out->help) {
		const char *word = argv[p.at++];

		e = take_word(&p, word, &options_ended);
	}
	while (e == OK && out->help && !out->verb && p.at < argc && argv[p.at][0] != '-')
		e = take_verb(&p, argv[p.at++]); /* of which command */
	if (e != OK || out->help) return e;
	if (!out->verb) return missing_verb(&p);
	e = check_arguments(&p);
	return e == OK ? add_standing(&p, env, context) : e;
}

void invocation_done(struct invocation *inv) {
	mem_free(inv->given);
	mem_free(inv->args_room);
	*inv = (struct invocation){ 0 };
}

const struct option *invocation_common(const char *name) {
	const struct option *o = find_option(NULL, name, strlen(name), 0);

	assert(o);
	return o;
}

static const struct option *must_find(const struct invocation *inv, const char *name) {
	const struct option *o = find_option(inv->verb, name, strlen(name), 0);

	assert(o && strcmp(o->name, name) == 0);
	return o;
}

/* The last that was given counts; the table's value comes behind it only where nothing was. */
static const struct invocation_given *last(const struct invocation *inv, const struct option *o) {
	for (size_t i = inv->given_n; i > 0; i--)
		if (inv->given[i - 1].option == o) return &inv->given[i - 1];
	return NULL;
}

bool invocation_has(const struct invocation *inv, const char *name) {
	const struct invocation_given *g = last(inv, must_find(inv, name));

	return g && !g->standard;
}

bool invocation_flag(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);

	assert(o->type == OPTION_FLAG);
	return last(inv, o) != NULL;
}

const char *invocation_text(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);
	const struct invocation_given *g = last(inv, o);

	assert(o->type != OPTION_FLAG);
	return g ? g->value.text : NULL;
}

uint64_t invocation_number(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);
	const struct invocation_given *g = last(inv, o);

	assert(o->type == OPTION_NUMBER || o->type == OPTION_COUNT || o->type == OPTION_SIZE ||
		o->type == OPTION_SECONDS || o->type == OPTION_PERCENT || o->type == OPTION_CHOICE ||
		o->type == OPTION_CHOICES);
	if (o->type == OPTION_CHOICES && o->repeat && g) { /* each time adds */
		uint64_t all = 0;

		for (size_t i = 0; i < inv->given_n; i++)
			all |= inv->given[i].option == o ? inv->given[i].value.number : 0;
		return all;
	}
	return g ? g->value.number : 0;
}

int64_t invocation_time(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);
	const struct invocation_given *g = last(inv, o);

	assert(o->type == OPTION_TIME);
	return g ? g->value.time : 0;
}

struct units_age invocation_age(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);
	const struct invocation_given *g = last(inv, o);

	assert(o->type == OPTION_AGE);
	return g ? g->value.age : (struct units_age){ 0 };
}

struct option_part invocation_part(const struct invocation *inv, const char *name) {
	const struct option *o = must_find(inv, name);
	const struct invocation_given *g = last(inv, o);

	assert(o->type == OPTION_SUBSET || o->type == OPTION_UNUSED);
	return g ? g->value.part : (struct option_part){ .kind = OPTION_PART_ALL };
}

const char *invocation_nth(const struct invocation *inv, const char *name, size_t i) {
	const struct option *o = must_find(inv, name);

	assert(o->repeat);
	for (size_t at = 0; at < inv->given_n; at++)
		if (inv->given[at].option == o && i-- == 0) return inv->given[at].value.text;
	return NULL;
}
