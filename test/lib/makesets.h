/*
 * The sets of entries that maketree makes, each a function that makes one folder under the top
 * (two for makenames_deep). makenames.c, makeattrs.c, makedata.c and makekinds.c hold them.
 */
#ifndef MAKESETS_H
#define MAKESETS_H

#include "makeput.h"

void makenames_plain(struct makeput *m);   /* names/: every byte, controls, 255 bytes, … */
void makenames_naughty(struct makeput *m); /* naughty/: one file a line of a given list */
void makenames_deep(struct makeput *m);    /* depth/; deep/ and long/ are beyond PATH_MAX */

void makeattrs_modes(struct makeput *m);
void makeattrs_owners(struct makeput *m);
void makeattrs_times(struct makeput *m);
void makeattrs_xattrs(struct makeput *m);
void makeattrs_acls(struct makeput *m);

void makekinds_symlinks(struct makeput *m);
void makekinds_hardlinks(struct makeput *m);
void makekinds_special(struct makeput *m);
void makekinds_empty(struct makeput *m);
void makekinds_big(struct makeput *m);

void makedata_sizes(struct makeput *m);
void makedata_same(struct makeput *m);
void makedata_holes(struct makeput *m);

#endif
