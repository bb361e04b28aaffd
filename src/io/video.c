/* video.c: the pictures of a film in memory, and which writer gets them. */
#include "io/video_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { MOST_SIDE = 16384 };

/* ---- what it is to become ---- */

typedef struct format {
  const char *ending;
  deer_file_fill *write;
} format;

static const format formats[] = {{".mp4", deer_video_write_mp4},
                                 {".png", deer_video_write_png},
                                 {".apng", deer_video_write_png},
                                 {".gif", deer_video_write_gif}};

static const format *find_format(const char *path) {
  const char *ending = strrchr(path, '.');
  for (size_t i = 0; ending && i < sizeof formats / sizeof *formats; i++)
    if (strcasecmp(ending, formats[i].ending) == 0) return &formats[i];
  return NULL;
}

/* ---- life ---- */

deer_status deer_video_new(const char *path, double fps, deer_video **video) {
  *video = NULL;
  if (!find_format(path))
    return deer_fail(DEER_EINVAL, "film '%s': expected a name that ends with .mp4, .png or .gif",
                     path);
  if (!(fps >= 0.1 && fps <= 240))
    return deer_fail(DEER_EINVAL, "film: expected 0.1 to 240 pictures a second, got %g", fps);
  deer_video *v = deer_alloc(sizeof *v);
  if (!v) return DEER_ENOMEM;
  v->fps = fps;
  v->path = deer_strdup(path);
  if (!v->path) {
    deer_video_free(v);
    return DEER_ENOMEM;
  }
  *video = v;
  return DEER_OK;
}

void deer_video_free(deer_video *v) {
  if (!v) return;
  deer_free(v->path);
  deer_free(v->parts);
  deer_free(v->bytes);
  deer_free(v->last);
  deer_free(v->rows);
  deer_free(v);
}

int64_t deer_video_count(const deer_video *v) { return v->n; }
const char *deer_video_path(const deer_video *v) { return v->path; }
const char *deer_video_note(const deer_video *v) { return v->note; }

/* ---- pictures ---- */

static size_t row_bytes(int width) { return 3 * (size_t)width; }

/* the first picture decides the size of all */
static deer_status begin(deer_video *v, const deer_image *image) {
  if (!v->last) v->last = deer_alloc(row_bytes(image->width) * (size_t)image->height);
  if (!v->rows) v->rows = deer_alloc((row_bytes(image->width) + 1) * (size_t)image->height);
  if (!v->last || !v->rows) return DEER_ENOMEM;
  v->width = image->width, v->height = image->height;
  return DEER_OK;
}

static deer_status check(const deer_video *v, const deer_image *image) {
  if (image->channels != 3 || image->width < 1 || image->height < 1 || image->width > MOST_SIDE ||
      image->height > MOST_SIDE)
    return deer_fail(DEER_EINVAL,
                     "a picture of %d x %d pixels with %d channels cannot be part of a film",
                     image->width, image->height, image->channels);
  if (v->n > 0 && (image->width != v->width || image->height != v->height))
    return deer_fail(DEER_EINVAL, "picture %lld of the film: expected %d x %d pixels, got %d x %d",
                     (long long)v->n, v->width, v->height, image->width, image->height);
  return DEER_OK;
}

/* the smallest part that holds all differences; one pixel where there are none */
static video_part find_part(const deer_video *v, const uint8_t *pixels) {
  if (v->n == 0) return (video_part){.width = v->width, .height = v->height};
  size_t stride = row_bytes(v->width);
  int top = v->height, bottom = 0, left = v->width, right = 0;
  for (int y = 0; y < v->height; y++) {
    const uint8_t *a = v->last + (size_t)y * stride, *b = pixels + (size_t)y * stride;
    if (memcmp(a, b, stride) == 0) continue;
    if (top > y) top = y;
    bottom = y + 1;
    int first = 0, end = v->width;
    while (memcmp(a + 3 * first, b + 3 * first, 3) == 0) first++;
    while (memcmp(a + 3 * (end - 1), b + 3 * (end - 1), 3) == 0) end--;
    if (left > first) left = first;
    if (right < end) right = end;
  }
  if (bottom == 0) return (video_part){.width = 1, .height = 1};
  return (video_part){.x = left, .y = top, .width = right - left, .height = bottom - top};
}

