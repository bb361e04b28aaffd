/* font.h: the two bitmap faces of pictures. A glyph is a window into a sheet of art in font.c, in
 * five shades. */
#ifndef DEER_IO_FONT_H
#define DEER_IO_FONT_H

#include "base/base.h"

typedef enum deer_font {
  DEER_FONT_SMALL, /* labels: capitals 9 pixels high, line 13 */
  DEER_FONT_LARGE  /* titles: capitals 13 pixels high, semi-bold, line 18 */
} deer_font;

/* The most ink a pixel of a glyph can have; 0 is none. */
#define DEER_FONT_INK 4

/* Rows of a glyph, the same for every glyph of a face: from the top of "d" to the bottom of "g". */
int deer_font_height(deer_font font);

/* Rows above the baseline. */
int deer_font_ascent(deer_font font);

typedef struct deer_glyph {
  const char *const *rows; /* the strip of the sheet the glyph is in */
  int column, width; /* where in these rows it is; its width includes the space to its neighbours */
} deer_glyph;

/* The glyph of a printable ASCII character (32 to 126); any other gives the hollow box. */
deer_glyph deer_font_glyph(deer_font font, int character);

/* The ink of a pixel of a glyph, 0 to DEER_FONT_INK; x is 0 .. width-1, y 0 .. deer_font_height-1
 * from the top. */
int deer_glyph_ink(const deer_glyph *glyph, int x, int y);

#endif
