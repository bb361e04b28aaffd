/* interpreter.h: the command line of deerlua, which is that of lua with subcommands added. */
#ifndef DEER_INTERPRETER_H
#define DEER_INTERPRETER_H

#include "bind/bind.h"

enum { DEER_EXIT_FAILURE = 1, DEER_EXIT_USAGE = 2, DEER_EXIT_SIGNAL = 128 };

/* What `deerlua --help` prints. */
extern const char deer_usage[];

/* Does what the command line says; returns the exit status. */
int deer_interpreter_main(int argc, char **argv);

/* Calls the function below n_args arguments with a traceback handler, all results wanted. On an
 * error its text is left on the stack and the status returned. */
int deer_interpreter_call(lua_State *L, int n_args);

#endif
