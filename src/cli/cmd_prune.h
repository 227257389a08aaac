/* For forget --prune: the work of prune with the options of ${inv} (--max-unused, --dry-run), and what it says. */
#ifndef CLI_CMD_PRUNE_H
#define CLI_CMD_PRUNE_H

#include "cli/invocation.h"
#include "client/vault.h"

/* Gives an enum exitcode and has said what came of it. ${forgotten}: see struct prune_options. */
int cmd_prune_run(const struct invocation *inv, struct vault *v, struct span forgotten);

#endif
