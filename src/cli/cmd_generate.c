#include <string.h>

#include "cli/cmd.h"
#include "cli/completion.h"
#include "cli/manpage.h"
#include "cli/say.h"
#include "cli/verb.h"
#include "os/file.h"

static enum err write_page(int folder, const struct verb *v, struct why *why) {
	char name[MANPAGE_NAME];
	struct textout t;
	struct buf text;
	enum err e;

	buf_init(&text, TEXTOUT_MAX);
	t = textout_to(&text);
	manpage_name(name, v);
	if (v) manpage_verb(&t, v);
	else manpage_overview(&t);
	e = why_err(why, textout_finish(&t), name);
	if (e == OK) e = file_replace(folder, name, buf_span(&text), FILE_SHARED, why);
	buf_free(&text);
	return e;
}

static enum err write_pages(const char *path, struct why *why) {
	const struct verb *v;
	int folder = -1;
	enum err e = file_open_folder(AT_FDCWD, path, &folder, why);

	if (e == OK) e = write_page(folder, NULL, why);
	for (size_t i = 0; e == OK && (v = verb_at(i)); i++)
		if (!v->hidden) e = write_page(folder, v, why);
	file_close(&folder);
	return e;
}

static enum err print_completion(struct say *say, const char *shell, struct why *why) {
	struct textout t;
	struct buf text;
	int which = 0;
	enum err e;

	while (which < COMPLETION_SHELLS && strcmp(completion_names[which], shell) != 0) which++;
	if (which == COMPLETION_SHELLS)
		return why_set(
			why, E_USAGE, "there is no completion for \"%s\", but for bash, zsh and fish", shell);
	buf_init(&text, TEXTOUT_MAX);
	t = textout_to(&text);
	completion_write(&t, (enum completion_shell)which);
	e = why_err(why, textout_finish(&t), "completion");
	if (e == OK) say_bytes(say, buf_span(&text));
	buf_free(&text);
	return e;
}

int cmd_generate(const struct invocation *inv) {
	struct why why = { 0 };
	enum err e;

	if (strcmp(inv->args[0], "man") == 0) e = write_pages(inv->args[1], &why);
	else if (strcmp(inv->args[0], "completion") == 0)
		e = print_completion(inv->say, inv->args[1], &why);
	else e = why_set(&why, E_USAGE, "\"%s\" can't be generated: man or completion", inv->args[0]);
	if (e == OK) return EXITCODE_OK;
	say_why(inv->say, &why);
	return e == E_USAGE ? EXITCODE_USAGE : EXITCODE_ERROR;
}
