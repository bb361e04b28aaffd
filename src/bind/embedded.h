/* embedded.h: the Lua files built into the program. scripts/embed.c writes the table at build time.
 */
#ifndef DEER_EMBEDDED_H
#define DEER_EMBEDDED_H

#include <stddef.h>

typedef struct deer_embedded {
  const char *name; /* the module's name: deer.controllers.trainer, deer, envs.toy_env */
  const char
      *path; /* the file in the source tree, for messages: lua/deer/controllers/trainer.lua */
  const unsigned char *text;
  size_t size;
} deer_embedded;

/* Sorted by name (strcmp); one entry with NULL members follows the last. */
extern const deer_embedded deer_embedded_files[];
extern const size_t deer_embedded_count;

#endif
