/* test_video.c: films are read back, picture by picture, by decoders written here from the
 * standards (PNG third edition, GIF89a); what ffmpeg gets is caught by scripts called so. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "deer.h"

enum { WIDTH = 61, HEIGHT = 40, PICTURES = 9, AREA = WIDTH * HEIGHT, BYTES = 3 * AREA };

static char folder[32], old_path[4096];

static int enter(void **state) {
  (void)state;
  strcpy(folder, "/tmp/test_video_XXXXXX");
  snprintf(old_path, sizeof old_path, "%s", getenv("PATH"));
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  char command[64];
  setenv("PATH", old_path, 1);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return chdir("/") == 0 ? system(command) : -1;
}

/* ---- films ---- */

/* A square that moves over stripes; the fifth picture is the fourth again, the last is all new. */
static void draw(int i, uint8_t *pixels) {
  if (i == 5) i = 4;
  for (int at = 0; at < AREA; at++) {
    int x = at % WIDTH, y = at / WIDTH;
    bool square = x >= 3 * i && x < 3 * i + 8 && y >= 2 * i && y < 2 * i + 8;
    uint8_t *p = pixels + 3 * at;
    p[0] = (uint8_t)(square ? 200 : x), p[1] = (uint8_t)(square ? 30 : x % 5);
    p[2] = (uint8_t)(i == PICTURES - 1 ? 255 : 7);
  }
}

/* Colours without end: each pixel has its own. */
static void draw_many(int i, uint8_t *pixels) {
  for (int at = 0; at < AREA; at++) {
    pixels[3 * at] = (uint8_t)(4 * (at % WIDTH) + i);
    pixels[3 * at + 1] = (uint8_t)(6 * (at / WIDTH));
    pixels[3 * at + 2] = (uint8_t)(at * 7);
  }
}

typedef void drawing(int i, uint8_t *pixels);

static deer_video *film(const char *path, double fps, drawing *picture) {
  static uint8_t pixels[BYTES];
  deer_video *video;
  assert_int_equal(deer_video_new(path, fps, &video), DEER_OK);
  for (int i = 0; i < PICTURES; i++) {
    picture(i, pixels);
    assert_int_equal(deer_video_add(video, &(deer_image){pixels, WIDTH, HEIGHT, 3}), DEER_OK);
  }
  assert_int_equal(deer_video_count(video), PICTURES);
  return video;
}

static void write_and_free(deer_video *video) {
  assert_int_equal(deer_video_write(video), DEER_OK);
  assert_string_equal(deer_video_note(video), "");
  deer_video_free(video);
}

static uint8_t *slurp(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size + 1);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  fclose(file);
  return bytes;
}

/* ---- reading an animated PNG ---- */

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

typedef struct screen {
  uint8_t pixels[BYTES];
  int shown, x, y, w, h;
  double seconds;
} screen;

static void inflate_part(screen *s, const uint8_t *from, size_t n) {
  uLongf most = BYTES + HEIGHT;
  uint8_t rows[BYTES + HEIGHT];
  assert_int_equal(uncompress(rows, &most, from, (uLong)n), Z_OK);
  assert_int_equal(most, (3 * s->w + 1) * s->h);
  assert_true(s->x + s->w <= WIDTH && s->y + s->h <= HEIGHT);
  for (int y = 0; y < s->h; y++) {
    const uint8_t *row = rows + y * (3 * s->w + 1);
    assert_int_equal(row[0], 0); /* no filter */
    memcpy(s->pixels + 3 * ((s->y + y) * WIDTH + s->x), row + 1, 3 * (size_t)s->w);
  }
}

static void check_picture(screen *s, drawing *picture) {
  static uint8_t expected[BYTES];
  picture(s->shown++, expected);
  assert_memory_equal(s->pixels, expected, BYTES);
}

static void control(screen *s, const uint8_t *p, uint32_t *sequence) {
  assert_int_equal(get32(p), (*sequence)++);
  s->w = (int)get32(p + 4), s->h = (int)get32(p + 8);
  s->x = (int)get32(p + 12), s->y = (int)get32(p + 16);
  s->seconds += (p[20] * 256 + p[21]) / (double)(p[22] * 256 + p[23]);
  assert_int_equal(p[24] * 256 + p[25], 0); /* it stays, and covers what was there */
}

