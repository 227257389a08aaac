#include "os/paths.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err joined(char *out, const char *folder, const char *rest, struct why *why) {
	int n = snprintf(out, PATHS_MAX, "%s%s", folder, rest);
	if (n >= 0 && n < PATHS_MAX) return OK;
	out[0] = 0;
	return why_set(why, E_LIMIT, "the path of a home folder is longer than 4,095 bytes");
}

/* An absolute path from the environment, or NULL. */
static const char *absolute(const char *variable) {
	const char *value = getenv(variable);
	return value && value[0] == '/' ? value : NULL;
}

enum err paths_home(char *out, struct why *why) {
	const char *home = absolute("HOME");
	if (home) return joined(out, home, "", why);
	struct passwd entry, *found = NULL;
	char text[16384];
	if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 && found && found->pw_dir &&
		found->pw_dir[0] == '/')
		return joined(out, found->pw_dir, "", why);
	return why_set(why, E_NOTFOUND,
		"there is no home folder: HOME is not set and the user has none; set BROCH_HOME");
}

static enum err folder_of(
	char *out, const char *own, const char *variable, const char *in_home, struct why *why) {
	const char *mine = getenv("BROCH_HOME");
	if (mine && mine[0]) return joined(out, mine, own, why);
	const char *xdg = absolute(variable);
	if (xdg) return joined(out, xdg, "/broch", why);
	char home[PATHS_MAX];
	enum err e = paths_home(home, why);
	if (e != OK) return e;
	return joined(out, home, in_home, why);
}

enum err paths_state(char *out, struct why *why) {
	return folder_of(out, "", "XDG_STATE_HOME", "/.local/state/broch", why);
}

enum err paths_cache(char *out, struct why *why) {
	return folder_of(out, "/cache", "XDG_CACHE_HOME", "/.cache/broch", why);
}
