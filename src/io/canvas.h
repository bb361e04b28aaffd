/* canvas.h: a picture in memory (8-bit RGB, row by row from the top) and the shapes a figure is
 * made of. Everything but text is anti-aliased. The pixel in column i, row j covers the square from
 * (i, j) to (i + 1, j + 1), so its centre is (i + 0.5, j + 0.5). Drawing cannot fail: what lies
 * outside is cut off, what is not finite is left out. The same calls give the same bytes on every
 * machine: only + - * / and sqrt of doubles decide a pixel. */
#ifndef DEER_IO_CANVAS_H
#define DEER_IO_CANVAS_H

#include "base/base.h"
#include "io/font.h"
#include "io/png.h"

typedef struct deer_canvas deer_canvas;

/* A colour; `a` is the opacity: 0 invisible, 255 covers what is below. */
typedef struct deer_color {
  uint8_t r, g, b, a;
} deer_color;

typedef struct deer_xy {
  double x, y;
} deer_xy;

/* A rectangle: left, top, width, height in pixels. A negative width or height is an empty
 * rectangle. */
typedef struct deer_rect {
  double x, y, w, h;
} deer_rect;

/* How a line is drawn: its thickness in pixels and its colour. Ends and corners are round. */
typedef struct deer_stroke {
  double width;
  deer_color color;
} deer_stroke;

typedef enum deer_marker_shape {
  DEER_MARKER_CIRCLE,
  DEER_MARKER_SQUARE,
  DEER_MARKER_TRIANGLE, /* point up */
  DEER_MARKER_DIAMOND
} deer_marker_shape;

/* A data point's mark. `size` is the width over all; the outline lies inside it, `edge_width` 0
 * leaves it out. */
typedef struct deer_marker {
  deer_marker_shape shape;
  double size;
  deer_color fill, edge;
  double edge_width;
} deer_marker;

/* How text is drawn: the face, a whole-number enlargement (1 to 64), reading upwards instead of to
 * the right. */
typedef struct deer_text_style {
  deer_font font;
  int scale;
  bool vertical;
  deer_color color;
} deer_text_style;

/* A white canvas, owned by the caller until deer_canvas_free. NULL after deer_fail: a side under 1
 * or over 16384, more than 2^26 pixels, or no memory. It is the only call here that allocates. */
deer_canvas *deer_canvas_new(int width, int height);
void deer_canvas_free(deer_canvas *canvas); /* NULL is allowed */

int deer_canvas_width(const deer_canvas *canvas);
int deer_canvas_height(const deer_canvas *canvas);

/* The pixels: height x width x 3 bytes. Valid until deer_canvas_free. */
const uint8_t *deer_canvas_pixels(const deer_canvas *canvas);

/* Limits all later drawing to the pixels of a rectangle (rounded to whole pixels, cut at the
 * canvas). */
void deer_canvas_clip(deer_canvas *canvas, deer_rect rect);
void deer_canvas_unclip(deer_canvas *canvas);

/* Blends the colour over every pixel inside the clip rectangle. */
void deer_canvas_fill(deer_canvas *canvas, deer_color color);

/* A filled rectangle; edges between pixels cover these in part. */
void deer_canvas_rect(deer_canvas *canvas, deer_rect rect, deer_color color);

/* A filled circle. */
void deer_canvas_circle(deer_canvas *canvas, deer_xy center, double radius, deer_color color);

/* Connects n points. A point that is not finite interrupts the line; a point alone is a dot. A half
 * transparent line that crosses itself is not darker there. */
void deer_canvas_polyline(deer_canvas *canvas, const deer_xy *points, size_t n, deer_stroke stroke);

/* Fills a closed outline of n points; where it overlaps itself, winding other than 0 is inside.
 * Nothing is drawn when one of the points is not finite. */
void deer_canvas_polygon(deer_canvas *canvas, const deer_xy *points, size_t n, deer_color color);

/* A mark with its centre at `center`. */
void deer_canvas_marker(deer_canvas *canvas, deer_xy center, const deer_marker *marker);

/* Copies a picture of 3 channels; `corner` is where its top left pixel begins, rounded to whole
 * pixels. */
void deer_canvas_image(deer_canvas *canvas, deer_xy corner, const deer_image *image);

/* One line of UTF-8 text. `corner` is the top left corner of the box it fills: deer_text_width x
 * deer_text_height pixels, the other way round when vertical; rounded to whole pixels. Characters
 * that are not printable ASCII are drawn as a hollow box. */
void deer_canvas_text(deer_canvas *canvas, deer_xy corner, const char *text,
                      const deer_text_style *style);

/* The size of a line of text in pixels; `vertical` makes no difference. */
int deer_text_width(const char *text, const deer_text_style *style);
int deer_text_height(const deer_text_style *style);

#endif
