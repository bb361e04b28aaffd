/* test_canvas.c: pixels of the rasteriser worked out by hand, and PNG files read back. */
#include <float.h>
#include <math.h>
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
#include <dirent.h>

#include <cmocka.h>
#include <png.h>

#include "io/canvas.h"
#include "io/png.h"

static const deer_color black = {0, 0, 0, 255}, red = {255, 0, 0, 255}, blue = {0, 0, 255, 255};

/* The red, green and blue of a pixel as one number, 0xrrggbb. */
static unsigned pixel(const deer_canvas *canvas, int x, int y) {
  const uint8_t *p = deer_canvas_pixels(canvas) + (y * deer_canvas_width(canvas) + x) * 3;
  return (unsigned)(p[0] << 16 | p[1] << 8 | p[2]);
}

/* How many pixels are not white. */
static int marked(const deer_canvas *canvas) {
  int n = 0;
  for (int y = 0; y < deer_canvas_height(canvas); y++)
    for (int x = 0; x < deer_canvas_width(canvas); x++) n += pixel(canvas, x, y) != 0xffffff;
  return n;
}

/* All ink on the canvas in whole black pixels. */
static double ink(const deer_canvas *canvas) {
  double sum = 0;
  for (int y = 0; y < deer_canvas_height(canvas); y++)
    for (int x = 0; x < deer_canvas_width(canvas); x++)
      sum += 1 - (pixel(canvas, x, y) & 255) / 255.0;
  return sum;
}

static void test_new(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(3, 2);
  assert_int_equal(deer_canvas_width(canvas), 3);
  assert_int_equal(deer_canvas_height(canvas), 2);
  assert_int_equal(marked(canvas), 0);
  deer_canvas_free(canvas);
  assert_null(deer_canvas_new(0, 5));
  assert_non_null(strstr(deer_error(), "got 0 x 5"));
  assert_null(deer_canvas_new(5, 16385));
  assert_null(deer_canvas_new(16384, 16384));
  deer_canvas_free(NULL);
}

static void test_new_without_memory(void **state) {
  (void)state;
  size_t before = deer_alloc_blocks();
  for (uint64_t n = 1; n <= 4; n++) {
    deer_alloc_fail_at(n);
    assert_null(deer_canvas_new(8, 8));
    assert_int_equal(deer_alloc_blocks(), before);
  }
  deer_alloc_fail_at(0);
}

static void test_blending(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(4, 1);
  deer_canvas_rect(canvas, (deer_rect){0, 0, 1, 1}, (deer_color){10, 20, 30, 255});
  deer_canvas_rect(canvas, (deer_rect){1, 0, 1, 1}, (deer_color){10, 20, 30, 0});
  deer_canvas_rect(canvas, (deer_rect){2, 0, 1, 1}, (deer_color){0, 100, 255, 51});
  // half a pixel of opaque black
  deer_canvas_rect(canvas, (deer_rect){3, 0, 0.5, 1}, black);
  assert_int_equal(pixel(canvas, 0, 0), 0x0a141e);
  assert_int_equal(pixel(canvas, 1, 0), 0xffffff);
  // 255 * 0.8 + (0, 100, 255) * 0.2 = (204, 224, 255)
  assert_int_equal(pixel(canvas, 2, 0), 0xcce0ff);
  assert_int_equal(pixel(canvas, 3, 0), 0x7f7f7f);
  deer_canvas_free(canvas);
}

static void test_rect(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(6, 6);
  deer_canvas_rect(canvas, (deer_rect){1, 2, 3, 2}, black);
  assert_int_equal(marked(canvas), 6);
  assert_int_equal(pixel(canvas, 1, 2), 0);
  assert_int_equal(pixel(canvas, 3, 3), 0);
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_rect(canvas, (deer_rect){1.25, 1.25, 2.5, 1.5}, black);
  assert_float_equal(ink(canvas), 2.5 * 1.5, 0.02);
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_rect(canvas, (deer_rect){4, 4, -2, 2}, black);
  assert_int_equal(marked(canvas), 0);
  deer_canvas_free(canvas);
}