/* every chunk in its place with the right sum, every picture as it was drawn */
static void check_png(const char *path, double fps, drawing *picture) {
  static screen s;
  memset(&s, 0, sizeof s);
  size_t size, at = 8;
  uint8_t *file = slurp(path, &size);
  uint32_t sequence = 0;
  assert_memory_equal(file, "\211PNG\r\n\032\n", 8);
  char order[64] = "";
  while (at < size) {
    uint32_t n = get32(file + at);
    const uint8_t *type = file + at + 4, *p = type + 4;
    assert_true(at + 12 + n <= size);
    assert_int_equal(get32(p + n), crc32(0, type, n + 4));
    if (memcmp(type, "IHDR", 4) == 0) assert_int_equal(get32(p) * 1000 + get32(p + 4), 61040);
    if (memcmp(type, "acTL", 4) == 0) assert_int_equal(get32(p), PICTURES);
    if (memcmp(type, "fcTL", 4) == 0) control(&s, p, &sequence);
    if (memcmp(type, "fdAT", 4) == 0) assert_int_equal(get32(p), sequence++);
    bool more = memcmp(type, "fdAT", 4) == 0;
    if (more || memcmp(type, "IDAT", 4) == 0) {
      inflate_part(&s, p + (more ? 4 : 0), n - (more ? 4 : 0));
      check_picture(&s, picture);
    }
    order[strlen(order)] = (char)type[more || type[1] == 'D' ? 2 : 1];
    at += 12 + n;
  }
  assert_string_equal(order, "HccAcAcAcAcAcAcAcAcAE");
  assert_int_equal(s.shown, PICTURES);
  assert_true(s.seconds > PICTURES / fps - 0.01 && s.seconds < PICTURES / fps + 0.01);
  free(file);
}

static void test_png(void **state) {
  (void)state;
  write_and_free(film("a.png", 12.5, draw));
  check_png("a.png", 12.5, draw);
  write_and_free(film("many.APNG", 60, draw_many));
  check_png("many.APNG", 60, draw_many);
}

/* ---- reading a GIF ---- */

/* the codes of Welch's method, one table entry being a byte behind an earlier one */
static const uint8_t *read_pixels(const uint8_t *p, const uint8_t *colors, screen *s) {
  int before[4096], last[4096], stack[4096], min = *p++, width = min + 1, next = 0, old = -1;
  uint32_t bits = 0;
  int n_bits = 0, left = *p++, done = 0;
  bool over = false;
  while (left > 0) {
    bits |= (uint32_t)*p++ << n_bits;
    n_bits += 8;
    if (--left == 0) left = *p++;
    if (n_bits < width || over) continue;
    int code = (int)(bits & ((1U << width) - 1));
    bits >>= width, n_bits -= width;
    over = code == (1 << min) + 1;
    if (over) continue;
    if (code == 1 << min) {
      width = min + 1, next = (1 << min) + 2, old = -1;
      continue;
    }
    /* a code that is just being made stands for the old string and its own first byte */
    assert_true(code < next || (code == next && old >= 0));
    int n = 0, at = code == next ? old : code;
    if (code == next) n = 1;
    for (; at >= 1 << min; at = before[at]) stack[n++] = last[at];
    stack[n++] = at;
    if (code == next) stack[0] = at;
    while (n > 0) {
      int x = s->x + done % s->w, y = s->y + done / s->w;
      done++;
      memcpy(s->pixels + 3 * (y * WIDTH + x), colors + 3 * stack[--n], 3);
    }
    if (old >= 0 && next < 4096) before[next] = old, last[next++] = at;
    if (next == 1 << width && width < 12) width++;
    old = code;
  }
  assert_true(over);
  assert_int_equal(done, s->w * s->h);
  return p;
}

static int get16(const uint8_t *p) { return p[0] + 256 * p[1]; }

typedef void gif_check(screen *s);

static void check_gif(const char *path, gif_check *look, screen *s) {
  memset(s, 0, sizeof *s);
  size_t size;
  uint8_t *file = slurp(path, &size);
  assert_memory_equal(file, "GIF89a", 6);
  assert_int_equal(get16(file + 6), WIDTH);
  assert_int_equal(get16(file + 8), HEIGHT);
  assert_int_equal(file[10] & 0x80, 0); /* no common colours */
  const uint8_t *p = file + 13;
  while (*p != ';') {
    if (*p == 0x21) {
      if (p[1] == 0xf9) s->seconds += get16(p + 4) / 100.0;
      for (p += 2; *p; p += *p + 1) {
      }
      p++;
      continue;
    }
    assert_int_equal(*p, 0x2c);
    s->x = get16(p + 1), s->y = get16(p + 3), s->w = get16(p + 5), s->h = get16(p + 7);
    assert_true(s->x + s->w <= WIDTH && s->y + s->h <= HEIGHT);
    assert_int_equal(p[9] & 0x80, 0x80);
    int n_colors = 2 << (p[9] & 7);
    p = read_pixels(p + 10 + 3 * n_colors, p + 10, s);
    look(s);
  }
  assert_ptr_equal(p + 1, file + size);
  assert_int_equal(s->shown, PICTURES);
  free(file);
}

static void exact(screen *s) { check_picture(s, draw); }

