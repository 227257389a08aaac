/* Tables of options that several verbs share. Each ends with a row without a name. */
#ifndef CLI_OPTIONGROUPS_H
#define CLI_OPTIONGROUPS_H

#include "cli/option.h"

extern const struct option optiongroups_common[];  /* of every verb, accepted before it too */
extern const struct option optiongroups_filter[];  /* --host --tag --branch choose snapshots */
extern const struct option optiongroups_dry_run[]; /* --dry-run */
extern const struct option optiongroups_long[];    /* --long */
extern const struct option optiongroups_no_passphrase[]; /* --no-passphrase */
extern const struct option optiongroups_kit_file[];      /* --kit-file */
extern const struct option optiongroups_kit_out[];       /* --kit-out */
extern const struct option optiongroups_max_unused[];    /* --max-unused */

#endif
