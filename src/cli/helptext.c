#include "cli/helptext.h"

#include <stdio.h>
#include <string.h>

#include "cli/optiongroups.h"
#include "cli/topics.h"
#include "cli/verb.h"

enum {
	VERB_COLUMN = 17,
	OPTION_COLUMN = 31,
	TERM_COLUMN = 15,
};

/* ${head}, then ${text} from ${column} on; on a line of its own where the head is too long. */
static void row(
	struct textout *t, const char *head, size_t column, const char *text, size_t width) {
	size_t n = strlen(head);

	textout_put(t, "  %s", head);
	if (n + 4 > column) textout_put(t, "\n%*s", (int)column, "");
	else textout_put(t, "%*s", (int)(column - n - 2), "");
	textout_wrap(t, text, column, column, width);
}

static void verb_row(struct textout *t, const struct verb *v, size_t width) {
	row(t, v->name, VERB_COLUMN, v->line, width);
}

static void option_row(struct textout *t, const struct option *o, size_t width) {
	char head[128];
	char text[512];
	char letter[8] = "    ";
	const char *standing = o->standard ? o->standard : o->standing;

	if (o->letter) snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(
		head, sizeof(head), "%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	if (o->type == OPTION_CHOICE || o->type == OPTION_CHOICES)
		snprintf(text, sizeof(text), "%s: %s%s%s%s", o->line, o->choices,
			standing ? " (default: " : "", standing ? standing : "", standing ? ")" : "");
	else
		snprintf(text, sizeof(text), "%s%s%s%s", o->line, standing ? " (default: " : "",
			standing ? standing : "", standing ? ")" : "");
	row(t, head, OPTION_COLUMN, text, width);
}

void helptext_overview(struct textout *t, size_t width) {
	textout_put(t, "broch: %s\n\nusage: broch COMMAND [options] [arguments]\n", topics_line);
	for (int section = 0; section < VERB_SECTIONS; section++) {
		textout_put(t, "\n%s:\n", topics_sections[section]);
		for (size_t i = 0; verb_at(i); i++)
			if (!verb_at(i)->hidden && (int)verb_at(i)->section == section)
				verb_row(t, verb_at(i), width);
	}
	textout_put(t, "\nOptions of every command:\n");
	for (const struct option *o = optiongroups_common; o->name; o++) option_row(t, o, width);
	textout_put(t, "\nMore with \"broch help COMMAND\", and on:");
	for (size_t i = 0; i < topics_count; i++)
		textout_put(t, "%s %s", i ? "," : "", topics_table[i].name);
	textout_put(t, ".\n");
}

void helptext_group(struct textout *t, const char *group, size_t width) {
	for (size_t i = 0; verb_at(i); i++)
		if (verb_in_group(verb_at(i), group, strlen(group))) verb_row(t, verb_at(i), width);
}

static void examples(struct textout *t, const char *text, size_t width) {
	textout_put(t, "\nExamples:\n");
	while (*text != '\0') {
		size_t command = strcspn(text, "\n");
		const char *what = text + command + 1;
		size_t n = strcspn(what, "\n");
		char line[256];

		snprintf(line, sizeof(line), "%.*s", (int)n, what);
		textout_put(t, "  %.*s\n      ", (int)command, text);
		textout_wrap(t, line, 6, 6, width);
		text = what + n + 1;
	}
}

void helptext_verb(struct textout *t, const struct verb *v, size_t width) {
	bool any = false;

	textout_put(t, "broch %s: %s\n\nusage: broch %s [options]%s%s\n", v->name, v->line, v->name,
		v->args[0] ? " " : "", v->args);
	if (v->more) {
		textout_put(t, "\n");
		textout_wrap(t, v->more, 0, 0, width);
	}
	for (size_t group = 0; group < VERB_GROUPS && v->options[group]; group++) {
		for (const struct option *o = v->options[group]; o->name; o++) {
			if (!any) textout_put(t, "\nOptions:\n");
			any = true;
			option_row(t, o, width);
			if (o->more) {
				textout_put(t, "%*s", OPTION_COLUMN, "");
				textout_wrap(t, o->more, OPTION_COLUMN, OPTION_COLUMN, width);
			}
		}
	}
	textout_put(t, "\nAnd those of every command: see \"broch help\".\n");
	if (v->examples) examples(t, v->examples, width);
}

void helptext_topic(struct textout *t, const struct topics *topic, size_t width) {
	textout_put(t, "%s\n\n", topic->title);
	if (topic->text[0]) textout_wrap(t, topic->text, 0, 0, width);
	if (topic->text[0] && topic->items) textout_put(t, "\n");
	for (const struct topics_item *i = topic->items; i && i->term; i++)
		row(t, i->term, TERM_COLUMN, i->text, width);
}