/* with more than 256 colours each is near to what it was */
static void near(screen *s) {
  static uint8_t expected[BYTES];
  draw_many(s->shown++, expected);
  for (int i = 0; i < BYTES; i++) assert_true(abs((int)s->pixels[i] - (int)expected[i]) < 64);
}

static void test_gif(void **state) {
  (void)state;
  static screen s;
  write_and_free(film("a.gif", 30, draw));
  check_gif("a.gif", exact, &s);
  assert_true(s.seconds > 0.295 && s.seconds < 0.305); /* 3, 4 and 3 hundredths in turn */
  write_and_free(film("many.gif", 200, draw_many));
  check_gif("many.gif", near, &s);
  assert_true(s.seconds > 0.175 && s.seconds < 0.185); /* not faster than viewers can */
}

/* more strings than the table of codes holds, so that it is cleared */
static void test_long_gif(void **state) {
  (void)state;
  static screen s;
  static uint8_t pixels[2][BYTES];
  deer_rng rng = deer_rng_seed(1);
  for (int i = 0; i < BYTES; i += 3) memset(&pixels[0][i], (int)deer_rng_below(&rng, 200), 3);
  deer_video *video;
  assert_int_equal(deer_video_new("noise.gif", 25, &video), DEER_OK);
  assert_int_equal(deer_video_add(video, &(deer_image){pixels[0], WIDTH, HEIGHT, 3}), DEER_OK);
  write_and_free(video);
  memset(&s, 0, sizeof s);
  size_t size;
  uint8_t *file = slurp("noise.gif", &size), *p = file + 13 + 19 + 8;
  s.w = WIDTH, s.h = HEIGHT;
  read_pixels(p + 10 + 768, p + 10, &s);
  assert_memory_equal(s.pixels, pixels[0], BYTES);
  free(file);
}

/* ---- ffmpeg ---- */

/* a program of that name, the only one in $PATH besides the usual ones */
static void pretend(const char *script) {
  char path[64];
  assert_int_equal(mkdir("bin", 0777), 0);
  FILE *file = fopen("bin/ffmpeg", "w");
  fprintf(file, "#!/bin/sh\n%s\n", script);
  fclose(file);
  assert_int_equal(chmod("bin/ffmpeg", 0755), 0);
  snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", folder);
  setenv("PATH", path, 1);
}

static void test_ffmpeg_gets_every_picture(void **state) {
  (void)state;
  static uint8_t expected[BYTES];
  /* the last word is the file; the others are kept */
  pretend("for to; do :; done; echo \"$@\" >words; cat >\"${to#file:}\"");
  deer_video *video = film("-a b:c.mp4", 12.5, draw);
  assert_int_equal(deer_video_write(video), DEER_OK);
  assert_string_equal(deer_video_note(video), "");
  assert_string_equal(deer_video_path(video), "-a b:c.mp4");
  deer_video_free(video);
  size_t size;
  uint8_t *bytes = slurp("-a b:c.mp4", &size);
  assert_int_equal(size, PICTURES * BYTES);
  for (int i = 0; i < PICTURES; i++) {
    draw(i, expected);
    assert_memory_equal(bytes + i * BYTES, expected, BYTES);
  }
  free(bytes);
  bytes = slurp("words", &size);
  bytes[size] = '\0';
  assert_non_null(strstr((char *)bytes, "-f rawvideo -pixel_format rgb24 -video_size 61x40 "
                                        "-framerate 12.500000 -i pipe:0 "));
  free(bytes);
}

/* the film becomes a PNG, the MP4 that was there stays, and nothing is left over */
static void expect_png(const char *note) {
  assert_int_equal(deer_file_replace("a.mp4", "old", 3), DEER_OK);
  deer_video *video = film("a.mp4", 25, draw);
  assert_int_equal(deer_video_write(video), DEER_OK);
  assert_string_equal(deer_video_note(video), note);
  assert_string_equal(deer_video_path(video), "a.png");
  deer_video_free(video);
  check_png("a.png", 25, draw);
  size_t size;
  uint8_t *bytes = slurp("a.mp4", &size);
  assert_int_equal(size, 3);
  free(bytes);
  assert_int_equal(system("test \"$(ls | grep -v bin | tr '\\n' ' ')\" = 'a.mp4 a.png '"), 0);
}

static void test_no_ffmpeg(void **state) {
  (void)state;
  setenv("PATH", folder, 1);
  deer_video *video = film("a.mp4", 25, draw);
  assert_int_equal(deer_video_write(video), DEER_OK);
  assert_string_equal(deer_video_path(video), "a.png");
  assert_non_null(strstr(deer_video_note(video), "there is no ffmpeg"));
  deer_video_free(video);
  check_png("a.png", 25, draw);
}

