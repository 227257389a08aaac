#include "cli/completion.h"

#include <string.h>

#include "cli/optiongroups.h"
#include "cli/verb.h"

const char *const completion_names[COMPLETION_SHELLS] = { "bash", "zsh", "fish" };
const char *const completion_files[COMPLETION_SHELLS] = { "broch", "_broch", "broch.fish" };

/* The first words of the verbs, each once: calls ${each} with a word and its length. */
static void first_words(
	struct textout *t, void (*each)(struct textout *, const struct verb *, size_t)) {
	for (size_t i = 0; verb_at(i); i++) {
		const struct verb *v = verb_at(i);
		size_t n = strcspn(v->name, " ");
		bool seen = v->hidden;

		for (size_t j = 0; j < i && !seen; j++)
			seen =
				strncmp(verb_at(j)->name, v->name, n) == 0 && strcspn(verb_at(j)->name, " ") == n;
		if (!seen) each(t, v, n);
	}
}

static void put_word(struct textout *t, const struct verb *v, size_t n) {
	textout_put(t, " %.*s", (int)n, v->name);
}

/* The second words of the verbs that start with the ${n} bytes at ${group}. */
static void second_words(struct textout *t, const char *group, size_t n) {
	for (size_t i = 0; verb_at(i); i++)
		if (verb_in_group(verb_at(i), group, n)) textout_put(t, " %s", verb_at(i)->name + n + 1);
}

static void put_choices(struct textout *t, const char *choices) {
	const char *word = NULL;
	size_t n;

	for (size_t i = 0; (n = option_word(choices, i, &word)) > 0; i++)
		textout_put(t, " %.*s", (int)n, word);
}

/* --- bash */

static void bash_value(struct textout *t, const struct option *o) {
	if (o->type == OPTION_FLAG) return;
	textout_put(t, "\t\t--%s", o->name);
	if (o->alias) textout_put(t, "|--%s", o->alias);
	if (o->letter) textout_put(t, "|-%c", o->letter);
	if (o->type == OPTION_FOLDER) {
		textout_put(
			t, ") compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\");;\n");
	} else if (o->type == OPTION_PATH) {
		textout_put(
			t, ") compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\");;\n");
	} else if (o->choices) {
		textout_put(t, ") mapfile -t COMPREPLY < <(compgen -W \"");
		put_choices(t, o->choices);
		textout_put(t, "\" -- \"$cur\");;\n");
	} else {
		textout_put(t, ") ;;\n");
	}
}

static void bash_group(struct textout *t, const struct verb *v, size_t n) {
	if (v->name[n] != ' ') return;
	textout_put(t, "\t%.*s) [ -n \"$second\" ] || { mapfile -t COMPREPLY < <(compgen -W \"", (int)n,
		v->name);
	second_words(t, v->name, n);
	textout_put(t, "\" -- \"$cur\"); return; }\n\t\tverb=\"$verb $second\";;\n");
}

static void bash_verb(struct textout *t, const struct verb *v) {
	const struct option *o;

	textout_put(t, "\t\"%s\")\n\t\tcase \"$prev\" in\n", v->name);
	for (size_t i = 0; (o = verb_option(v, &i));) bash_value(t, o);
	textout_put(t, "\t\t*) case \"$cur\" in\n\t\t\t-*) mapfile -t COMPREPLY < <(compgen -W \"");
	for (size_t i = 0; (o = verb_option(v, &i));) textout_put(t, " --%s", o->name);
	textout_put(t, "\" -- \"$cur\");;\n");
	if (v->takes == VERB_TAKES_PATHS)
		textout_put(t,
			"\t\t\t*) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\");;\n");
	if (v->takes == VERB_TAKES_SNAPSHOTS)
		textout_put(t, "\t\t\t*) mapfile -t COMPREPLY < <(compgen -W \"latest\" -- \"$cur\");;\n");
	if (v->takes == VERB_TAKES_VERBS)
		textout_put(t, "\t\t\t*) mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$cur\");;\n");
	textout_put(t, "\t\t\tesac;;\n\t\tesac;;\n");
}

