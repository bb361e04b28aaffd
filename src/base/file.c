/* file.c: files read whole, and the one place that writes them: beside the place, synchronised,
 * then renamed. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct deer_file {
  int fd;
  const char *path;  // as the caller named it, for messages
  const char *place; // where the bytes go
};

static deer_status cannot_write(const char *path, int error) {
  return deer_fail(DEER_EIO, "cannot write %s: %s", path, strerror(error));
}

deer_status deer_file_write(deer_file *file, const void *bytes, size_t size) {
  const char *from = bytes;
  // write may take a part, and a signal may come between
  while (size > 0) {
    ssize_t n = write(file->fd, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot_write(file->path, errno);
    from += n;
    size -= (size_t)n;
  }
  return DEER_OK;
}

const char *deer_file_place(const deer_file *file) { return file->place; }

/* Fills the open file, brings it to the disk and closes it, whatever happens. */
static deer_status fill_and_close(deer_file *file, deer_file_fill *fill, void *context) {
  deer_status status = fill(file, context);
  // devices and pipes cannot be synchronised, which is fine
  if (status == DEER_OK && fsync(file->fd) != 0 && errno != EINVAL && errno != EROFS)
    status = cannot_write(file->path, errno);
  if (close(file->fd) != 0 && status == DEER_OK) status = cannot_write(file->path, errno);
  return status;
}

/* Creates a file beside `target` that no other thread or process uses; its name goes to `name`. */
static int create_beside(const char *target, char *name, size_t size) {
  int fd = -1;
  // names are tried until one is new
  errno = EEXIST;
  for (int i = 0; fd < 0 && errno == EEXIST && i < 1000; i++) {
    snprintf(name, size, "%s.%ld-%d.tmp", target, (long)getpid(), i);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  return fd;
}

/* Makes a renaming in the folder of `path` survive a power cut, as far as the file system can.
 * `path` is cut. */
static void sync_folder(char *path) {
  char *slash = strrchr(path, '/');
  if (slash) slash[slash == path] = '\0';
  int folder = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

/* Where the file behind `path` lies: links are followed, and only in its own folder renaming is
 * atomic. 0 or errno. */
static int find_target(const char *path, char target[PATH_MAX]) {
  if (realpath(path, target)) return 0;
  // not there yet
  size_t length = strlen(path);
  if (length >= PATH_MAX) return ENAMETOOLONG;
  memcpy(target, path, length + 1);
  return 0;
}

deer_status deer_file_replace_with(const char *path, deer_file_fill *fill, void *context) {
  char target[PATH_MAX], name[PATH_MAX + 48];
  deer_file file = {.path = path, .place = path};
  // a device or a pipe would be gone if it were replaced
  struct stat old;
  bool exists = stat(path, &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    file.fd = open(path, O_WRONLY | O_CLOEXEC);
    return file.fd < 0 ? cannot_write(path, errno) : fill_and_close(&file, fill, context);
  }
  int error = find_target(path, target);
  if (error) return cannot_write(path, error);
  file.fd = create_beside(target, name, sizeof name);
  if (file.fd < 0) return cannot_write(path, errno);
  file.place = name;
  // what only its owner could read stays so; some file systems know no permissions
  if (exists && fchmod(file.fd, old.st_mode & 0777) != 0) errno = 0;
  // each step only after the one before went well; nothing is left behind
  deer_status status = fill_and_close(&file, fill, context);
  if (status == DEER_OK && rename(name, target) != 0) status = cannot_write(path, errno);
  if (status != DEER_OK)
    unlink(name);
  else
    sync_folder(target);
  return status;
}

/* The contents of deer_file_replace. */
typedef struct block {
  const void *bytes;
  size_t size;
} block;

static deer_status write_block(deer_file *file, void *context) {
  const block *b = context;
  return deer_file_write(file, b->bytes, b->size);
}

deer_status deer_file_replace(const char *path, const void *bytes, size_t size) {
  block contents = {bytes, size};
  return deer_file_replace_with(path, write_block, &contents);
}

/* ---- reading ---- */

/* The size of an open regular file. */
static deer_status measure(int fd, size_t most, size_t *size) {
  struct stat st;
  if (fstat(fd, &st) != 0) return deer_fail(DEER_EIO, "%s", strerror(errno));
  if (!S_ISREG(st.st_mode))
    return deer_fail(DEER_EIO, S_ISDIR(st.st_mode) ? "Is a directory" : "not a regular file");
  if ((uintmax_t)st.st_size > most)
    return deer_fail(DEER_EIO, "it has %ju bytes, at most %zu are read", (uintmax_t)st.st_size,
                     most);
  *size = (size_t)st.st_size;
  return DEER_OK;
}

/* Exactly `size` bytes. */
static deer_status read_all(int fd, char *to, size_t size) {
  while (size > 0) {
    ssize_t n = read(fd, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return deer_fail(DEER_EIO, "%s", strerror(errno));
    if (n == 0) return deer_fail(DEER_EIO, "it became shorter while it was read");
    to += n;
    size -= (size_t)n;
  }
  return DEER_OK;
}

static deer_status read_open(int fd, size_t most, char **bytes, size_t *size) {
  DEER_TRY(measure(fd, most, size));
  // one byte more, which is 0, ends a text
  *bytes = deer_alloc(*size + 1);
  if (!*bytes) return DEER_ENOMEM;
  (*bytes)[*size] = '\0';
  return read_all(fd, *bytes, *size);
}

deer_status deer_file_read(const char *path, size_t most, char **bytes, size_t *size) {
  *bytes = NULL;
  // a pipe must not keep us waiting for somebody to write
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return deer_fail(DEER_EIO, "cannot read %s: %s", path, strerror(errno));
  deer_status status = read_open(fd, most, bytes, size);
  close(fd);
  if (status == DEER_OK) return DEER_OK;
  deer_free(*bytes);
  *bytes = NULL;
  return deer_fail(status, "cannot read %s: %s", path, deer_error());
}