static void test_ffmpeg_that_fails(void **state) {
  (void)state;
  pretend("cat >/dev/null; echo first >&2; echo 'Unknown encoder' >&2; echo >&2; exit 3");
  expect_png("ffmpeg failed: Unknown encoder");
}

/* writing to one that is gone would end the program with a signal */
static void test_ffmpeg_that_goes_away(void **state) {
  (void)state;
  pretend("exit 0");
  /* more than any buffer between the two holds */
  static uint8_t pixels[600 * 400 * 3];
  deer_video *video;
  assert_int_equal(deer_video_new("b.mp4", 25, &video), DEER_OK);
  for (int i = 0; i < 5; i++) {
    memset(pixels, i, sizeof pixels);
    assert_int_equal(deer_video_add(video, &(deer_image){pixels, 600, 400, 3}), DEER_OK);
  }
  assert_int_equal(deer_video_write(video), DEER_OK);
  assert_string_equal(deer_video_note(video), "ffmpeg failed: it says nothing");
  deer_video_free(video);
}

/* ---- what goes wrong ---- */

static void refuse(deer_status status, deer_status expected, const char *message) {
  assert_int_equal(status, expected);
  assert_string_equal(deer_error(), message);
}

static void test_mistakes(void **state) {
  (void)state;
  static const uint8_t pixels[BYTES];
  deer_video *video;
  refuse(deer_video_new("film.avi", 25, &video), DEER_EINVAL,
         "film 'film.avi': expected a name that ends with .mp4, .png or .gif");
  assert_null(video);
  refuse(deer_video_new("film.mp4/x", 25, &video), DEER_EINVAL,
         "film 'film.mp4/x': expected a name that ends with .mp4, .png or .gif");
  refuse(deer_video_new("film.gif", 0, &video), DEER_EINVAL,
         "film: expected 0.1 to 240 pictures a second, got 0");
  assert_int_equal(deer_video_new("none/film.gif", 25, &video), DEER_OK);
  refuse(deer_video_write(video), DEER_ESTATE, "cannot write none/film.gif: no picture was added");
  refuse(deer_video_add(video, &(deer_image){pixels, 4, 4, 4}), DEER_EINVAL,
         "a picture of 4 x 4 pixels with 4 channels cannot be part of a film");
  refuse(deer_video_add(video, &(deer_image){pixels, 0, 4, 3}), DEER_EINVAL,
         "a picture of 0 x 4 pixels with 3 channels cannot be part of a film");
  assert_int_equal(deer_video_add(video, &(deer_image){pixels, 4, 5, 3}), DEER_OK);
  refuse(deer_video_add(video, &(deer_image){pixels, 5, 4, 3}), DEER_EINVAL,
         "picture 1 of the film: expected 4 x 5 pixels, got 5 x 4");
  refuse(deer_video_write(video), DEER_EIO,
         "cannot write none/film.gif: No such file or directory");
  deer_video_free(video);
  deer_video_free(NULL);
}

/* out of memory at every possible place: a message, nothing lost, no file */
static void test_no_memory(void **state) {
  (void)state;
  static uint8_t pixels[BYTES];
  static const char *const paths[] = {"a.png", "a.gif"};
  size_t blocks = deer_alloc_blocks();
  for (int which = 0; which < 2; which++) {
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
      deer_video *video = NULL;
      deer_alloc_fail_at(n);
      deer_status status = deer_video_new(paths[which], 25, &video);
      for (int i = 0; status == DEER_OK && i < 2; i++) {
        draw(i, pixels);
        status = deer_video_add(video, &(deer_image){pixels, WIDTH, HEIGHT, 3});
      }
      if (status == DEER_OK) status = deer_video_write(video);
      deer_alloc_fail_at(0);
      done = status == DEER_OK;
      if (!done) assert_int_equal(status, DEER_ENOMEM);
      assert_int_equal(access(paths[which], F_OK) == 0, done);
      deer_video_free(video);
      assert_int_equal(deer_alloc_blocks(), blocks);
      assert_true(n < 100);
    }
  }
}

static void test_ctrl_c(void **state) {
  (void)state;
  deer_video *video = film("a.gif", 25, draw);
  deer_interrupt_raise();
  assert_int_equal(deer_video_write(video), DEER_EINTERRUPT);
  deer_interrupt_clear();
  assert_int_not_equal(access("a.gif", F_OK), 0);
  deer_video_free(video);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
  const struct CMUnitTest tests[] = {
      TEST(test_png),
      TEST(test_gif),
      TEST(test_long_gif),
      TEST(test_ffmpeg_gets_every_picture),
      TEST(test_no_ffmpeg),
      TEST(test_ffmpeg_that_fails),
      TEST(test_ffmpeg_that_goes_away),
      TEST(test_mistakes),
      TEST(test_no_memory),
      TEST(test_ctrl_c),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
