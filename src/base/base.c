/* base.c: last error, counted allocator, interrupt flag, nearest name. */
#include "base/machine.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- last error ---- */

#define MESSAGE_BYTES 2048

static _Thread_local char message[MESSAGE_BYTES];
static _Thread_local const char *literal; /* the last error was this, not `message` */

deer_status deer_fail(deer_status status, const char *format, ...) {
  /* the arguments may point into `message`, so the text is made beside it */
  char text[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(message, text, sizeof text);
  literal = NULL;
  return status;
}

deer_status deer_fail_literal(deer_status status, const char *text) {
  literal = text;
  return status;
}

const char *deer_error(void) { return literal ? literal : message; }

/* ---- allocator ---- */

#define ALIGNMENT 64

/* lies in the ALIGNMENT bytes before every block */
typedef struct header {
  void *start; /* what calloc returned */
  size_t bytes;
} header;

static atomic_size_t held_bytes, held_blocks;
static atomic_uint_fast64_t calls, fail_at;

static header *header_of(void *block) { return (header *)((char *)block - ALIGNMENT); }

/* true when this allocation is the one a test wants to fail */
static bool must_fail(void) {
  uint64_t left = atomic_load(&fail_at);
  if (left == 0) return false;
  atomic_store(&fail_at, left - 1);
  return left == 1;
}

/* does the machine have that much more? */
static bool fits(size_t bytes) {
  size_t held = atomic_load(&held_bytes), machine = deer_machine_bytes();
  return held <= machine && bytes <= machine - held;
}

void *deer_alloc(size_t bytes) {
  atomic_fetch_add(&calls, 1);
  /* calloc leaves big blocks untouched until they are used: a replay of a million steps costs
   * nothing at start, and too large a block would be noticed only by the killed program */
  size_t total = bytes + 2 * ALIGNMENT;
  char *start = must_fail() || total < bytes || !fits(bytes) ? NULL : calloc(1, total);
  if (!start) {
    const double giga = 1e9;
    deer_fail(DEER_ENOMEM,
              "out of memory: %zu bytes (%.1f GB) asked for, %zu in use, the machine has %.1f GB",
              bytes, (double)bytes / giga, deer_alloc_bytes(), (double)deer_machine_bytes() / giga);
    return NULL;
  }
  uintptr_t first = ((uintptr_t)start + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  char *block = start + (first - (uintptr_t)start);
  *header_of(block) = (header){start, bytes};
  atomic_fetch_add(&held_bytes, bytes);
  atomic_fetch_add(&held_blocks, 1);
  return block;
}

void *deer_alloc_array(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) {
    deer_fail(DEER_ENOMEM, "out of memory: %zu elements of %zu bytes asked for", count, size);
    return NULL;
  }
  return deer_alloc(count * size);
}

void *deer_realloc(void *block, size_t bytes) {
  void *fresh = deer_alloc(bytes);
  if (!fresh || !block) return fresh;
  size_t old = header_of(block)->bytes;
  memcpy(fresh, block, old < bytes ? old : bytes);
  deer_free(block);
  return fresh;
}

void deer_free(void *block) {
  if (!block) return;
  header *h = header_of(block);
  atomic_fetch_sub(&held_bytes, h->bytes);
  atomic_fetch_sub(&held_blocks, 1);
  free(h->start);
}

char *deer_strdup(const char *text) {
  if (!text) return NULL;
  size_t bytes = strlen(text) + 1;
  char *copy = deer_alloc(bytes);
  if (copy) memcpy(copy, text, bytes);
  return copy;
}

size_t deer_alloc_bytes(void) { return atomic_load(&held_bytes); }
size_t deer_alloc_blocks(void) { return atomic_load(&held_blocks); }
uint64_t deer_alloc_calls(void) { return atomic_load(&calls); }
void deer_alloc_fail_at(uint64_t n) { atomic_store(&fail_at, n); }

/* ---- interrupt ---- */

/* lock-free, so that a signal handler may write it */
static atomic_int interrupt_flag;

void deer_interrupt_raise(void) { atomic_store(&interrupt_flag, 1); }
void deer_interrupt_clear(void) { atomic_store(&interrupt_flag, 0); }
bool deer_interrupted(void) { return atomic_load_explicit(&interrupt_flag, memory_order_relaxed); }

/* ---- nearest name ---- */

#define LONGEST_WORD 63

/* lower case without '_', cut at LONGEST_WORD; returns the length */
static size_t plain_word(const char *word, char plain[LONGEST_WORD + 1]) {
  size_t n = 0;
  for (; *word && n < LONGEST_WORD; word++)
    if (*word != '_') plain[n++] = (char)tolower((unsigned char)*word);
  plain[n] = '\0';
  return n;
}

static size_t least3(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Levenshtein distance of two plain words, with one row of the table */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb) {
  size_t row[LONGEST_WORD + 1];
  for (size_t j = 0; j <= nb; j++) row[j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      size_t above = row[j];
      row[j] = least3(row[j - 1] + 1, above + 1, diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[nb];
}

const char *deer_nearest(const char *word, const char *const *names, size_t n) {
  char a[LONGEST_WORD + 1], b[LONGEST_WORD + 1];
  size_t na = plain_word(word, a), best = SIZE_MAX;
  const char *nearest = NULL;
  for (size_t i = 0; i < n; i++) {
    size_t nb = plain_word(names[i], b);
    size_t distance = edit_distance(a, na, b, nb);
    /* the beginning of a name is a likely abbreviation: learn for learning_rate */
    if (na >= 3 && na < nb && strncmp(a, b, na) == 0) distance = distance < 2 ? distance : 2;
    if (distance < best) best = distance, nearest = names[i];
  }
  size_t allowed = na / 3 + 1;
  return best <= allowed ? nearest : NULL;
}
