/* png.h: pictures as PNG files. */
#ifndef DEER_IO_PNG_H
#define DEER_IO_PNG_H

#include "base/base.h"

/* A picture to write: height x width x channels bytes, row by row from the top; 3 channels are red,
 * green, blue, a fourth is the opacity. Borrowed, only read. */
typedef struct deer_image {
  const uint8_t *pixels;
  int width, height, channels;
} deer_image;

/* Writes the picture to `path` as base/file.h says: the file is complete or not there, and after a
 * failure an old file is as it was. The same pixels give the same bytes (for one version of libpng
 * and zlib). Fails with DEER_EINVAL for sides or channels that make no picture, DEER_ENOMEM, and
 * DEER_EIO, whose message names the path and the reason. */
deer_status deer_png_write(const char *path, const deer_image *image);

#endif