static void test_lines(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(20, 20);
  // through pixel centres and two wide: one full row, half of each neighbour
  deer_canvas_polyline(canvas, (deer_xy[]){{-5, 10.5}, {25, 10.5}}, 2, (deer_stroke){2, black});
  for (int x = 0; x < 20; x++) {
    assert_int_equal(pixel(canvas, x, 9), 0x7f7f7f);
    assert_int_equal(pixel(canvas, x, 10), 0);
    assert_int_equal(pixel(canvas, x, 11), 0x7f7f7f);
    assert_int_equal(pixel(canvas, x, 8), 0xffffff);
    assert_int_equal(pixel(canvas, x, 12), 0xffffff);
  }
  // a thin line covers as much as it is wide
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polyline(canvas, (deer_xy[]){{4.5, -5}, {4.5, 25}}, 2, (deer_stroke){0.4, black});
  assert_float_equal(ink(canvas), 0.4 * 20, 0.05);
  // a slanted one too: length times width and two half discs
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polyline(canvas, (deer_xy[]){{4, 4}, {16, 13}}, 2, (deer_stroke){3, black});
  assert_float_equal(ink(canvas), 52.07f, 0.5f);
  deer_canvas_free(canvas);
}

static void test_polyline_gaps(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(20, 5);
  deer_xy points[] = {{1.5, 2.5},    {5.5, 2.5},  {NAN, 2.5}, {9.5, 2.5},
                      {INFINITY, 1}, {14.5, 2.5}, {18.5, 2.5}};
  deer_canvas_polyline(canvas, points, 7, (deer_stroke){1, black});
  assert_int_equal(pixel(canvas, 3, 2), 0);
  assert_int_equal(pixel(canvas, 7, 2), 0xffffff);
  assert_int_equal(pixel(canvas, 12, 2), 0xffffff);
  assert_int_equal(pixel(canvas, 16, 2), 0);
  // the point between two gaps is a dot
  assert_int_not_equal(pixel(canvas, 9, 2), 0xffffff);
  assert_int_equal(pixel(canvas, 11, 2), 0xffffff);
  deer_canvas_free(canvas);
}

static void test_half_transparent_line_is_even(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(20, 20);
  deer_xy cross[] = {{2, 10}, {18, 10}, {10, 10}, {10, 2}, {10, 18}};
  deer_canvas_polyline(canvas, cross, 5, (deer_stroke){2, {0, 0, 0, 51}});
  assert_int_equal(pixel(canvas, 10, 10), 0xcccccc);
  assert_int_equal(pixel(canvas, 5, 10), 0xcccccc);
  assert_int_equal(pixel(canvas, 10, 15), 0xcccccc);
  // the mask is empty again: drawing nothing marks nothing
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polyline(canvas, cross, 0, (deer_stroke){2, black});
  assert_int_equal(marked(canvas), 0);
  deer_canvas_free(canvas);
}

/* a corner on the level of a sub-row belongs to one of its two edges, not to both */
static void test_corner_between_edges(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(10, 8);
  static const double levels[] = {2.0625, 2.9375, 3.0, 3.5};
  for (int i = 0; i < 4; i++) {
    deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
    deer_xy corners[] = {{2, 1}, {7, 1}, {7, 6}, {2, 6}, {2, levels[i]}};
    deer_canvas_polygon(canvas, corners, 5, (deer_color){0, 0, 0, 255});
    for (int y = 0; y < 8; y++)
      for (int x = 0; x < 10; x++)
        assert_int_equal(pixel(canvas, x, y),
                         x >= 2 && x < 7 && y >= 1 && y < 6 ? 0x000000 : 0xffffff);
  }
  deer_canvas_free(canvas);
}