static void bash(struct textout *t) {
	textout_put(t,
		"# Completion for bash, made by \"broch generate completion bash\" from the tables in src/cli.\n"
		"_broch() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= second= i word\n"
		"\tlocal verbs=\"");
	first_words(t, put_word);
	textout_put(t,
		"\"\n\tCOMPREPLY=()\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tword=${COMP_WORDS[i]}\n"
		"\t\tcase \"$word\" in\n\t\t");
	for (const struct option *o = optiongroups_common; o->name; o++)
		if (o->type != OPTION_FLAG)
			textout_put(t, "%s--%s", o == optiongroups_common ? "" : "|", o->name);
	textout_put(t,
		") i=$((i + 1));;\n"
		"\t\t-*) ;;\n"
		"\t\t*) if [ -z \"$verb\" ]; then verb=$word; else second=$word; break; fi;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tcase \"$verb\" in\n"
		"\t'') mapfile -t COMPREPLY < <(compgen -W \"$verbs");
	for (const struct option *o = optiongroups_common; o->name; o++)
		textout_put(t, " --%s", o->name);
	textout_put(t, "\" -- \"$cur\"); return;;\n");
	first_words(t, bash_group);
	textout_put(t, "\tesac\n\tcase \"$verb\" in\n");
	for (size_t i = 0; verb_at(i); i++)
		if (!verb_at(i)->hidden) bash_verb(t, verb_at(i));
	textout_put(t, "\tesac\n}\ncomplete -F _broch broch\n");
}

/* --- zsh */

/* For a description inside single quotes and brackets. */
static void zsh_text(struct textout *t, const char *text) {
	for (; *text != '\0'; text++) {
		if (*text == '\'') textout_put(t, "'\\''");
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			textout_put(t, "\\%c", *text);
		else textout_raw(t, text, 1);
	}
}

static void zsh_action(struct textout *t, const struct option *o) {
	if (o->type == OPTION_FLAG) return;
	textout_put(t, ":");
	zsh_text(t, o->arg);
	textout_put(t, ":");
	if (o->type == OPTION_FOLDER) textout_put(t, "_files -/");
	if (o->type == OPTION_PATH) textout_put(t, "_files");
	if (o->choices) {
		textout_put(t, "(");
		put_choices(t, o->choices);
		textout_put(t, ")");
	}
}

static void zsh_option(struct textout *t, const struct option *o) {
	const char *star = o->repeat ? "*" : "";

	if (o->letter) {
		textout_put(t, "\t\t'%s-%c%s[", star, o->letter, o->type == OPTION_FLAG ? "" : "+");
		zsh_text(t, o->line);
		textout_put(t, "]");
		zsh_action(t, o);
		textout_put(t, "' \\\n");
	}
	textout_put(t, "\t\t'%s--%s%s[", star, o->name, o->type == OPTION_FLAG ? "" : "=");
	zsh_text(t, o->line);
	textout_put(t, "]");
	zsh_action(t, o);
	textout_put(t, "' \\\n");
}

static void zsh_word(struct textout *t, const struct verb *v, size_t n) {
	textout_put(t, "\t\t'%.*s:", (int)n, v->name);
	if (v->name[n] == ' ') second_words(t, v->name, n);
	else zsh_text(t, v->line);
	textout_put(t, "'\n");
}

static void zsh_group(struct textout *t, const struct verb *v, size_t n) {
	if (v->name[n] != ' ') return;
	textout_put(t, "\t%.*s)\n\t\tif ((CURRENT == 2)); then compadd --", (int)n, v->name);
	second_words(t, v->name, n);
	textout_put(t, "; return; fi\n\t\tverb=\"$verb $words[2]\"; shift words; ((CURRENT--));;\n");
}

static void zsh_verb(struct textout *t, const struct verb *v) {
	const struct option *o;

	textout_put(t, "\t'%s') _arguments -s \\\n", v->name);
	for (size_t i = 0; (o = verb_option(v, &i));) zsh_option(t, o);
	if (v->takes == VERB_TAKES_PATHS) textout_put(t, "\t\t'*:path:_files';;\n");
	else if (v->takes == VERB_TAKES_SNAPSHOTS) textout_put(t, "\t\t'*:snapshot:(latest)';;\n");
	else if (v->takes == VERB_TAKES_VERBS) textout_put(t, "\t\t'*:command:_broch_verbs';;\n");
	else textout_put(t, "\t\t'*: :';;\n");
}

static void zsh(struct textout *t) {
	textout_put(t,
		"#compdef broch\n"
		"# Completion for zsh, made by \"broch generate completion zsh\" from the tables in src/cli.\n"
		"_broch_verbs() {\n\tlocal -a verbs=(\n");
	first_words(t, zsh_word);
	textout_put(t,
		"\t)\n\t_describe command verbs\n}\n"
		"_broch() {\n\tlocal curcontext=\"$curcontext\" state line verb\n\tlocal -A opt_args\n"
		"\t_arguments -C -s -A '-*' \\\n");
	for (const struct option *o = optiongroups_common; o->name; o++) zsh_option(t, o);
	textout_put(t,
		"\t\t'1:command:_broch_verbs' '*::argument:->rest'\n"
		"\t[[ $state == rest ]] || return\n\tverb=$words[1]\n\tcase $verb in\n");
	first_words(t, zsh_group);
	textout_put(t, "\tesac\n\tcase $verb in\n");
	for (size_t i = 0; verb_at(i); i++)
		if (!verb_at(i)->hidden) zsh_verb(t, verb_at(i));
	textout_put(t, "\tesac\n}\n_broch \"$@\"\n");
}

