/* png.c: libpng writes through our own functions, so that every byte, block and error passes here.
 */
#include "io/png.h"
#include "base/file.h"

#include <png.h>
#include <stdio.h>

/* What the functions that libpng calls back share. */
typedef struct encoder {
  const char *path;
  const deer_image *image;
  deer_file *file;
  deer_status status; // of the write or the allocation that failed, which left a message
  char message[120];  // what libpng says went wrong
} encoder;

/* Where the bytes of the file go; a failed write ends encode. */
static void write_bytes(png_structp png, png_bytep bytes, size_t n) {
  encoder *e = png_get_io_ptr(png);
  deer_status status = deer_file_write(e->file, bytes, n);
  if (status == DEER_OK) return;
  e->status = status;
  png_error(png, "write failed");
}

/* Nothing is held back here. */
static void flush_nothing(png_structp png) { (void)png; }

/* libpng's and zlib's blocks are counted like all others. */
static png_voidp get_memory(png_structp png, png_alloc_size_t bytes) {
  encoder *e = png_get_mem_ptr(png);
  void *block = deer_alloc(bytes);
  if (!block) e->status = DEER_ENOMEM;
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
static deer_status encode_to(deer_file *file, void *context) {
  encoder *e = context;
  e->file = file;
  png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, e, keep_error, ignore_warning,
                                              e, get_memory, give_memory);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    return deer_fail(DEER_ENOMEM, "cannot write %s: out of memory", e->path);
  }
  png_set_write_fn(png, e, write_bytes, flush_nothing);
  bool done = encode(png, info, e->image);
  png_destroy_write_struct(&png, &info);
  if (done) return DEER_OK;
  if (e->status == DEER_ENOMEM)
    return deer_fail(DEER_ENOMEM, "cannot write %s: out of memory", e->path);
  // a failed write has said why
  if (e->status != DEER_OK) return e->status;
  return deer_fail(DEER_EIO, "cannot write %s: %s", e->path, e->message);
}

deer_status deer_png_write(const char *path, const deer_image *image) {
  if (image->width < 1 || image->height < 1 || (image->channels != 3 && image->channels != 4))
    return deer_fail(DEER_EINVAL, "picture of %d x %d pixels with %d channels cannot be a PNG",
                     image->width, image->height, image->channels);
  encoder e = {.path = path, .image = image};
  return deer_file_replace_with(path, encode_to, &e);
}