static void test_circle_and_polygon(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(40, 40);
  deer_canvas_circle(canvas, (deer_xy){20.3, 19.6}, 10, black);
  assert_float_equal(ink(canvas), 3.14159 * 100, 1.5);
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polygon(canvas, (deer_xy[]){{3.5, 4.25}, {30, 8}, {12, 35}}, 3, black);
  assert_float_equal(ink(canvas), fabs((30 - 3.5) * (35 - 4.25) - (12 - 3.5) * (8 - 4.25)) / 2,
                     1.0);
  // neighbours share an edge without a seam
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_xy bow[] = {{5, 5}, {35, 35}, {35, 5}, {5, 35}};
  deer_canvas_polygon(canvas, bow, 4, black);
  assert_float_equal(ink(canvas), 2 * 0.5 * 30 * 15, 15);
  // half outside: the part inside is whole
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polygon(canvas, (deer_xy[]){{-50, -50}, {20, -50}, {20, 90}, {-50, 90}}, 4, black);
  assert_int_equal(marked(canvas), 20 * 40);
  deer_canvas_free(canvas);
}

static void test_markers(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(30, 30);
  static const double areas[] = {3.1416 * 100, 400, 20 * 17.5 / 2, 200};
  for (int shape = DEER_MARKER_CIRCLE; shape <= DEER_MARKER_DIAMOND; shape++) {
    deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
    deer_marker marker = {(deer_marker_shape)shape, 20, black, black, 0};
    deer_canvas_marker(canvas, (deer_xy){15, 15}, &marker);
    assert_float_equal(ink(canvas), areas[shape], 3);
  }
  deer_marker ring = {DEER_MARKER_CIRCLE, 20, red, blue, 3};
  deer_canvas_marker(canvas, (deer_xy){15, 15}, &ring);
  assert_int_equal(pixel(canvas, 15, 15), 0xff0000);
  assert_int_equal(pixel(canvas, 15, 6), 0x0000ff);
  // an outline wider than the marker leaves no fill
  ring.edge_width = 12;
  deer_canvas_marker(canvas, (deer_xy){15, 15}, &ring);
  assert_int_equal(pixel(canvas, 15, 15), 0x0000ff);
  deer_canvas_free(canvas);
}

static void draw_all(deer_canvas *canvas, double x, double y, double size) {
  deer_text_style style = {DEER_FONT_SMALL, 1, false, black};
  deer_canvas_polyline(canvas, (deer_xy[]){{x, y}, {3, 4}, {y, x}}, 3, (deer_stroke){size, black});
  deer_canvas_polygon(canvas, (deer_xy[]){{x, y}, {3, 4}, {y, x}, {5, 1}}, 4, black);
  deer_canvas_rect(canvas, (deer_rect){x, y, size, size}, black);
  deer_canvas_circle(canvas, (deer_xy){x, y}, size, black);
  for (int shape = DEER_MARKER_CIRCLE; shape <= DEER_MARKER_DIAMOND; shape++)
    deer_canvas_marker(canvas, (deer_xy){x, y},
                       &(deer_marker){(deer_marker_shape)shape, size, black, red, size / 3});
  deer_canvas_text(canvas, (deer_xy){x, y}, "text", &style);
  style.vertical = true;
  deer_canvas_text(canvas, (deer_xy){x, y}, "text", &style);
}

static void test_clip(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(30, 30);
  deer_canvas_clip(canvas, (deer_rect){10, 12, 5, 4});
  deer_canvas_fill(canvas, black);
  assert_int_equal(marked(canvas), 20);
  assert_int_equal(pixel(canvas, 10, 12), 0);
  assert_int_equal(pixel(canvas, 14, 15), 0);
  draw_all(canvas, 1, 25, 28);
  assert_int_equal(marked(canvas), 20);
  // an empty clip rectangle lets nothing through, whatever way it is empty
  static const deer_rect empty[] = {
      {4, 4, 0, 9}, {4, 4, -3, 9}, {40, 4, 5, 5}, {2, 2, 9, -9}, {NAN, 1, NAN, 4}};
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
    deer_canvas_unclip(canvas);
    deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
    deer_canvas_clip(canvas, empty[i]);
    draw_all(canvas, 3, 3, 20);
    deer_canvas_fill(canvas, black);
    assert_int_equal(marked(canvas), 0);
  }
  deer_canvas_free(canvas);
}

