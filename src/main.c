/* main.c: deerlua runs a script, a subcommand or the interactive prompt. */
#include "bind/interpreter.h"

int main(int argc, char **argv) { return deer_interpreter_main(argc, argv); }
