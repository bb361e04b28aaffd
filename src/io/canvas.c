/* canvas.c: the rasteriser. Rectangles and circles know the coverage of a pixel by formula and are
 * blended at once. Lines go through a mask, so that pixels near two segments are blended once.
 * Polygons are filled row by row from the changes of coverage that their edges make. */
#include "io/canvas.h"

#include <math.h>
#include <string.h>

/* Sub-rows per pixel row when a polygon is filled; across a row coverage is exact. */
#define SUBROWS 8

/* Coordinates beyond this are cut: far outside any canvas, still exact to a millionth of a pixel.
 */
#define FAR_AWAY 1e9

/* A rectangle of whole pixels: columns x0 .. x1-1, rows y0 .. y1-1. */
typedef struct span {
  int x0, y0, x1, y1;
} span;

struct deer_canvas {
  int width, height;
  uint8_t *pixels; // height x width x 3
  uint8_t *mask;   // height x width: coverage of the line being drawn, all 0 between calls
  double *row;     // width + 2: changes of coverage along the row of a polygon, all 0 between calls
  span clip;
  span dirty; // the part of the mask that may not be 0
};

/* v cut to [low, high]; NaN gives low. */
static double clamp(double v, double low, double high) {
  return v > low ? (v < high ? v : high) : low;
}

/* The whole number below v, cut to what an int holds. */
static int whole(double v) { return (int)floor(clamp(v, -FAR_AWAY, FAR_AWAY)); }

/* fmin and fmax for whole numbers. */
static int imin(int a, int b) { return a < b ? a : b; }

static int imax(int a, int b) { return a > b ? a : b; }

/* The pixels that are in both; empty when x1 <= x0 or y1 <= y0. */
static span intersect(span a, span b) {
  return (span){imax(a.x0, b.x0), imax(a.y0, b.y0), imin(a.x1, b.x1), imin(a.y1, b.y1)};
}

/* The pixels inside the clip rectangle that [left, right] x [top, bottom] touches. */
static span touched(const deer_canvas *canvas, double left, double top, double right,
                    double bottom) {
  return intersect(canvas->clip,
                   (span){whole(left), whole(top), whole(right) + 1, whole(bottom) + 1});
}

deer_canvas *deer_canvas_new(int width, int height) {
  if (width < 1 || height < 1 || width > 16384 || height > 16384 ||
      (int64_t)width * height > 1 << 26) {
    deer_fail(DEER_EINVAL, "canvas: sides of 1 to 16384 pixels (2^26 in all) expected, got %d x %d",
              width, height);
    return NULL;
  }
  deer_canvas *canvas = deer_alloc(sizeof *canvas);
  if (!canvas) return NULL;
  size_t area = (size_t)width * (size_t)height;
  canvas->width = width;
  canvas->height = height;
  canvas->pixels = deer_alloc_array(area, 3);
  canvas->mask = deer_alloc(area);
  canvas->row = deer_alloc_array((size_t)width + 2, sizeof *canvas->row);
  if (!canvas->pixels || !canvas->mask || !canvas->row) {
    deer_canvas_free(canvas);
    return NULL;
  }
  // white, nothing in the mask, no clip rectangle
  memset(canvas->pixels, 255, area * 3);
  canvas->dirty = (span){width, height, 0, 0};
  deer_canvas_unclip(canvas);
  return canvas;
}

void deer_canvas_free(deer_canvas *canvas) {
  if (!canvas) return;
  deer_free(canvas->pixels);
  deer_free(canvas->mask);
  deer_free(canvas->row);
  deer_free(canvas);
}

int deer_canvas_width(const deer_canvas *canvas) { return canvas->width; }

int deer_canvas_height(const deer_canvas *canvas) { return canvas->height; }

const uint8_t *deer_canvas_pixels(const deer_canvas *canvas) { return canvas->pixels; }

void deer_canvas_unclip(deer_canvas *canvas) {
  canvas->clip = (span){0, 0, canvas->width, canvas->height};
}

