/* file.h: reading files whole, and writing ones that are complete or not there. Contents go to a
 * new file beside the place, reach the disk, and take the place by renaming, so that a crash, a
 * full disk or a power cut leaves the old file as it was. */
#ifndef DEER_FILE_H
#define DEER_FILE_H

#include "base/base.h"

/* A file being written; lives only during deer_file_replace_with. */
typedef struct deer_file deer_file;

/* Writes the contents by calls of deer_file_write. Anything but DEER_OK, with a message, gives the
 * whole file up. */
typedef deer_status deer_file_fill(deer_file *file, void *context);

/* Appends. Fails with DEER_EIO and a message that names path and reason. */
deer_status deer_file_write(deer_file *file, const void *bytes, size_t size);

/* The path of what is being written, for a program that fills it itself; valid while it is. */
const char *deer_file_place(const deer_file *file);

/* Replaces the file `path`, or makes it, with what `fill` writes. A link to a file is
 * followed, and a file that was there keeps its permissions; what exists and is no regular file (a
 * device, a pipe) is written to as it is. Returns the status of `fill`,
 * or DEER_EIO with "cannot write PATH: REASON"; then nothing is left behind. */
deer_status deer_file_replace_with(const char *path, deer_file_fill *fill, void *context);

/* The same for contents that are in memory. */
deer_status deer_file_replace(const char *path, const void *bytes, size_t size);

/* Reads the whole regular file `path` into memory that the caller frees with deer_free: `*size`
 * bytes and a zero byte behind them. DEER_EIO with "cannot read PATH: REASON" when there is no such
 * file, it is none (a folder, a pipe), is larger than `most` bytes or becomes shorter meanwhile. */
deer_status deer_file_read(const char *path, size_t most, char **bytes, size_t *size);

#endif
