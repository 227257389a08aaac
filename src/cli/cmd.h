/* The functions behind the verbs, each in cmd_NAME.c. Each does what its verb says and gives an enum exitcode. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/invocation.h"

int cmd_accept_older(const struct invocation *inv);
int cmd_backup(const struct invocation *inv);
int cmd_cat(const struct invocation *inv);
int cmd_check(const struct invocation *inv);
int cmd_copy(const struct invocation *inv);
int cmd_device_list(const struct invocation *inv);
int cmd_diff(const struct invocation *inv);
int cmd_find(const struct invocation *inv);
int cmd_forget(const struct invocation *inv);
int cmd_generate(const struct invocation *inv);
int cmd_help(const struct invocation *inv);
int cmd_init(const struct invocation *inv);
int cmd_keep(const struct invocation *inv);
int cmd_kit_replace(const struct invocation *inv);
int cmd_kit_verify(const struct invocation *inv);
int cmd_ls(const struct invocation *inv);
int cmd_prune(const struct invocation *inv);
int cmd_recover(const struct invocation *inv);
int cmd_repair(const struct invocation *inv);
int cmd_restore(const struct invocation *inv);
int cmd_snapshots(const struct invocation *inv);
int cmd_stats(const struct invocation *inv);
int cmd_tag(const struct invocation *inv);
int cmd_vault_create(const struct invocation *inv);
int cmd_vault_info(const struct invocation *inv);
int cmd_vault_list(const struct invocation *inv);
int cmd_version(const struct invocation *inv);

#endif