void deer_canvas_clip(deer_canvas *canvas, deer_rect r) {
  deer_canvas_unclip(canvas);
  canvas->clip = intersect(canvas->clip, (span){whole(r.x + 0.5), whole(r.y + 0.5),
                                                whole(r.x + r.w + 0.5), whole(r.y + r.h + 0.5)});
}

/* Mixes a colour into one pixel; `cover` (0 to 255) is the part of the pixel that the shape covers.
 */
static void blend(deer_canvas *canvas, int x, int y, deer_color color, unsigned cover) {
  // opacity times coverage; all divisions round to nearest
  unsigned a = (color.a * cover + 127) / 255, keep = 255 - a;
  uint8_t *p = canvas->pixels + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
  p[0] = (uint8_t)((p[0] * keep + color.r * a + 127) / 255);
  p[1] = (uint8_t)((p[1] * keep + color.g * a + 127) / 255);
  p[2] = (uint8_t)((p[2] * keep + color.b * a + 127) / 255);
}

/* A covered part of 0 to 1 in steps of 1/255. */
static unsigned cover_of(double part) { return (unsigned)(clamp(part, 0, 1) * 255 + 0.5); }

void deer_canvas_fill(deer_canvas *canvas, deer_color color) {
  span s = canvas->clip;
  for (int y = s.y0; y < s.y1; y++)
    for (int x = s.x0; x < s.x1; x++) blend(canvas, x, y, color, 255);
}

/* How much of [cell, cell + 1] lies between low and high. */
static double overlap(int cell, double low, double high) {
  return fmin(cell + 1, high) - fmax(cell, low);
}

void deer_canvas_rect(deer_canvas *canvas, deer_rect r, deer_color color) {
  double right = r.x + r.w, bottom = r.y + r.h;
  // also true when one of them is NaN
  if (!(r.w > 0 && r.h > 0 && isfinite(right) && isfinite(bottom))) return;
  span s = touched(canvas, r.x, r.y, right, bottom);
  for (int y = s.y0; y < s.y1; y++) {
    // the covered part of a pixel is the product of its parts along both axes
    double part = overlap(y, r.y, bottom);
    if (part <= 0) continue;
    for (int x = s.x0; x < s.x1; x++)
      blend(canvas, x, y, color, cover_of(part * fmax(0, overlap(x, r.x, right))));
  }
}

void deer_canvas_image(deer_canvas *canvas, deer_xy corner, const deer_image *image) {
  int left = whole(corner.x + 0.5), top = whole(corner.y + 0.5);
  span part = {left, top, whole((double)left + image->width), whole((double)top + image->height)};
  part = intersect(canvas->clip, part);
  for (int y = part.y0; y < part.y1 && part.x0 < part.x1; y++) {
    size_t from = (size_t)(y - top) * (size_t)image->width + (size_t)(part.x0 - left);
    size_t to = (size_t)y * (size_t)canvas->width + (size_t)part.x0;
    memcpy(canvas->pixels + 3 * to, image->pixels + 3 * from, 3 * (size_t)(part.x1 - part.x0));
  }
}

void deer_canvas_circle(deer_canvas *canvas, deer_xy c, double radius, deer_color color) {
  if (!(radius > 0 && isfinite(c.x) && isfinite(c.y) && isfinite(radius))) return;
  double reach = radius + 1;
  span s = touched(canvas, c.x - reach, c.y - reach, c.x + reach, c.y + reach);
  for (int y = s.y0; y < s.y1; y++)
    for (int x = s.x0; x < s.x1; x++) {
      double dx = x + 0.5 - c.x, dy = y + 0.5 - c.y;
      // the edge runs through the pixels whose centre is within half a pixel of it
      unsigned cover = cover_of(radius + 0.5 - sqrt(dx * dx + dy * dy));
      if (cover) blend(canvas, x, y, color, cover);
    }
}

/* One side of a rectangle for a line from a along d: cuts [t[0], t[1]] to the part where p * t <=
 * q. */
static bool cut(double p, double q, double t[2]) {
  // parallel to this side: all inside or all outside
  if (p == 0) return q >= 0;
  double at = q / p;
  if (p < 0)
    t[0] = fmax(t[0], at);
  else
    t[1] = fmin(t[1], at);
  return t[0] <= t[1];
}