static voidpf get_memory(voidpf unused, uInt count, uInt size) {
  (void)unused;
  return deer_alloc_array(count, size);
}

static void give_memory(voidpf unused, voidpf block) {
  (void)unused;
  deer_free(block);
}

/* deflates n bytes of v->rows behind those there are */
static deer_status deflate_rows(deer_video *v, size_t n, video_part *part) {
  z_stream z = {.zalloc = get_memory, .zfree = give_memory};
  if (deflateInit(&z, 4) != Z_OK) return deer_fail(DEER_ENOMEM, "film: out of memory");
  size_t most = v->used + deflateBound(&z, (uLong)n);
  if (most > v->size) {
    uint8_t *bytes = deer_realloc(v->bytes, 2 * most);
    if (!bytes) {
      deflateEnd(&z);
      return DEER_ENOMEM;
    }
    v->bytes = bytes, v->size = 2 * most;
  }
  z.next_in = v->rows, z.avail_in = (uInt)n;
  z.next_out = v->bytes + v->used, z.avail_out = (uInt)(v->size - v->used);
  deflate(&z, Z_FINISH); /* there is room for it */
  part->at = v->used, part->size = z.total_out;
  deflateEnd(&z);
  return DEER_OK;
}

deer_status deer_video_add(deer_video *v, const deer_image *image) {
  DEER_TRY(check(v, image));
  if (v->n == 0) DEER_TRY(begin(v, image));
  if (v->n == v->room) {
    video_part *parts = deer_realloc(v->parts, (size_t)(2 * v->n + 64) * sizeof *parts);
    if (!parts) return DEER_ENOMEM;
    v->parts = parts, v->room = 2 * v->n + 64;
  }
  video_part part = find_part(v, image->pixels);
  size_t n = row_bytes(part.width), stride = row_bytes(v->width);
  for (int y = 0; y < part.height; y++) {
    uint8_t *row = v->rows + (size_t)y * (n + 1);
    row[0] = 0;
    memcpy(row + 1, image->pixels + (size_t)(part.y + y) * stride + row_bytes(part.x), n);
  }
  DEER_TRY(deflate_rows(v, (n + 1) * (size_t)part.height, &part));
  memcpy(v->last, image->pixels, stride * (size_t)v->height);
  v->used += part.size;
  v->parts[v->n++] = part;
  return DEER_OK;
}

/* puts a part into the picture; `rows` is room for it */
static deer_status show(const deer_video *v, const video_part *part, uint8_t *rows,
                        uint8_t *pixels) {
  size_t n = row_bytes(part->width), stride = row_bytes(v->width);
  z_stream z = {.zalloc = get_memory, .zfree = give_memory};
  z.next_in = v->bytes + part->at, z.avail_in = (uInt)part->size;
  z.next_out = rows, z.avail_out = (uInt)((n + 1) * (size_t)part->height);
  if (inflateInit(&z) != Z_OK) return deer_fail(DEER_ENOMEM, "film: out of memory");
  int status = inflate(&z, Z_FINISH);
  inflateEnd(&z);
  if (status != Z_STREAM_END) return deer_fail(DEER_ENOMEM, "film: out of memory");
  for (int y = 0; y < part->height; y++)
    memcpy(pixels + (size_t)(part->y + y) * stride + row_bytes(part->x),
           rows + (size_t)y * (n + 1) + 1, n);
  return DEER_OK;
}

deer_status deer_video_play(const deer_video *v, video_viewer *viewer, void *context) {
  uint8_t *pixels = deer_alloc(row_bytes(v->width) * (size_t)v->height);
  deer_status status = pixels ? DEER_OK : DEER_ENOMEM;
  for (int64_t i = 0; status == DEER_OK && i < v->n; i++) {
    status = deer_interrupted() ? deer_fail(DEER_EINTERRUPT, "interrupted")
                                : show(v, &v->parts[i], v->rows, pixels);
    if (status == DEER_OK) status = viewer(context, pixels, &v->parts[i]);
  }
  deer_free(pixels);
  return status;
}

