/* video_gif.c: films as GIF. Each picture has a table of its own colours; where there are more than
 * 256, those that agree in their first bits share one, as few bits being dropped as will do. The
 * pixels are compressed as by Welch 1984, "A technique for high-performance data compression". */
#include "io/video_internal.h"

#include <math.h>
#include <string.h>

enum { SLOTS = 8192, COLORS = 256, CODES = 4096 };
enum { CLEAR = COLORS, END, FIRST_CODE }; /* codes that are no colour */

/* a map from whole numbers to numbers by open addressing; never more than half full */
typedef struct table {
  uint32_t key[SLOTS]; /* plus 1; 0 is free */
  uint16_t value[SLOTS];
} table;

/* where the key is or belongs */
static uint32_t find(const table *t, uint32_t key) {
  uint32_t at = key * 2654435761U >> 19;
  while (t->key[at] != 0 && t->key[at] != key + 1) at = (at + 1) % SLOTS;
  return at;
}

typedef struct encoder {
  const deer_video *video;
  deer_file *file;
  int64_t shown; /* pictures written */

  table colors; /* a place among the colours for each */
  int dropped;  /* bits of a component that do not count */
  int n_colors;
  uint32_t sum[COLORS][4]; /* of red, green and blue, and how many pixels */

  table codes; /* for a string that is known and the pixel behind it */
  uint32_t bits;
  int n_bits, width, next; /* waiting bits; of a code; the next new code */
  uint8_t block[256];      /* its length first */
} encoder;

/* ---- colours ---- */

static uint32_t color_key(const encoder *e, const uint8_t *p) {
  return (uint32_t)(p[0] >> e->dropped) << 16 | (uint32_t)(p[1] >> e->dropped) << 8 |
         (uint32_t)(p[2] >> e->dropped);
}

static const uint8_t *pixel(const encoder *e, const uint8_t *pixels, const video_part *part,
                            size_t i) {
  size_t width = (size_t)part->width;
  size_t row = (size_t)part->y + i / width, column = (size_t)part->x + i % width;
  return pixels + 3 * (row * (size_t)e->video->width + column);
}

/* gives every colour a place, e->dropped bits left out; false when there are too many */
static bool gather_colors(encoder *e, const uint8_t *pixels, const video_part *part) {
  memset(&e->colors, 0, sizeof e->colors);
  memset(e->sum, 0, sizeof e->sum);
  e->n_colors = 0;
  size_t n = (size_t)part->width * (size_t)part->height;
  for (size_t i = 0; i < n; i++) {
    const uint8_t *p = pixel(e, pixels, part, i);
    uint32_t key = color_key(e, p), at = find(&e->colors, key);
    if (e->colors.key[at] == 0) {
      if (e->n_colors == COLORS) return false;
      e->colors.key[at] = key + 1;
      e->colors.value[at] = (uint16_t)e->n_colors++;
    }
    uint32_t *sum = e->sum[e->colors.value[at]];
    for (int c = 0; c < 3; c++) sum[c] += p[c];
    sum[3]++;
  }
  return true;
}

/* the mean of the colours that share a place; unused places are black */
static deer_status put_colors(encoder *e) {
  uint8_t all[COLORS][3] = {{0}};
  for (int i = 0; i < e->n_colors; i++)
    for (int c = 0; c < 3; c++)
      all[i][c] = (uint8_t)((e->sum[i][c] + e->sum[i][3] / 2) / e->sum[i][3]);
  return deer_file_write(e->file, all, sizeof all);
}

/* ---- codes ---- */

static deer_status put_block(encoder *e) {
  DEER_TRY(deer_file_write(e->file, e->block, (size_t)e->block[0] + 1));
  e->block[0] = 0;
  return DEER_OK;
}

static deer_status put_byte(encoder *e, uint8_t byte) {
  e->block[++e->block[0]] = byte;
  return e->block[0] == 255 ? put_block(e) : DEER_OK;
}