/* Cuts the segment to the clip rectangle grown by `reach` (Liang and Barsky 1984). False when
 * nothing remains. */
static bool cut_segment(const deer_canvas *canvas, deer_xy *a, deer_xy *b, double reach) {
  span s = canvas->clip;
  double dx = b->x - a->x, dy = b->y - a->y, t[2] = {0, 1};
  if (!cut(-dx, a->x - (s.x0 - reach), t) || !cut(dx, s.x1 + reach - a->x, t) ||
      !cut(-dy, a->y - (s.y0 - reach), t) || !cut(dy, s.y1 + reach - a->y, t))
    return false;
  // the far end first, it is measured from the near one
  *b = (deer_xy){a->x + t[1] * dx, a->y + t[1] * dy};
  *a = (deer_xy){a->x + t[0] * dx, a->y + t[0] * dy};
  return true;
}

/* The part of a pixel covered by a band of half width `half` whose middle is `distance` away. */
static double band_cover(double distance, double half) {
  return fmin(distance + 0.5, half) - fmax(distance - 0.5, -half);
}

/* Raises the mask of one row to the coverage of a segment in columns x0 .. x1-1. */
static void cover_row(deer_canvas *canvas, int y, int x0, int x1, const deer_xy ends[2],
                      double half) {
  deer_xy a = ends[0], d = {ends[1].x - a.x, ends[1].y - a.y};
  double length2 = d.x * d.x + d.y * d.y;
  uint8_t *mask = canvas->mask + (size_t)y * (size_t)canvas->width;
  for (int x = x0; x < x1; x++) {
    // distance from the pixel's centre to the nearest point of the segment
    double px = x + 0.5 - a.x, py = y + 0.5 - a.y;
    double t = length2 > 0 ? clamp((px * d.x + py * d.y) / length2, 0, 1) : 0;
    double ex = px - t * d.x, ey = py - t * d.y;
    unsigned cover = cover_of(band_cover(sqrt(ex * ex + ey * ey), half));
    if (cover > mask[x]) mask[x] = (uint8_t)cover;
  }
}

/* Raises the mask to the coverage of a segment with round ends; both ends are finite. */
static void cover_segment(deer_canvas *canvas, deer_xy a, deer_xy b, double half) {
  double reach = half + 1;
  if (!cut_segment(canvas, &a, &b, reach)) return;
  span s = touched(canvas, fmin(a.x, b.x) - reach, fmin(a.y, b.y) - reach, fmax(a.x, b.x) + reach,
                   fmax(a.y, b.y) + reach);
  double dx = b.x - a.x, dy = b.y - a.y;
  for (int y = s.y0; y < s.y1; y++) {
    // the stretch of the segment near this row bounds the columns worth looking at
    double t0 = 0, t1 = 1;
    if (fabs(dy) > 1e-9) {
      double up = (y + 0.5 - reach - a.y) / dy, down = (y + 0.5 + reach - a.y) / dy;
      t0 = clamp(fmin(up, down), 0, 1);
      t1 = clamp(fmax(up, down), 0, 1);
    }
    // the columns of that stretch, widened by the reach of the line
    double xa = a.x + t0 * dx, xb = a.x + t1 * dx;
    int x0 = imax(s.x0, whole(fmin(xa, xb) - reach));
    int x1 = imin(s.x1, whole(fmax(xa, xb) + reach) + 1);
    cover_row(canvas, y, x0, x1, (deer_xy[]){a, b}, half);
  }
  // remember what has to be blended and emptied
  span *dirty = &canvas->dirty;
  *dirty = (span){imin(dirty->x0, s.x0), imin(dirty->y0, s.y0), imax(dirty->x1, s.x1),
                  imax(dirty->y1, s.y1)};
}

/* Blends the colour through the mask and empties the mask. */
static void blend_mask(deer_canvas *canvas, deer_color color) {
  span s = intersect(canvas->dirty, canvas->clip);
  for (int y = s.y0; y < s.y1; y++) {
    uint8_t *mask = canvas->mask + (size_t)y * (size_t)canvas->width;
    for (int x = s.x0; x < s.x1; x++) {
      if (!mask[x]) continue;
      blend(canvas, x, y, color, mask[x]);
      mask[x] = 0;
    }
  }
  canvas->dirty = (span){canvas->width, canvas->height, 0, 0};
}

