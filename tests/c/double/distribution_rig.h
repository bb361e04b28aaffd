/* distribution_rig.h: functions from nodes to a node, evaluated on arrays of numbers. */
#ifndef DISTRIBUTION_RIG_H
#define DISTRIBUTION_RIG_H

#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PI      3.14159265358979323846
#define MOST_IN 5

static inline void assert_near(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
    fail_msg("expected %.15g, got %.15g", expected, got);
}

/* inputs in[0 .. n_in) of one shape; `build` makes any number of outputs from them */
typedef struct rig {
  int n_in, n_out;
  deer_shape shape;
  deer_graph *g;
  deer_node in[MOST_IN], out[8];
  deer_real *x[MOST_IN];
  const deer_real *y[8];
  deer_program *program;
} rig;

static inline void rig_inputs(rig *r, deer_shape shape, int n_in) {
  r->g = deer_graph_new();
  r->shape = shape;
  r->n_in = n_in;
  r->n_out = 0;
  for (int i = 0; i < n_in; i++) r->in[i] = deer_input(r->g, "x", DEER_DTYPE_REAL, shape);
}

static inline void rig_output(rig *r, deer_node node) { r->out[r->n_out++] = node; }

static inline void rig_compile(rig *r) {
  if (deer_compile(r->g, r->out, r->n_out, &r->program) != DEER_OK) fail_msg("%s", deer_error());
  for (int i = 0; i < r->n_in; i++) r->x[i] = deer_program_data(r->program, r->in[i]);
  for (int i = 0; i < r->n_out; i++) r->y[i] = deer_program_data(r->program, r->out[i]);
}

static inline void rig_run(rig *r) { deer_program_run(r->program); }

static inline void rig_free(rig *r) {
  deer_program_free(r->program);
  deer_graph_free(r->g);
}

#endif