static deer_status put_code(encoder *e, int code) {
  e->bits |= (uint32_t)code << e->n_bits;
  for (e->n_bits += e->width; e->n_bits >= 8; e->n_bits -= 8, e->bits >>= 8)
    DEER_TRY(put_byte(e, (uint8_t)e->bits));
  return DEER_OK;
}

static deer_status clear(encoder *e) {
  DEER_TRY(put_code(e, CLEAR));
  memset(&e->codes, 0, sizeof e->codes);
  e->width = 9, e->next = FIRST_CODE;
  return DEER_OK;
}

static deer_status put_pixels(encoder *e, const uint8_t *pixels, const video_part *part) {
  size_t n = (size_t)part->width * (size_t)part->height;
  e->bits = 0, e->n_bits = 0, e->width = 9;
  DEER_TRY(clear(e));
  int known = -1; /* the code of the string so far */
  for (size_t i = 0; i < n; i++) {
    uint32_t place = find(&e->colors, color_key(e, pixel(e, pixels, part, i)));
    int color = e->colors.value[place];
    if (known < 0) {
      known = color;
      continue;
    }
    uint32_t key = (uint32_t)known << 8 | (uint32_t)color, at = find(&e->codes, key);
    if (e->codes.key[at] != 0) {
      known = e->codes.value[at];
      continue;
    }
    DEER_TRY(put_code(e, known));
    if (e->next < CODES) {
      e->codes.key[at] = key + 1;
      e->codes.value[at] = (uint16_t)e->next;
      if (e->next++ == 1 << e->width) e->width++;
    } else {
      DEER_TRY(clear(e));
    }
    known = color;
  }
  DEER_TRY(put_code(e, known));
  DEER_TRY(put_code(e, END));
  if (e->n_bits > 0) DEER_TRY(put_byte(e, (uint8_t)e->bits));
  if (e->block[0] > 0) DEER_TRY(put_block(e));
  return deer_file_write(e->file, "", 1);
}

/* ---- pictures ---- */

static void put16(uint8_t *to, int x) { to[0] = (uint8_t)x, to[1] = (uint8_t)(x >> 8); }

/* how long the next picture is shown, in hundredths of a second; such that they add up */
static int delay(const encoder *e) {
  double at = 100 / e->video->fps;
  int hundredths = (int)(lround(at * (double)(e->shown + 1)) - lround(at * (double)e->shown));
  return hundredths < 2 ? 2 : hundredths; /* viewers take less for an error */
}

static deer_status put_picture(void *context, const uint8_t *pixels, const video_part *part) {
  encoder *e = context;
  e->dropped = 0;
  while (!gather_colors(e, pixels, part)) e->dropped++;
  /* graphic control: the picture stays; then place, size, table of colours, bits of a pixel */
  uint8_t head[18] = {0x21, 0xf9, 4, 1 << 2, 0, 0, 0, 0, 0x2c};
  put16(head + 4, delay(e));
  put16(head + 9, part->x);
  put16(head + 11, part->y);
  put16(head + 13, part->width);
  put16(head + 15, part->height);
  head[17] = 0x80 | 7;
  e->shown++;
  DEER_TRY(deer_file_write(e->file, head, sizeof head));
  DEER_TRY(put_colors(e));
  DEER_TRY(deer_file_write(e->file, "\010", 1));
  return put_pixels(e, pixels, part);
}

deer_status deer_video_write_gif(deer_file *file, void *video) {
  const deer_video *v = video;
  encoder *e = deer_alloc(sizeof *e);
  if (!e) return DEER_ENOMEM;
  e->video = v, e->file = file;
  uint8_t screen[13] = "GIF89a";
  put16(screen + 6, v->width);
  put16(screen + 8, v->height);
  screen[10] = 0x70;
  /* shown again and again, as Netscape's extension says */
  static const uint8_t loop[] = "\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0";
  deer_status status = deer_file_write(file, screen, sizeof screen);
  if (status == DEER_OK) status = deer_file_write(file, loop, sizeof loop);
  if (status == DEER_OK) status = deer_video_play(v, put_picture, e);
  if (status == DEER_OK) status = deer_file_write(file, ";", 1);
  deer_free(e);
  return status;
}