/* ---- animated PNG ---- */

static void put32(uint8_t *to, uint32_t x) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(x >> (24 - 8 * i));
}

/* a chunk whose contents are two pieces, the first of them short */
static deer_status put_chunk(deer_file *file, const char *type, const uint8_t *head, size_t n_head,
                             const uint8_t *body, size_t n_body) {
  uint8_t begin[64], end[4];
  put32(begin, (uint32_t)(n_head + n_body));
  memcpy(begin + 4, type, 4);
  if (n_head > 0) memcpy(begin + 8, head, n_head);
  uLong sum = crc32(crc32(0, NULL, 0), begin + 4, (uInt)(4 + n_head));
  if (n_body > 0) sum = crc32(sum, body, (uInt)n_body);
  put32(end, (uint32_t)sum);
  DEER_TRY(deer_file_write(file, begin, 8 + n_head));
  if (n_body > 0) DEER_TRY(deer_file_write(file, body, n_body));
  return deer_file_write(file, end, 4);
}

/* fcTL: the picture is added to what is shown, for 100 / (100 fps) seconds */
static deer_status put_control(deer_file *file, const deer_video *v, const video_part *part,
                               uint32_t sequence) {
  uint32_t rate = (uint32_t)(100 * v->fps + 0.5);
  uint8_t control[26] = {0};
  put32(control, sequence);
  put32(control + 4, (uint32_t)part->width);
  put32(control + 8, (uint32_t)part->height);
  put32(control + 12, (uint32_t)part->x);
  put32(control + 16, (uint32_t)part->y);
  put32(control + 20, 100U << 16 | rate);
  return put_chunk(file, "fcTL", control, sizeof control, NULL, 0);
}

deer_status deer_video_write_png(deer_file *file, void *video) {
  const deer_video *v = video;
  uint8_t header[13] = {0}, animation[8] = {0}, number[4];
  put32(header, (uint32_t)v->width);
  put32(header + 4, (uint32_t)v->height);
  header[8] = 8, header[9] = 2; /* bits, red green blue */
  put32(animation, (uint32_t)v->n);
  DEER_TRY(deer_file_write(file, "\211PNG\r\n\032\n", 8));
  DEER_TRY(put_chunk(file, "IHDR", header, sizeof header, NULL, 0));
  DEER_TRY(put_chunk(file, "acTL", animation, sizeof animation, NULL, 0));
  uint32_t sequence = 0;
  for (int64_t i = 0; i < v->n; i++) {
    const video_part *part = &v->parts[i];
    DEER_TRY(put_control(file, v, part, sequence++));
    if (i > 0) put32(number, sequence++);
    DEER_TRY(put_chunk(file, i > 0 ? "fdAT" : "IDAT", number, i > 0 ? 4 : 0, v->bytes + part->at,
                       part->size));
  }
  return put_chunk(file, "IEND", NULL, 0, NULL, 0);
}

/* ---- writing ---- */

/* the film is to become a PNG instead of what it was meant to be */
static deer_status change_path(deer_video *v) {
  size_t stem = (size_t)(strrchr(v->path, '.') - v->path);
  char *path = deer_alloc(stem + 5);
  if (!path) return DEER_ENOMEM;
  snprintf(path, stem + 5, "%.*s.png", (int)stem, v->path);
  deer_free(v->path);
  v->path = path;
  return DEER_OK;
}

deer_status deer_video_write(deer_video *v) {
  if (v->n == 0) return deer_fail(DEER_ESTATE, "cannot write %s: no picture was added", v->path);
  v->note[0] = '\0';
  deer_status status = deer_file_replace_with(v->path, find_format(v->path)->write, v);
  if (status == DEER_OK || v->note[0] == '\0') return status;
  DEER_TRY(change_path(v));
  return deer_file_replace_with(v->path, deer_video_write_png, v);
}
