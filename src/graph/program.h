/* program.h: what a program holds; for program.c and explain.c. */
#ifndef DEER_PROGRAM_H
#define DEER_PROGRAM_H

#include "graph/compile.h"

#include <stdatomic.h>

/* A step waits until `lane` has done `count` of its steps. */
typedef struct deer_wait {
  int lane, count;
} deer_wait;

/* What one thread runs: steps in order. */
typedef struct deer_lane {
  int *steps, n;
  int *first_wait; /* of each: waits[first_wait[i] .. first_wait[i + 1]) */
  deer_wait *waits;
  int n_waits;
  _Alignas(64) atomic_uint_least64_t done; /* steps done since the program was made */
} deer_lane;

struct deer_program {
  int n_nodes;   /* of the graph it was made from */
  void **shown;  /* memory of node i of that graph: inputs and outputs; NULL for the others */
  deer_graph *g; /* what is run: the graph made simpler */
  deer_plan *plan;
  void **data; /* memory of the nodes of g */
  char *arena; /* all memory of the program */
  size_t arena_bytes;
  char *scratch; /* for each lane the largest any of its steps asks for */
  deer_step *steps;
  int *unit_of_step;
  int n_steps;      /* parts of a divided one count */
  deer_lane *lanes; /* NULL when one thread runs all steps in order */
  int n_lanes;
  uint64_t runs;          /* with lanes, whether they were used or not */
  uint64_t alone;         /* the best time of one thread for all steps, in nanoseconds */
  int alone_left;         /* runs to be done by one thread before the others are tried again */
  int patience;           /* how many there are after the next stall */
  int slow;               /* runs one after the other that were slower than one thread */
  deer_operand *operands; /* inputs of all steps */
  bool profiled;
  uint64_t timed_runs, *spent; /* nanoseconds of each step; NULL before the first profile */
};

/* While a program runs, subnormal numbers count as zero: moving averages that fade out become such
 * numbers, on which the CPU is a hundred times slower. Returns the mode to be restored. */
unsigned deer_flush_subnormals(void);
void deer_restore_mode(unsigned mode);

/* ---- schedule.c ---- */

uint64_t deer_nanoseconds(void); /* of a clock that never goes back */

/* Divides large steps and says which lane runs what, if several threads make it faster. */
deer_status deer_schedule(deer_program *p, int threads);
void deer_lanes_free(deer_program *p);
void deer_lanes_run(deer_program *p);

/* For tests: from now on programs with lanes run on all of them whatever that takes. */
void deer_lanes_insist(bool on);

/* Floating-point operations and bytes of a step, or of its share when it is divided: estimates. */
double deer_step_flops(const deer_step *step);
double deer_step_bytes(const deer_step *step);

/* ---- explain.c ---- */

/* For programs that are made and freed while somebody listens. */
deer_status deer_explain_begin(deer_program *program);
void deer_explain_end(const deer_program *program);

/* Runs the steps and adds up the time of each. */
void deer_program_run_timed(deer_program *program);

#endif
