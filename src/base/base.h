/* base.h: what every other module stands on: status codes, the last error, the counted allocator
 * and the interrupt flag. The core returns a status and leaves a message; it never prints, exits or
 * jumps. */
#ifndef DEER_BASE_H
#define DEER_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEER_VERSION "0.1.0"

/* The real number of every tensor, gradient and reward. The library is built with float; the tests
 * build it a second time with -DDEER_REAL=double to check gradients and golden numbers closely. */
#ifndef DEER_REAL
#define DEER_REAL float
#endif
typedef DEER_REAL deer_real;

#if defined(__GNUC__)
#define DEER_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define DEER_PRINTF(text, first)
#endif

typedef enum deer_status {
  DEER_OK = 0,
  DEER_EINVAL,     /* a wrong argument or option */
  DEER_ESHAPE,     /* shapes that do not fit */
  DEER_ESTATE,     /* a call at the wrong moment */
  DEER_EDATA,      /* NaN, infinity or malformed data */
  DEER_ENOMEM,     /* out of memory */
  DEER_EIO,        /* a file could not be read or written */
  DEER_ECALLBACK,  /* code of the user (a Lua function) failed; the message is its own */
  DEER_EINTERRUPT, /* Ctrl-C */
  DEER_EAGAIN      /* not possible yet (too few samples to draw a batch); harmless */
} deer_status;

/* Leaves a formatted message (cut at 2047 bytes) in this thread's error slot; returns `status`.
 * The arguments may include deer_error() itself, so a caller can prefix a message. */
deer_status deer_fail(deer_status status, const char *format, ...) DEER_PRINTF(2, 3);

/* The same for what happens so often, and is looked at so seldom, that no message must be written:
 * `text` is kept as it lies, for ever. */
deer_status deer_fail_literal(deer_status status, const char *text);

/* The message of this thread's last deer_fail, "" when there was none. Valid until the next
 * deer_fail. */
const char *deer_error(void);

/* Returns from the calling function with the status of `call` unless it is DEER_OK. */
#define DEER_TRY(call)                                                                             \
  do {                                                                                             \
    deer_status status_ = (call);                                                                  \
    if (status_ != DEER_OK) return status_;                                                        \
  } while (0)

/* A zeroed block of `bytes` bytes, aligned to 64, owned by the caller until deer_free.
 * NULL after deer_fail(DEER_ENOMEM) when there is no memory, or when all blocks together would be
 * larger than that of the machine, which the system would find out only when they are written to. 0
 * bytes give a valid, empty block. */
void *deer_alloc(size_t bytes);

/* `count` zeroed elements of `size` bytes; NULL as for deer_alloc, also when the product overflows.
 */
void *deer_alloc_array(size_t count, size_t size);

/* Grows or shrinks a block, keeping its contents; new bytes are zero. `block` may be NULL.
 * NULL on failure, with the old block still valid. */
void *deer_realloc(void *block, size_t bytes);

/* Gives a block back; NULL is allowed. */
void deer_free(void *block);

/* A copy of a string, to be freed with deer_free; NULL when there is no memory or `text` is NULL.
 */
char *deer_strdup(const char *text);

/* Bytes and blocks now held, and blocks ever asked for: the steady state of a loop leaves the last
 * unchanged. */
size_t deer_alloc_bytes(void);
size_t deer_alloc_blocks(void);
uint64_t deer_alloc_calls(void);

/* For tests: the n-th allocation from now (1 is the next) fails, once. 0 turns it off. */
void deer_alloc_fail_at(uint64_t n);

/* Ctrl-C: a signal handler raises the flag, long C loops look at it and return DEER_EINTERRUPT. */
void deer_interrupt_raise(void);
void deer_interrupt_clear(void);
bool deer_interrupted(void);

/* The one of `n` names nearest to `word` by edit distance (letter case and '_' do not count),
 * NULL when none is near enough to be worth suggesting. */
const char *deer_nearest(const char *word, const char *const *names, size_t n);

#endif