/* The point with its coordinates cut to FAR_AWAY; false when it is not finite. */
static bool usable(deer_xy *p) {
  if (!isfinite(p->x) || !isfinite(p->y)) return false;
  p->x = clamp(p->x, -FAR_AWAY, FAR_AWAY);
  p->y = clamp(p->y, -FAR_AWAY, FAR_AWAY);
  return true;
}

void deer_canvas_polyline(deer_canvas *canvas, const deer_xy *points, size_t n,
                          deer_stroke stroke) {
  // also true for NaN
  if (!(stroke.width > 0) || isinf(stroke.width)) return;
  double half = fmin(stroke.width, 1e4) / 2;
  deer_xy last = {0, 0};
  bool joined = false, begun = false; // is there a last point; has it been drawn as an end
  for (size_t i = 0; i <= n; i++) {
    // a gap behind the last point ends the line like any other
    deer_xy p = i < n ? points[i] : (deer_xy){NAN, NAN};
    bool here = usable(&p);
    // a point with no neighbour to connect it to is a dot
    if (here && joined) cover_segment(canvas, last, p, half);
    if (!here && joined && !begun) cover_segment(canvas, last, last, half);
    begun = here && joined;
    joined = here;
    last = p;
  }
  blend_mask(canvas, stroke.color);
}

/* Adds the crossing of one edge with the level y to the row's coverage: everything right of it
 * turns inside (or outside, for an edge that goes up). */
static void cross(deer_canvas *canvas, deer_xy a, deer_xy b, double y) {
  // an edge that goes down adds a sub-row's share of coverage, one that goes up takes it back
  double way = 1.0 / SUBROWS;
  if (a.y > b.y) {
    deer_xy t = a;
    a = b;
    b = t;
    way = -way;
  }
  // half open, so that a corner counts for one of its two edges
  if (!(a.y <= y && y < b.y)) return;
  double x = clamp(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x), 0, canvas->width);
  int column = (int)x;
  // the pixel that is crossed is covered in part, those after it whole
  double part = x - column;
  canvas->row[column] += way * (1 - part);
  canvas->row[column + 1] += way * part;
}

/* Adds up the changes of coverage along the row, blends, and empties the row. */
static void blend_row(deer_canvas *canvas, int y, deer_color color) {
  // pixels left of the clip rectangle count for those inside it
  double sum = 0;
  for (int x = 0; x < canvas->width; x++) {
    sum += canvas->row[x];
    unsigned cover = cover_of(fabs(sum));
    if (cover && x >= canvas->clip.x0 && x < canvas->clip.x1) blend(canvas, x, y, color, cover);
  }
  memset(canvas->row, 0, ((size_t)canvas->width + 2) * sizeof *canvas->row);
}

void deer_canvas_polygon(deer_canvas *canvas, const deer_xy *points, size_t n, deer_color color) {
  // the rows it reaches
  double top = INFINITY, bottom = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(points[i].x) || !isfinite(points[i].y)) return;
    top = fmin(top, points[i].y);
    bottom = fmax(bottom, points[i].y);
  }
  if (n < 3) return;
  span s = touched(canvas, 0, top, 0, bottom);
  for (int y = s.y0; y < s.y1; y++) {
    for (size_t i = 0; i < n; i++) {
      deer_xy a = points[i], b = points[i + 1 < n ? i + 1 : 0];
      // most edges do not come near this row
      if ((a.y < y && b.y < y) || (a.y > y + 1 && b.y > y + 1)) continue;
      if (!usable(&a) || !usable(&b)) continue;
      for (int k = 0; k < SUBROWS; k++) cross(canvas, a, b, y + (k + 0.5) / SUBROWS);
    }
    blend_row(canvas, y, color);
  }
}