/* Writing outside the pixels is for the address sanitizer to see; here: it ends, and soon. */
/* a picture of 3 x 2 pixels lies where it was put, cut by the edges and the clip rectangle */
static void test_image(void **state) {
  (void)state;
  static const uint8_t bytes[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6};
  const deer_image image = {bytes, 3, 2, 3};
  deer_canvas *canvas = deer_canvas_new(5, 4);
  deer_canvas_image(canvas, (deer_xy){1, 1.5}, &image);
  assert_int_equal(marked(canvas), 6);
  for (int y = 0; y < 2; y++)
    for (int x = 0; x < 3; x++)
      assert_int_equal(pixel(canvas, 1 + x, 2 + y), 0x010101 * (3 * y + x + 1));
  static const struct {
    deer_xy corner;
    int marked;
    unsigned first; /* of pixel (0, 0) */
  } cases[] = {{{-1, -1}, 2, 0x050505}, {{-3, 0}, 0, 0xffffff},      {{4, 3}, 1, 0xffffff},
               {{0, -1}, 3, 0x040404},  {{1e300, 0}, 0, 0xffffff},   {{-1e300, 0}, 0, 0xffffff},
               {{NAN, 0}, 0, 0xffffff}, {{0, INFINITY}, 0, 0xffffff}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
    deer_canvas_image(canvas, cases[i].corner, &image);
    assert_int_equal(marked(canvas), cases[i].marked);
    assert_int_equal(pixel(canvas, 0, 0), cases[i].first);
  }
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_clip(canvas, (deer_rect){2, 0, 1, 4});
  deer_canvas_image(canvas, (deer_xy){1, 1}, &image);
  assert_int_equal(marked(canvas), 2);
  assert_int_equal(pixel(canvas, 2, 2), 0x050505);
  deer_canvas_free(canvas);
}

static void test_any_coordinate(void **state) {
  (void)state;
  deer_canvas *canvas = deer_canvas_new(17, 9);
  static const double values[] = {0,        -1,    8.5,     1e5,      -1e5,    1e9, -2147483648.0,
                                  1e18,     -1e40, DBL_MAX, -DBL_MAX, DBL_MIN, NAN, INFINITY,
                                  -INFINITY};
  size_t n = sizeof values / sizeof *values;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      for (size_t k = 0; k < n; k++) draw_all(canvas, values[i], values[j], values[k]);
  // a line from one far side to the other still crosses the middle
  deer_canvas_fill(canvas, (deer_color){255, 255, 255, 255});
  deer_canvas_polyline(canvas, (deer_xy[]){{-1e8, 4.5}, {1e8, 4.5}}, 2, (deer_stroke){1, black});
  for (int x = 0; x < 17; x++) assert_int_equal(pixel(canvas, x, 4), 0);
  deer_canvas_free(canvas);
}

