/* video.h: films. Pictures are kept deflated in memory, each only where it differs from the one
 * before, and written all at once when the film is complete: MP4 by the program ffmpeg, animated
 * PNG (PNG specification, third edition) and GIF (GIF89a) by ourselves. */
#ifndef DEER_IO_VIDEO_H
#define DEER_IO_VIDEO_H

#include "base/base.h"
#include "io/png.h"

typedef struct deer_video deer_video;

/* A film without pictures. The ending of `path` decides what it will be: .mp4, .png or .apng, .gif;
 * `fps` pictures are shown in a second, from 0.1 to 240. Fails with DEER_EINVAL or DEER_ENOMEM;
 * *video is then NULL. */
deer_status deer_video_new(const char *path, double fps, deer_video **video);
void deer_video_free(deer_video *video); /* without writing it; NULL is allowed */

/* Adds a picture, which is borrowed. Fails with DEER_EINVAL when it has not 3 channels, sides of 1
 * to 16384 pixels and the size of the first one, and with DEER_ENOMEM; the film is then as it was.
 */
deer_status deer_video_add(deer_video *video, const deer_image *image);
int64_t deer_video_count(const deer_video *video); /* pictures so far */

/* Writes the film, complete or not at all, as base/file.h says. Without ffmpeg, or when it fails, a
 * .mp4 becomes an animated PNG, whose path ends with .png. Fails with DEER_ESTATE when there is no
 * picture, DEER_ENOMEM, DEER_EIO, DEER_EINTERRUPT. A GIF has at most 256 colours in a picture and
 * 50 pictures a second. */
deer_status deer_video_write(deer_video *video);
const char *deer_video_path(const deer_video *video); /* of the file: another one after that */
const char *deer_video_note(const deer_video *video); /* why it is another one; "" if it is not */

#endif
