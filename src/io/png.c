/* png.c: libpng writes through our own functions, so that every byte, block and error passes here.
 */
#include "io/png.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the functions that libpng calls back share. */
typedef struct encoder {
  int file;
  int error;         // errno of the write that failed, 0 when it was not a write
  bool starved;      // an allocation failed
  char message[120]; // what libpng says went wrong
} encoder;

/* Where the bytes of the file go; a short write is continued, a failed one ends encode. */
static void write_bytes(png_structp png, png_bytep bytes, size_t n) {
  encoder *e = png_get_io_ptr(png);
  while (n > 0) {
    ssize_t done = write(e->file, bytes, n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      e->error = errno;
      png_error(png, "write failed");
    }
    bytes += done;
    n -= (size_t)done;
  }
}

/* Nothing is held back here. */
static void flush_nothing(png_structp png) { (void)png; }

/* libpng's and zlib's blocks are counted like all others. */
static png_voidp get_memory(png_structp png, png_alloc_size_t bytes) {
  encoder *e = png_get_mem_ptr(png);
  void *block = deer_alloc(bytes);
  e->starved |= !block;
  return block;
}

static void give_memory(png_structp png, png_voidp block) {
  (void)png;
  deer_free(block);
}

/* Keeps the message and jumps back into encode; libpng wants that it does not return. */
static void keep_error(png_structp png, png_const_charp message) {
  encoder *e = png_get_error_ptr(png);
  snprintf(e->message, sizeof e->message, "%s", message);
  png_longjmp(png, 1);
}

/* Warnings are about odd settings, which we do not make. */
static void ignore_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

/* Writes the whole file. The only function libpng jumps into: nothing it reads after a jump changes
 * after setjmp. */
static bool encode(png_structp png, png_infop info, const deer_image *image) {
  if (setjmp(png_jmpbuf(png))) return false;
  int type = image->channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB;
  png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8, type,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  // fixed settings: the bytes depend on the pixels alone; drawings are smallest unfiltered
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
  png_set_compression_level(png, 6);
  png_write_info(png, info);
  // the rows as they lie
  size_t stride = (size_t)image->width * (size_t)image->channels;
  for (int y = 0; y < image->height; y++) png_write_row(png, image->pixels + (size_t)y * stride);
  png_write_end(png, NULL);
  return true;
}

/* Sets libpng up with the functions above, encodes, and turns its error into ours. */
static deer_status encode_to(int file, const char *path, const deer_image *image) {
  encoder e = {.file = file};
  png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &e, keep_error, ignore_warning,
                                              &e, get_memory, give_memory);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    return deer_fail(DEER_ENOMEM, "cannot write %s: out of memory", path);
  }
  png_set_write_fn(png, &e, write_bytes, flush_nothing);
  bool done = encode(png, info, image);
  png_destroy_write_struct(&png, &info);
  if (done) return DEER_OK;
  if (e.starved) return deer_fail(DEER_ENOMEM, "cannot write %s: out of memory", path);
  return deer_fail(DEER_EIO, "cannot write %s: %s", path, e.error ? strerror(e.error) : e.message);
}

/* Creates a file beside `path` that no other thread or process uses; its name replaces `name`. */
static int create_beside(const char *path, char *name, size_t size) {
  int file = -1;
  // names are tried until one is new
  errno = EEXIST;
  for (int i = 0; file < 0 && errno == EEXIST && i < 1000; i++) {
    snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), i);
    file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  return file;
}

/* Makes a rename in the folder of `path` survive a power cut, as far as the file system can. `path`
 * is cut. */
static void sync_folder(char *path) {
  char *slash = strrchr(path, '/');
  if (slash) slash[slash == path] = '\0';
  int folder = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

/* Writes beside the place, then moves there; `name` is room for the temporary file's name. */
static deer_status write_and_move(const char *path, const deer_image *image, char *name,
                                  size_t size) {
  int file = create_beside(path, name, size);
  if (file < 0) return deer_fail(DEER_EIO, "cannot write %s: %s", path, strerror(errno));
  // the bytes, then their way to the disk: each step only after the one before went well
  deer_status status = encode_to(file, path, image);
  int error = 0;
  if (status == DEER_OK && fsync(file) != 0) error = errno;
  if (close(file) != 0 && !error) error = errno;
  if (status == DEER_OK && !error && rename(name, path) != 0) error = errno;
  if (status == DEER_OK && error)
    status = deer_fail(DEER_EIO, "cannot write %s: %s", path, strerror(error));
  // nothing is left behind
  if (status != DEER_OK)
    unlink(name);
  else
    sync_folder(name);
  return status;
}

deer_status deer_png_write(const char *path, const deer_image *image) {
  if (image->width < 1 || image->height < 1 || (image->channels != 3 && image->channels != 4))
    return deer_fail(DEER_EINVAL, "picture of %d x %d pixels with %d channels cannot be a PNG",
                     image->width, image->height, image->channels);
  // a rename would replace a device or a pipe by a file
  struct stat old;
  if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
    return deer_fail(DEER_EIO, "cannot write %s: %s", path,
                     S_ISDIR(old.st_mode) ? "Is a directory" : "not a regular file");
  size_t size = strlen(path) + 48;
  char *name = deer_alloc(size);
  if (!name) return DEER_ENOMEM;
  deer_status status = write_and_move(path, image, name, size);
  deer_free(name);
  return status;
}