static void test_text(void **state) {
  (void)state;
  deer_text_style style = {DEER_FONT_SMALL, 1, false, black};
  deer_canvas *canvas = deer_canvas_new(80, 80), *turned = deer_canvas_new(80, 80);
  assert_int_equal(deer_text_width("", &style), 0);
  assert_int_equal(deer_text_width("ab", &style),
                   deer_text_width("a", &style) + deer_text_width("b", &style));
  assert_int_equal(deer_text_height(&style), 13);
  // two bytes of UTF-8 and an unknown control character are one box each
  assert_int_equal(deer_text_width("\xc2\xb5\x01", &style), 2 * deer_text_width("\x7f", &style));
  style.scale = 3;
  assert_int_equal(deer_text_width("i", &style), 3 * 3);
  style.scale = 1;
  deer_canvas_text(canvas, (deer_xy){5, 7}, "deer", &style);
  int width = deer_text_width("deer", &style);
  // all ink is in its box
  for (int y = 0; y < 80; y++)
    for (int x = 0; x < 80; x++)
      if (x < 5 || x >= 5 + width || y < 7 || y >= 7 + 13)
        assert_int_equal(pixel(canvas, x, y), 0xffffff);
  // vertical text is the same picture turned to the left
  style.vertical = true;
  deer_canvas_text(turned, (deer_xy){20, 10}, "deer", &style);
  for (int y = 0; y < 13; y++)
    for (int x = 0; x < width; x++)
      assert_int_equal(pixel(canvas, 5 + x, 7 + y), pixel(turned, 20 + y, 10 + width - 1 - x));
  assert_true(ink(canvas) > 40);
  deer_canvas_free(canvas);
  deer_canvas_free(turned);
}

static void test_font(void **state) {
  (void)state;
  for (int font = DEER_FONT_SMALL; font <= DEER_FONT_LARGE; font++)
    for (int c = 0; c < 256; c++) {
      deer_glyph glyph = deer_font_glyph((deer_font)font, c);
      assert_in_range(glyph.width, 3, 20);
      int sum = 0;
      for (int y = 0; y < deer_font_height((deer_font)font); y++) {
        // every row has its walls in the same places
        assert_int_equal(glyph.rows[y][glyph.column - 1], '|');
        assert_int_equal(glyph.rows[y][glyph.column + glyph.width], '|');
        for (int x = 0; x < glyph.width; x++) sum += deer_glyph_ink(&glyph, x, y);
      }
      if (c != ' ') assert_true(sum >= 8);
    }
  // digits are equally wide, so that tick labels line up
  for (int c = '1'; c <= '9'; c++)
    assert_int_equal(deer_font_glyph(DEER_FONT_SMALL, c).width,
                     deer_font_glyph(DEER_FONT_SMALL, '0').width);
}

/* A folder of its own for one test, removed by leave. */
static char folder[] = "/tmp/test_canvas_XXXXXX";

