/* program.h: what a program holds; for program.c and explain.c. */
#ifndef DEER_PROGRAM_H
#define DEER_PROGRAM_H

#include "graph/compile.h"

struct deer_program {
  int n_nodes;   /* of the graph it was made from */
  void **shown;  /* memory of node i of that graph: inputs and outputs; NULL for the others */
  deer_graph *g; /* what is run: the graph made simpler */
  deer_plan *plan;
  void **data; /* memory of the nodes of g */
  char *arena; /* all memory of the program */
  size_t arena_bytes;
  void *scratch; /* the largest any step asks for */
  deer_step *steps;
  int *unit_of_step;
  int n_steps;
  deer_operand *operands; /* inputs of all steps */
  bool profiled;
  uint64_t timed_runs, *spent; /* nanoseconds of each step; NULL before the first profile */
};

/* Runs the steps and adds up the time of each. */
void deer_program_run_timed(deer_program *program);

#endif
