/* video_internal.h: what the writers of films share. */
#ifndef DEER_IO_VIDEO_INTERNAL_H
#define DEER_IO_VIDEO_INTERNAL_H

#include "base/file.h"
#include "io/video.h"

/* The part of a picture that differs from the one before, and where its rows lie, deflated as in a
 * PNG: each begins with a zero. */
typedef struct video_part {
  int x, y, width, height;
  size_t at, size;
} video_part;

struct deer_video {
  char *path, note[256];
  double fps;
  int width, height;
  video_part *parts; /* n pictures in room for `room` */
  int64_t n, room;
  uint8_t *bytes; /* the deflated rows of all */
  size_t used, size;
  uint8_t *last, *rows; /* the picture added last; rows to be deflated */
};

/* Called for each picture in turn: the whole of it, and which part is new. */
typedef deer_status video_viewer(void *context, const uint8_t *pixels, const video_part *part);
deer_status deer_video_play(const deer_video *video, video_viewer *viewer, void *context);

/* Each writes the film; deer_file_fill functions whose context is the film. That for ffmpeg says in
 * the note why ffmpeg could not do it, if it was its fault. */
deer_status deer_video_write_png(deer_file *file, void *video);
deer_status deer_video_write_gif(deer_file *file, void *video);
deer_status deer_video_write_mp4(deer_file *file, void *video);

#endif
