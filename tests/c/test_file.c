/* test_file.c: files are complete or not there, whatever goes wrong on the way. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* A folder of its own for one test, which is also the current one. */
static char folder[32];

static int enter(void **state) {
  (void)state;
  strcpy(folder, "/tmp/test_file_XXXXXX");
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return chdir("/") == 0 ? system(command) : -1;
}

static int files_here(void) {
  DIR *d = opendir(".");
  int n = 0;
  for (struct dirent *e; (e = readdir(d)) != NULL;)
    n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
  closedir(d);
  return n;
}

static void assert_contents(const char *path, const char *expected) {
  char text[64] = {0};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_true(fread(text, 1, sizeof text - 1, file) < sizeof text - 1);
  fclose(file);
  assert_string_equal(text, expected);
}

static void test_new_and_old(void **state) {
  (void)state;
  assert_int_equal(deer_file_replace("f", "one", 3), DEER_OK);
  assert_contents("f", "one");
  assert_int_equal(deer_file_replace("f", "second", 6), DEER_OK);
  assert_contents("f", "second");
  assert_int_equal(deer_file_replace("f", NULL, 0), DEER_OK);
  assert_contents("f", "");
  assert_int_equal(files_here(), 1);
}

static void test_link(void **state) {
  (void)state;
  assert_int_equal(mkdir("d", 0777), 0);
  assert_int_equal(deer_file_replace("d/f", "old", 3), DEER_OK);
  assert_int_equal(symlink("d/f", "link"), 0);
  assert_int_equal(deer_file_replace("link", "new", 3), DEER_OK);
  struct stat st;
  assert_int_equal(lstat("link", &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_contents("d/f", "new");
}

/* what only its owner could read must not become readable by writing it again */
static void test_permissions(void **state) {
  (void)state;
  assert_int_equal(deer_file_replace("f", "old", 3), DEER_OK);
  struct stat st;
  static const mode_t modes[] = {0600, 0640, 0666};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(chmod("f", modes[i]), 0);
    assert_int_equal(deer_file_replace("f", "new", 3), DEER_OK);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 0777, modes[i]);
  }
}

static void test_device_and_pipe(void **state) {
  (void)state;
  assert_int_equal(deer_file_replace("/dev/null", "x", 1), DEER_OK);
  assert_int_equal(deer_file_replace("/dev/full", "x", 1), DEER_EIO);
  assert_string_equal(deer_error(), "cannot write /dev/full: No space left on device");
  struct stat st;
  assert_int_equal(stat("/dev/full", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  // somebody listens at the other end, so opening does not wait
  assert_int_equal(mkfifo("pipe", 0666), 0);
  int end = open("pipe", O_RDONLY | O_NONBLOCK);
  char text[8] = {0};
  assert_int_equal(deer_file_replace("pipe", "abc", 3), DEER_OK);
  assert_int_equal(read(end, text, sizeof text), 3);
  assert_string_equal(text, "abc");
  close(end);
}

static void test_bad_places(void **state) {
  (void)state;
  assert_int_equal(deer_file_replace("none/f", "x", 1), DEER_EIO);
  assert_string_equal(deer_error(), "cannot write none/f: No such file or directory");
  assert_int_equal(deer_file_replace(".", "x", 1), DEER_EIO);
  assert_string_equal(deer_error(), "cannot write .: Is a directory");
  assert_int_equal(deer_file_replace("", "x", 1), DEER_EIO);
  assert_int_equal(deer_file_replace("f/", "x", 1), DEER_EIO);
  // a name too long for the file system, and one too long for us
  static char name[20000];
  memset(name, 'a', sizeof name - 1);
  assert_int_equal(deer_file_replace(name, "x", 1), DEER_EIO);
  assert_int_equal(deer_file_replace(name + sizeof name - 301, "x", 1), DEER_EIO);
  assert_non_null(strstr(deer_error(), "File name too long"));
  assert_int_equal(files_here(), 0);
}

/* Writes a part, then finds that it cannot go on. */
static deer_status give_up(deer_file *file, void *context) {
  DEER_TRY(deer_file_write(file, "half", 4));
  return deer_fail(DEER_EDATA, "%s", (const char *)context);
}

static void test_given_up(void **state) {
  (void)state;
  assert_int_equal(deer_file_replace("f", "old", 3), DEER_OK);
  assert_int_equal(deer_file_replace_with("f", give_up, "why"), DEER_EDATA);
  assert_string_equal(deer_error(), "why");
  assert_contents("f", "old");
  assert_int_equal(deer_file_replace_with("g", give_up, "why"), DEER_EDATA);
  assert_int_equal(files_here(), 1);
}

/* A file size limit stands for a full disk. */
static void test_full_disk(void **state) {
  (void)state;
  static char block[100000];
  assert_int_equal(deer_file_replace("f", "old", 3), DEER_OK);
  struct rlimit limit, small;
  getrlimit(RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 2000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  deer_status status = deer_file_replace("f", block, sizeof block);
  setrlimit(RLIMIT_FSIZE, &limit);
  assert_int_equal(status, DEER_EIO);
  assert_string_equal(deer_error(), "cannot write f: File too large");
  assert_contents("f", "old");
  assert_int_equal(files_here(), 1);
}

/* What a killed process left behind is in nobody's way. */
static void test_left_over(void **state) {
  (void)state;
  char name[64];
  snprintf(name, sizeof name, "f.%ld-0.tmp", (long)getpid());
  assert_int_equal(deer_file_replace(name, "left", 4), DEER_OK);
  assert_int_equal(deer_file_replace("f", "new", 3), DEER_OK);
  assert_contents("f", "new");
  assert_contents(name, "left");
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      HERE(test_new_and_old),     HERE(test_link),       HERE(test_permissions),
      HERE(test_device_and_pipe), HERE(test_bad_places), HERE(test_given_up),
      HERE(test_full_disk),       HERE(test_left_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
