#include "cli/manpage.h"

#include <stdio.h>
#include <string.h>

#include "cli/optiongroups.h"
#include "cli/topics.h"
#include "cli/verb.h"

/* ${len} bytes of ${text} with what roff takes for itself escaped. An empty line becomes a new paragraph. */
static void roff(struct textout *t, const char *text, size_t len) {
	for (size_t i = 0; i < len; i++) {
		bool line_start = i == 0 || text[i - 1] == '\n';

		if (text[i] == '\n' && i + 1 < len && text[i + 1] == '\n') {
			textout_put(t, "\n.PP\n");
			i++;
		} else if (text[i] == '\\') {
			textout_put(t, "\\e");
		} else if (text[i] == '-') {
			textout_put(t, "\\-");
		} else if (text[i] == '~') {
			textout_put(t, "\\(ti");
		} else if (text[i] == '^') {
			textout_put(t, "\\(ha");
		} else if (line_start && (text[i] == '.' || text[i] == '\'')) {
			textout_put(t, "\\&%c", text[i]);
		} else {
			textout_raw(t, &text[i], 1);
		}
	}
}

static void roff_text(struct textout *t, const char *text) {
	roff(t, text, strlen(text));
}

void manpage_name(char out[MANPAGE_NAME], const struct verb *v) {
	snprintf(out, MANPAGE_NAME, v ? "broch-%s.1" : "broch%s.1", v ? v->name : "");
	for (char *c = out; *c; c++)
		if (*c == ' ') *c = '-';
}

static void head(struct textout *t, const struct verb *v, const char *line) {
	char name[MANPAGE_NAME];
	char title[MANPAGE_NAME];
	size_t n;

	manpage_name(name, v);
	n = strlen(name) - 2;
	name[n] = '\0';
	for (size_t i = 0; i <= n; i++)
		title[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
	textout_put(
		t, ".\\\" Made by \"broch generate man\" from the tables in src/cli: change those.\n");
	textout_put(t, ".TH %s 1 \"\" \"Broch\" \"Broch manual\"\n.SH NAME\n", title);
	roff_text(t, name);
	textout_put(t, " \\- ");
	roff_text(t, line);
	textout_put(t, "\n");
}

static void option_item(struct textout *t, const struct option *o) {
	const char *standing = o->standard ? o->standard : o->standing;

	textout_put(t, ".TP\n");
	if (o->letter) textout_put(t, "\\fB\\-%c\\fR, ", o->letter);
	textout_put(t, "\\fB\\-\\-");
	roff_text(t, o->name);
	textout_put(t, "\\fR");
	if (o->arg) {
		textout_put(t, " \\fI");
		roff_text(t, o->arg);
		textout_put(t, "\\fR");
	}
	textout_put(t, "\n");
	roff_text(t, o->line);
	if (o->choices) {
		textout_put(t, ": ");
		roff_text(t, o->choices);
	}
	textout_put(t, ".");
	if (o->more) {
		textout_put(t, "\n");
		roff_text(t, o->more);
	}
	if (standing) {
		textout_put(t, "\nDefault: ");
		roff_text(t, standing);
		textout_put(t, ".");
	}
	if (o->env) textout_put(t, "\nThe variable %s stands for it.", o->env);
	textout_put(t, "\n");
}

static void verb_item(struct textout *t, const struct verb *v) {
	char name[MANPAGE_NAME];

	manpage_name(name, v);
	name[strlen(name) - 2] = '\0';
	textout_put(t, ".TP\n\\fB");
	roff_text(t, name);
	textout_put(t, "\\fR(1)\n");
	roff_text(t, v->line);
	textout_put(t, "\n");
}

static void topic(struct textout *t, const struct topics *topic) {
	textout_put(t, ".SH %s\n", topic->title);
	roff_text(t, topic->text);
	if (topic->text[0]) textout_put(t, "\n");
	for (const struct topics_item *i = topic->items; i && i->term; i++) {
		textout_put(t, ".TP\n\\fB");
		roff_text(t, i->term);
		textout_put(t, "\\fR\n");
		roff_text(t, i->text);
		textout_put(t, "\n");
	}
}

void manpage_overview(struct textout *t) {
	head(t, NULL, topics_line);
	textout_put(
		t, ".SH SYNOPSIS\n\\fBbroch\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]\n");
	textout_put(t, ".SH DESCRIPTION\n");
	roff_text(t, topics_description);
	textout_put(t, "\n.SH COMMANDS\n");
	for (int section = 0; section < VERB_SECTIONS; section++) {
		textout_put(t, ".SS %s\n", topics_sections[section]);
		for (size_t i = 0; verb_at(i); i++)
			if (!verb_at(i)->hidden && (int)verb_at(i)->section == section)
				verb_item(t, verb_at(i));
	}
	textout_put(t,
		".SH OPTIONS OF EVERY COMMAND\nThey may stand before the command too. "
		"\\-\\-name=value and \\-\\-name value mean the same; \\-\\- ends the options.\n");
	for (const struct option *o = optiongroups_common; o->name; o++) option_item(t, o);
	for (size_t i = 0; i < topics_count; i++) topic(t, &topics_table[i]);
}

static void examples(struct textout *t, const char *text) {
	textout_put(t, ".SH EXAMPLES\n");
	while (*text != '\0') {
		size_t command = strcspn(text, "\n");
		const char *what = text + command + 1;
		size_t n = strcspn(what, "\n");

		textout_put(t, ".TP\n\\fB");
		roff(t, text, command);
		textout_put(t, "\\fR\n");
		roff(t, what, n);
		textout_put(t, "\n");
		text = what + n + 1;
	}
}

void manpage_verb(struct textout *t, const struct verb *v) {
	bool any = false;

	head(t, v, v->line);
	textout_put(t, ".SH SYNOPSIS\n\\fBbroch %s\\fR [\\fIoptions\\fR] ", v->name);
	roff_text(t, v->args);
	textout_put(t, "\n.SH DESCRIPTION\n");
	roff_text(t, v->more ? v->more : v->line);
	textout_put(t, v->more ? "\n" : ".\n");
	for (size_t group = 0; group < VERB_GROUPS && v->options[group]; group++) {
		for (const struct option *o = v->options[group]; o->name; o++) {
			if (!any) textout_put(t, ".SH OPTIONS\n");
			any = true;
			option_item(t, o);
		}
	}
	if (v->examples) examples(t, v->examples);
	textout_put(t,
		".SH SEE ALSO\n\\fBbroch\\fR(1), for the options of every command, patterns, units and exit status.\n");
}
