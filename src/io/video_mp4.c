/* video_mp4.c: films as MP4, by the program ffmpeg. It is started without a shell and gets the
 * pictures on its standard input, a socket, so that its end is an error of send and no signal. */
#include "io/video_internal.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct feed {
  const deer_video *video;
  int socket;
  bool refused; /* ffmpeg takes no more */
} feed;

static deer_status send_picture(void *context, const uint8_t *pixels, const video_part *part) {
  feed *f = context;
  (void)part;
  size_t left = 3 * (size_t)f->video->width * (size_t)f->video->height;
  while (left > 0) {
    ssize_t n = send(f->socket, pixels, left, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR && !deer_interrupted()) continue;
    f->refused = n < 0;
    if (n < 0) return deer_fail(DEER_EIO, "ffmpeg: %s", strerror(errno));
    pixels += n, left -= (size_t)n;
  }
  return DEER_OK;
}

/* starts ffmpeg: 0, or errno. Odd sides get a black edge, as players need even ones. */
static int start(const deer_video *v, const char *place, const int fds[2], pid_t *pid) {
  char size[32], rate[32], to[PATH_MAX + 64];
  snprintf(size, sizeof size, "%dx%d", v->width, v->height);
  snprintf(rate, sizeof rate, "%.6f", v->fps);
  snprintf(to, sizeof to, "file:%s", place); /* else what has a colon or a dash is no file */
  /* clang-format off */
  const char *const words[] = {
      "ffmpeg", "-hide_banner", "-loglevel", "error", "-y",
      "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", size, "-framerate", rate,
      "-i", "pipe:0", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p",
      "-movflags", "+faststart", "-f", "mp4", to, NULL};
  /* clang-format on */
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
  /* the words are only read */
  if (!error) error = posix_spawnp(pid, words[0], &actions, NULL, (char *const *)words, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* sends the film and waits; *code is the exit status, -1 without one */
static deer_status feed_and_wait(feed *f, pid_t pid, int *code) {
  deer_status status = deer_video_play(f->video, send_picture, f);
  close(f->socket);
  if (status != DEER_OK && !f->refused) kill(pid, SIGTERM);
  int how = -1;
  pid_t waited;
  do waited = waitpid(pid, &how, 0);
  while (waited < 0 && errno == EINTR);
  *code = waited == pid && WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  if (deer_interrupted()) return deer_fail(DEER_EINTERRUPT, "interrupted");
  return f->refused ? DEER_OK : status;
}

/* the last line that ffmpeg left in a file, without control characters */
static void read_complaint(FILE *said, char *line, size_t size) {
  char next[256];
  rewind(said);
  snprintf(line, size, "it says nothing");
  while (fgets(next, sizeof next, said)) {
    size_t n = strcspn(next, "\r\n");
    for (size_t i = 0; i < n; i++)
      if ((unsigned char)next[i] < 32 || next[i] == 127) next[i] = '?';
    if (n > 0) snprintf(line, size, "%.*s", (int)n, next);
  }
}

static deer_status encode(deer_video *v, const char *place, FILE *said) {
  int pair[2], code;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return deer_fail(DEER_EIO, "cannot write %s: %s", v->path, strerror(errno));
  feed f = {.video = v, .socket = pair[1]};
  pid_t pid;
  int error = start(v, place, (int[]){pair[0], fileno(said)}, &pid);
  close(pair[0]);
  if (error) {
    close(pair[1]);
    snprintf(v->note, sizeof v->note, "there is no ffmpeg (%s)", strerror(error));
    return DEER_EIO;
  }
  DEER_TRY(feed_and_wait(&f, pid, &code));
  if (code == 0 && !f.refused) return DEER_OK;
  char line[160];
  read_complaint(said, line, sizeof line);
  snprintf(v->note, sizeof v->note, "ffmpeg failed: %s", line);
  return DEER_EIO;
}

deer_status deer_video_write_mp4(deer_file *file, void *video) {
  deer_video *v = video;
  FILE *said = tmpfile(); /* what it complains about */
  if (!said) return deer_fail(DEER_EIO, "cannot write %s: %s", v->path, strerror(errno));
  deer_status status = encode(v, deer_file_place(file), said);
  fclose(said);
  return status;
}
