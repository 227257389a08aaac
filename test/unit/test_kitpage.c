/* cli/kitpage: a page is written once, can be read back, and every mistake has its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/kitpage.h"
#include "os/userfile.h"

static const uint8_t secret[KITCODE_SECRET] = { 0xd3, 0xec, 0x0a, 0x00, 0xd4, 0xad, 0x17, 0xee,
	0xc4, 0xfa, 0xcf, 0x4a, 0x1d, 0x3b, 0x1a, 0x78 };
static const struct kitpage page = {
	.account = "4f3a9c...", .store = "/mnt/disk", .date = "2026-03-01"
};

static int make_folder(void **state) {
	static char folder[] = "/tmp/broch-kitpage-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int remove_folder(void **state) {
	return rmdir(*state);
}

static void path_in(char out[256], void **state, const char *name) {
	snprintf(out, 256, "%s/%s", (const char *)*state, name);
}

static void writes_once(void **state) {
	struct why why = { 0 };
	uint8_t got[KITCODE_SECRET];
	struct buf text;
	char path[256], link[256];
	struct stat st;

	path_in(path, state, "kit.txt");
	path_in(link, state, "link");
	(void)umask(0277);
	assert_int_equal(kitpage_write(path, &page, secret, &why), OK);
	(void)umask(022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(kitpage_read(path, got, &why), OK);
	assert_memory_equal(got, secret, sizeof(got));
	buf_init(&text, KITPAGE_MAX + 1);
	assert_int_equal(userfile_read(path, "the page", KITPAGE_MAX, &text, &why), OK);
	assert_int_equal(buf_add_zero(&text, 1), OK);
	assert_non_null(strstr((const char *)text.ptr, "delete the file"));
	buf_wipe_free(&text);
	assert_int_equal(kitpage_write(path, &page, secret, &why), E_EXISTS);
	assert_non_null(strstr(why.msg, path));
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(kitpage_write(link, &page, secret, &why), E_EXISTS);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("kit.txt", link), 0);
	assert_int_equal(kitpage_read(link, got, &why), OK); /* the user named it */
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kitpage_read(path, got, &why), E_NOTFOUND);
	path_in(path, state, "no/such/folder");
	assert_int_equal(kitpage_write(path, &page, secret, &why), E_NOTFOUND);
}

/* Not a character of the page but the code's line has to be right: the rest is for people. */
static void holds_the_code_once(void **state) {
	struct buf text;
	const char *first;

	(void)state;
	buf_init(&text, KITPAGE_MAX + 1);
	assert_int_equal(kitpage_render(&text, &page, secret), OK);
	assert_int_equal(buf_add(&text, span_of("", 1)), OK);
	first = strstr((const char *)text.ptr, "6KXG-501N-5D2Z-QC9Y-PF98-EKP6-KR5B");
	assert_non_null(first);
	assert_null(strstr(first + 1, "6KXG"));
	assert_null(strstr((const char *)text.ptr, "file")); /* this one is shown */
	assert_non_null(strstr((const char *)text.ptr, "/mnt/disk"));
	assert_non_null(strstr((const char *)text.ptr, "\xe2\x96\x80")); /* the QR code's blocks */
	buf_wipe_free(&text);
}

static void expect(const char *typed, enum err code, const char *sentence) {
	uint8_t got[KITCODE_SECRET];
	struct why why = { 0 };

	assert_int_equal(kitpage_parse(span_text(typed), got, &why), code);
	assert_string_equal(why.msg, sentence);
}

static void says_what_is_wrong(void **state) {
	(void)state;
	expect("6kxg 501n 5d2z qc9y pf98 ekp6 kr5b", OK, "");
	expect("6KXG-501N", E_DENIED, "a recovery code has 28 characters; these are 8");
	expect("6KXU-501N-5D2Z-QC9Y-PF98-EKP6-KR5B", E_DENIED,
		"character 4 of the code, \"U\", can't be one of a recovery code");
	expect("6KXG-501S-5D2Z-QC9Y-PF98-EKP6-KR5B", E_DENIED,
		"character 8 of the code, \"S\", is wrong; if it is the only one, it should be \"N\": compare it with the "
		"page");
	expect("6KXG-501N-5D2Z-CQ9Y-PF98-EKP6-KR5B", E_DENIED,
		"two neighbouring characters of the code are swapped: 12 and 13, or 13 and 14; compare them with the page");
	expect("6KWG-501N-5W2Z-QC9Y-PF98-EKP6-KR5B", E_DENIED,
		"this is not a recovery code, or several of its characters are wrong");
	expect("9PMR-0AZE-3HZ3-KQKY-2Q3Z-2ZCE-MZ6M", E_UNSUPPORTED,
		"this recovery kit is of version 1, which this program does not know");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_once),
		cmocka_unit_test(holds_the_code_once),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