static int enter(void **state) {
  (void)state;
  strcpy(folder, "/tmp/test_canvas_XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

static const char *in_folder(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int files_in_folder(void) {
  DIR *d = opendir(folder);
  int n = 0;
  for (struct dirent *e; (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

/* A picture with a different colour in every pixel. */
static uint8_t *pattern(size_t bytes) {
  uint8_t *pixels = malloc(bytes);
  for (size_t i = 0; i < bytes; i++) pixels[i] = (uint8_t)(i * 7 + (i >> 8));
  return pixels;
}

static void test_png_round_trip(void **state) {
  (void)state;
  for (int channels = 3; channels <= 4; channels++) {
    size_t bytes = (size_t)(50 * 31 * channels);
    uint8_t *pixels = pattern(bytes), *back = malloc(bytes);
    const char *path = in_folder("a.png");
    assert_int_equal(deer_png_write(path, &(deer_image){pixels, 50, 31, channels}), DEER_OK);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, 50);
    assert_int_equal(image.height, 31);
    image.format = channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    assert_memory_equal(pixels, back, bytes);
    assert_int_equal(files_in_folder(), 1);
    free(pixels);
    free(back);
  }
}

static size_t read_file(const char *path, uint8_t *buffer, size_t size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(buffer, 1, size, file);
  fclose(file);
  return n;
}

static void test_png_same_bytes(void **state) {
  (void)state;
  uint8_t *pixels = pattern(3000), first[8192], second[8192];
  deer_image image = {pixels, 50, 20, 3};
  assert_int_equal(deer_png_write(in_folder("a.png"), &image), DEER_OK);
  size_t n = read_file(in_folder("a.png"), first, sizeof first);
  sleep(1); // a time in the file would differ now
  assert_int_equal(deer_png_write(in_folder("a.png"), &image), DEER_OK);
  assert_int_equal(read_file(in_folder("a.png"), second, sizeof second), n);
  assert_memory_equal(first, second, n);
  free(pixels);
}

static void test_png_bad_places(void **state) {
  (void)state;
  uint8_t pixels[12] = {0};
  deer_image image = {pixels, 2, 2, 3};
  assert_int_equal(deer_png_write(in_folder("none/a.png"), &image), DEER_EIO);
  assert_non_null(strstr(deer_error(), in_folder("none/a.png")));
  assert_non_null(strstr(deer_error(), "No such file or directory"));
  assert_int_equal(deer_png_write(folder, &image), DEER_EIO);
  assert_non_null(strstr(deer_error(), "Is a directory"));
  assert_int_equal(deer_png_write("", &image), DEER_EIO);
  // a device is written to, not replaced by a picture
  assert_int_equal(deer_png_write("/dev/full", &image), DEER_EIO);
  assert_non_null(strstr(deer_error(), "No space left on device"));
  assert_int_equal(deer_png_write("/dev/null", &image), DEER_OK);
  assert_int_equal(deer_png_write(in_folder("a.png"), &(deer_image){pixels, 0, 2, 3}), DEER_EINVAL);
  assert_int_equal(deer_png_write(in_folder("a.png"), &(deer_image){pixels, 2, 2, 2}), DEER_EINVAL);
  assert_int_equal(files_in_folder(), 0);
}

/* A file size limit stands for a full disk. */
static void test_png_full_disk(void **state) {
  (void)state;
  uint8_t *pixels = pattern(300000), old[16] = {0};
  FILE *file = fopen(in_folder("a.png"), "wb");
  fputs("old", file);
  fclose(file);
  struct rlimit limit, small;
  getrlimit(RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 2000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  deer_status status = deer_png_write(in_folder("a.png"), &(deer_image){pixels, 500, 200, 3});
  setrlimit(RLIMIT_FSIZE, &limit);
  assert_int_equal(status, DEER_EIO);
  assert_non_null(strstr(deer_error(), "File too large"));
  assert_int_equal(read_file(in_folder("a.png"), old, sizeof old), 3);
  assert_string_equal((char *)old, "old");
  assert_int_equal(files_in_folder(), 1);
  free(pixels);
}

static void test_png_without_memory(void **state) {
  (void)state;
  uint8_t pixels[12] = {0};
  deer_image image = {pixels, 2, 2, 3};
  size_t before = deer_alloc_blocks();
  deer_status status = DEER_EAGAIN;
  int failures = 0;
  // every allocation in turn fails, until there are none left to fail
  for (uint64_t n = 1; status != DEER_OK && n < 100; n++) {
    deer_alloc_fail_at(n);
    status = deer_png_write(in_folder("a.png"), &image);
    if (status == DEER_OK) break;
    failures++;
    assert_int_equal(status, DEER_ENOMEM);
    assert_int_equal(deer_alloc_blocks(), before);
    assert_int_equal(files_in_folder(), 0);
  }
  deer_alloc_fail_at(0);
  assert_int_equal(status, DEER_OK);
  assert_true(failures > 2);
  assert_int_equal(deer_alloc_blocks(), before);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_new),
      cmocka_unit_test(test_new_without_memory),
      cmocka_unit_test(test_blending),
      cmocka_unit_test(test_rect),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_polyline_gaps),
      cmocka_unit_test(test_half_transparent_line_is_even),
      cmocka_unit_test(test_corner_between_edges),
      cmocka_unit_test(test_circle_and_polygon),
      cmocka_unit_test(test_markers),
      cmocka_unit_test(test_clip),
      cmocka_unit_test(test_image),
      cmocka_unit_test(test_any_coordinate),
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_font),
      IN_FOLDER(test_png_round_trip),
      IN_FOLDER(test_png_same_bytes),
      IN_FOLDER(test_png_bad_places),
      IN_FOLDER(test_png_full_disk),
      IN_FOLDER(test_png_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
