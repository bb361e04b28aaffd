/* search.h: where require finds deer's own files: the source tree that the program was built in, or
 * the copies embedded in the program. */
#ifndef DEER_SEARCH_H
#define DEER_SEARCH_H

#include "bind/bind.h"
#include "bind/embedded.h"

/* The source tree when the program lies in its build folder, else NULL. Valid for ever. */
const char *deer_root(void);

/* The embedded file that is the module `name`, or NULL. */
const deer_embedded *deer_embedded_find(const char *name);

/* Teaches require: in a source tree its lua/ comes first in package.path and the embedded files are
 * the last resort; elsewhere the embedded files come before package.path, so that a copied program
 * never runs another version's files. Also preloads deer.core and deer.sys. `program` is argv[0].
 */
void deer_search_install(lua_State *L, const char *program);

#endif
