/* counter_env.h: an environment for tests of several that act in step. */
#ifndef COUNTER_ENV_H
#define COUNTER_ENV_H

#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- an environment of which everything shows ---- */

/* A counter that begins at a random number. Even ones are terminal at `limit` steps, the others run
 * into their time limit. */
typedef struct counter {
  deer_env base;
  int64_t number, limit; /* options */
  int64_t work;          /* option: how long a step takes */
  int64_t fail_at;       /* option: the step that fails, in the episode `fail_in`; 0 for none */
  int64_t fail_in;
  double wrong; /* option: reward 1, observation 2, history 3 that is not a number */
  double start;
  int at, episode;
  atomic_int *inside; /* shared by a group: how many are being called */
  bool crowded;
} counter;

#define COUNTER_AT(member) offsetof(counter, member)
static const deer_field counter_fields[] = {
    {"number", DEER_FIELD_INT, COUNTER_AT(number), .max = 1e6, .help = "of the instance"},
    {"limit", DEER_FIELD_INT, COUNTER_AT(limit), .fallback = 5, .max = 1e6, .help = "steps"},
    {"work", DEER_FIELD_INT, COUNTER_AT(work), .max = 1e9, .help = "turns of a step"},
    {"fail_at", DEER_FIELD_INT, COUNTER_AT(fail_at), .max = 1e6, .help = "step that fails"},
    {"fail_in", DEER_FIELD_INT, COUNTER_AT(fail_in), .max = 1e6, .help = "episode"},
    {"wrong", DEER_FIELD_REAL, COUNTER_AT(wrong), .max = 3, .help = "what is not a number"},
    DEER_ENV_MAX_STEPS(0),
    {0}};

static inline deer_status counter_init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){
      .n_subjects = 2,
      .subjects = {{2, DEER_SHAPE(3), DEER_DTYPE_REAL}, {1, DEER_SCALAR, DEER_DTYPE_U8}},
      .actions = {.n = 4, .size = 1}};
  return DEER_OK;
}

static inline bool goes_wrong(const counter *c, int what) {
  return c->wrong == what && c->episode == c->fail_in && c->at == c->fail_at;
}

static inline deer_status counter_reset(deer_env *self, int mode, void *const *history) {
  counter *c = (counter *)self;
  (void)mode;
  c->start = deer_rng_uniform(deer_env_rng(self));
  c->at = 0;
  c->episode++;
  deer_real *h = history[0];
  for (int i = 0; i < 6; i++)
    if (h[i] != 0) return deer_fail(DEER_ESTATE, "the history is not zeroed");
  for (int i = 0; i < 6; i++) h[i] = (deer_real)(c->episode + i);
  if (goes_wrong(c, 3)) h[4] = (deer_real)NAN;
  return DEER_OK;
}

static inline deer_status counter_act(deer_env *self, const deer_real *action, double *reward) {
  counter *c = (counter *)self;
  if (c->inside && atomic_fetch_add(c->inside, 1) > 0) c->crowded = true;
  volatile int64_t turns = c->work;
  while (turns > 0) turns = turns - 1;
  c->at++;
  *reward = goes_wrong(c, 1) ? NAN : c->at + 10 * (double)*action + c->start;
  if (c->inside) atomic_fetch_sub(c->inside, 1);
  if (c->wrong == 0 && c->fail_at == c->at && c->episode == c->fail_in)
    return deer_fail(DEER_EDATA, "boom %d", c->at);
  return DEER_OK;
}

static inline deer_status counter_observe(deer_env *self, void *const *observation) {
  const counter *c = (const counter *)self;
  deer_real *o = observation[0];
  o[0] = (deer_real)c->start, o[1] = (deer_real)c->at;
  o[2] = goes_wrong(c, 2) ? (deer_real)NAN : (deer_real)c->episode;
  *(uint8_t *)observation[1] = (uint8_t)c->number;
  return DEER_OK;
}

static inline deer_status counter_ending(deer_env *self, deer_ending *how) {
  const counter *c = (const counter *)self;
  bool over = c->limit > 0 && c->at >= c->limit;
  *how = !over ? DEER_RUNNING : c->number % 2 ? DEER_TRUNCATED : DEER_TERMINATED;
  return DEER_OK;
}

static const deer_env_class counter_class = {.abi = DEER_ENV_ABI,
                                             .name = "counter",
                                             .size = sizeof(counter),
                                             .fields = counter_fields,
                                             .init = counter_init,
                                             .reset = counter_reset,
                                             .act = counter_act,
                                             .observe = counter_observe,
                                             .ending = counter_ending};

static inline deer_option number(const char *name, double value) {
  return (deer_option){name, {DEER_VALUE_NUMBER, value, NULL}};
}

#endif