/* The corners of the markers that have some, for a half width of 1. */
static const struct outline {
  size_t n;
  deer_xy at[4];
} outlines[] = {
    [DEER_MARKER_CIRCLE] = {0, {{0, 0}}},
    [DEER_MARKER_SQUARE] = {4, {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}},
    [DEER_MARKER_TRIANGLE] = {3, {{0, -1}, {1, 0.75}, {-1, 0.75}}},
    [DEER_MARKER_DIAMOND] = {4, {{0, -1}, {1, 0}, {0, 1}, {-1, 0}}},
};

/* A marker without outline, of half width r. */
static void marker_body(deer_canvas *canvas, deer_xy center, deer_marker_shape shape, double r,
                        deer_color color) {
  const struct outline *outline = &outlines[shape];
  // a circle has no corners; a negative size is nothing
  if (outline->n == 0) deer_canvas_circle(canvas, center, r, color);
  if (outline->n == 0 || !(r > 0)) return;
  deer_xy corners[4];
  for (size_t i = 0; i < outline->n; i++)
    corners[i] = (deer_xy){center.x + r * outline->at[i].x, center.y + r * outline->at[i].y};
  deer_canvas_polygon(canvas, corners, outline->n, color);
}

void deer_canvas_marker(deer_canvas *canvas, deer_xy center, const deer_marker *marker) {
  double r = marker->size / 2;
  // the outline is a larger body of its own colour below the fill
  if (marker->edge_width > 0) marker_body(canvas, center, marker->shape, r, marker->edge);
  marker_body(canvas, center, marker->shape, r - fmax(0, marker->edge_width), marker->fill);
}

/* The next character of UTF-8 text: a byte of ASCII as it is, any longer sequence 127. */
static int next_character(const char **text) {
  unsigned char c = (unsigned char)*(*text)++;
  if (c < 128) return c;
  while (((unsigned char)**text & 0xC0) == 0x80) (*text)++;
  return 127;
}

int deer_text_width(const char *text, const deer_text_style *style) {
  // longer text than any canvas is wide is cut
  int64_t width = 0;
  while (*text && width < 1 << 24)
    width += deer_font_glyph(style->font, next_character(&text)).width;
  return (int)clamp((double)width * style->scale, 0, 1e9);
}

int deer_text_height(const deer_text_style *style) {
  return deer_font_height(style->font) * style->scale;
}

/* Draws one glyph; (x, y) is the top left corner of its box, or the bottom left one when it is
 * vertical. */
static void draw_glyph(deer_canvas *canvas, int x, int y, const deer_glyph *glyph,
                       const deer_text_style *style) {
  // the box of the glyph in the picture, and what of it can be seen
  int across = glyph->width * style->scale, down = deer_text_height(style);
  span box =
      style->vertical ? (span){x, y - across, x + down, y} : (span){x, y, x + across, y + down};
  span s = intersect(box, canvas->clip);
  for (int row = s.y0; row < s.y1; row++)
    for (int column = s.x0; column < s.x1; column++) {
      // turned by 90 degrees a step to the right in the glyph is a step up in the picture
      int gx = style->vertical ? y - 1 - row : column - x;
      int gy = style->vertical ? column - x : row - y;
      int ink = deer_glyph_ink(glyph, gx / style->scale, gy / style->scale);
      if (ink) blend(canvas, column, row, style->color, (unsigned)ink * 255 / DEER_FONT_INK);
    }
}

void deer_canvas_text(deer_canvas *canvas, deer_xy corner, const char *text,
                      const deer_text_style *style) {
  if (!(fabs(corner.x) < 1e6 && fabs(corner.y) < 1e6) || style->scale < 1 || style->scale > 64)
    return;
  int x = whole(corner.x + 0.5), y = whole(corner.y + 0.5);
  if (style->vertical) y += deer_text_width(text, style);
  while (*text) {
    deer_glyph glyph = deer_font_glyph(style->font, next_character(&text));
    draw_glyph(canvas, x, y, &glyph, style);
    int step = glyph.width * style->scale;
    // stop where nothing more can be seen, long before the position overflows
    if (style->vertical ? (y -= step) < 0 : (x += step) > canvas->width) break;
  }
}