/* --- fish */

static void fish_text(struct textout *t, const char *text) {
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\') textout_put(t, "\\");
		textout_raw(t, text, 1);
	}
}

static void fish_option(struct textout *t, const struct option *o, const char *when) {
	textout_put(t, "complete -c broch%s -l %s", when, o->name);
	if (o->letter) textout_put(t, " -s %c", o->letter);
	if (o->type == OPTION_PATH) textout_put(t, " -rF");
	else if (o->type == OPTION_FOLDER) textout_put(t, " -x -a '(__fish_complete_directories)'");
	else if (o->type != OPTION_FLAG) textout_put(t, " -x");
	if (o->choices) {
		textout_put(t, " -a '");
		put_choices(t, o->choices);
		textout_put(t, "'");
	}
	textout_put(t, " -d '");
	fish_text(t, o->line);
	textout_put(t, "'\n");
}

static void fish_word(struct textout *t, const struct verb *v, size_t n) {
	textout_put(t, "complete -c broch -n __broch_needs_verb -a %.*s", (int)n, v->name);
	if (v->name[n] != ' ') {
		textout_put(t, " -d '");
		fish_text(t, v->line);
		textout_put(t, "'");
	}
	textout_put(t, "\n");
}

static void fish_group(struct textout *t, const struct verb *v, size_t n) {
	if (v->name[n] != ' ') return;
	textout_put(t, "complete -c broch -n '__broch_words_are %.*s' -a '", (int)n, v->name);
	second_words(t, v->name, n);
	textout_put(t, "'\n");
}

static void fish_verb(struct textout *t, const struct verb *v) {
	char when[96] = " -n '__broch_is ";
	size_t used = strlen(when);
	size_t n = strlen(v->name);

	if (used + n + 2 > sizeof(when)) return;
	memcpy(when + used, v->name, n);
	memcpy(when + used + n, "'", 2);
	for (size_t group = 0; group < VERB_GROUPS && v->options[group]; group++)
		for (const struct option *o = v->options[group]; o->name; o++) fish_option(t, o, when);
	if (v->takes == VERB_TAKES_PATHS) textout_put(t, "complete -c broch%s -F\n", when);
	if (v->takes == VERB_TAKES_SNAPSHOTS) textout_put(t, "complete -c broch%s -a latest\n", when);
}

static void fish(struct textout *t) {
	textout_put(t,
		"# Completion for fish, made by \"broch generate completion fish\" from the tables in src/cli.\n"
		"function __broch_words\n"
		"\tset -l skip 0\n"
		"\tfor word in (commandline -opc)[2..-1]\n"
		"\t\tif test $skip = 1\n\t\t\tset skip 0\n\t\t\tcontinue\n\t\tend\n"
		"\t\tswitch $word\n\t\t\tcase");
	for (const struct option *o = optiongroups_common; o->name; o++)
		if (o->type != OPTION_FLAG) textout_put(t, " --%s", o->name);
	textout_put(t,
		"\n\t\t\t\tset skip 1\n\t\t\tcase '-*'\n\t\t\tcase '*'\n\t\t\t\techo $word\n\t\tend\n\tend\nend\n"
		"function __broch_needs_verb\n\ttest -z (__broch_words)[1]\nend\n"
		"function __broch_is\n\tset -l words (__broch_words)\n\tset -l n (count $argv)\n"
		"\ttest (count $words) -ge $n; and test \"$words[1..$n]\" = \"$argv\"\nend\n"
		"function __broch_words_are\n\tset -l words (__broch_words)\n\ttest \"$words\" = \"$argv\"\nend\n"
		"complete -c broch -f\n");
	first_words(t, fish_word);
	first_words(t, fish_group);
	for (const struct option *o = optiongroups_common; o->name; o++) fish_option(t, o, "");
	for (size_t i = 0; verb_at(i); i++)
		if (!verb_at(i)->hidden) fish_verb(t, verb_at(i));
}

void completion_write(struct textout *t, enum completion_shell shell) {
	static void (*const write[COMPLETION_SHELLS])(struct textout *) = { bash, zsh, fish };

	write[shell](t);
}
