/* Completion for shells, made from the tables. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/textout.h"

enum completion_shell { COMPLETION_BASH, COMPLETION_ZSH, COMPLETION_FISH, COMPLETION_SHELLS };

void completion_write(struct textout *t, enum completion_shell shell);

/* The names of the shells, by number. */
extern const char *const completion_names[];

/* The file's name, as the shell looks for it: "broch", "_broch", "broch.fish". */
extern const char *const completion_files[];

#endif
