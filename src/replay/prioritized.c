/* prioritized.c: samples are drawn in proportion to a priority, made from the error that they were
 * last learnt with, and weigh less the more often they are drawn. Schaul et al. 2016,
 * arXiv:1511.05952, the proportional variant. A sample is a leaf of a sum tree at its place;
 * while it cannot be drawn its weight is 0. */
#include "replay/internal.h"
#include "replay/sum_tree.h"
#include "tensor/lanes.h"
#include "tensor/vectormath.h"

#include <math.h>

typedef struct prioritized {
  struct deer_replay base;

  /* options */
  double alpha, beta, epsilon;
  int64_t beta_updates;
  int priority;

  deer_sum_tree tree;
  deer_real largest; /* weight so far, that of new samples */
  int64_t updates;
} prioritized;

enum { ABSOLUTE, SQUARED };

#define AT(member) offsetof(prioritized, member)
static const deer_field fields[] = {
    {"alpha", DEER_FIELD_REAL, AT(alpha), .fallback = 0.6, .min = 0, .max = 2,
     .help = "exponent of the error; 0: all samples are equally likely", .search_min = 0.3,
     .search_max = 1},
    {"beta", DEER_FIELD_REAL, AT(beta), .fallback = 0.4, .min = 0, .max = 1,
     .help = "how far importance weights make up for the choice, at first; 0: not at all",
     .search_min = 0.2, .search_max = 1},
    {"beta_updates", DEER_FIELD_INT, AT(beta_updates), .fallback = 100000, .min = 0, .max = 1e12,
     .help = "updates until beta is 1; 0: it stays as it is"},
    {"epsilon", DEER_FIELD_REAL, AT(epsilon), .fallback = 1e-4, .min = 1e-12, .max = 1e6,
     .help = "keeps samples without error likely", .search_min = 1e-6, .search_max = 1e-2},
    {"priority", DEER_FIELD_CHOICE, AT(priority), .fallback = ABSOLUTE,
     .choices = "absolute|squared",
     .help = "(|error| + epsilon)^alpha, or DeeR's (error^2)^alpha + epsilon"},
    {0}};

static deer_status init(deer_replay *self) {
  prioritized *r = (prioritized *)self;
  r->largest = 1;
  return deer_sum_tree_init(&r->tree, self->room * self->lanes);
}

static void finish(deer_replay *self) { deer_sum_tree_free(&((prioritized *)self)->tree); }

/* x = x^y */
DEER_INLINE void raise_all(deer_real *x, int n, deer_real y) {
  for (int i = 0; i < n; i++) x[i] = DEER_POW(x[i], y);
}
DEER_FOR_EVERY_CPU(static void raise_to, raise_all, (deer_real * x, int n, deer_real y), (x, n, y))

/* ---- which samples there are ---- */

static void opened(deer_replay *self, int64_t at) {
  prioritized *r = (prioritized *)self;
  deer_sum_tree_set(&r->tree, 1, &at, &r->largest);
}

static void closed(deer_replay *self, int64_t at) {
  const deer_real nothing = 0;
  prioritized *r = (prioritized *)self;
  if (r->tree.leaf[at] > 0) deer_sum_tree_set(&r->tree, 1, &at, &nothing);
}

/* ---- drawing ---- */

enum { AT_ONCE = 256 };

/* One target in each n-th of the total, so that a batch is spread over the priorities. */
static deer_status draw(deer_replay *self, deer_rng *rng, int n, int64_t *index) {
  const prioritized *r = (const prioritized *)self;
  double target[AT_ONCE], share = deer_sum_tree_total(&r->tree) / n;
  if (!(share > 0)) return deer_replay_nothing(self);
  for (int done = 0; done < n; done += AT_ONCE) {
    int many = n - done < AT_ONCE ? n - done : AT_ONCE;
    for (int i = 0; i < many; i++) target[i] = (done + i + deer_rng_uniform(rng)) * share;
    deer_sum_tree_find(&r->tree, many, target, index + done);
  }
  for (int i = 0; i < n; i++) index[i] = deer_replay_index(self, index[i]);
  return DEER_OK;
}

/* (N P)^-beta; N and the total are common to all */
static void weigh(const deer_replay *self, int n, const int64_t *index, deer_real *weight) {
  const prioritized *r = (const prioritized *)self;
  double grown = r->updates < r->beta_updates ? (double)r->updates / (double)r->beta_updates : 1;
  double beta = r->beta_updates > 0 ? r->beta + (1 - r->beta) * grown : r->beta;
  for (int i = 0; i < n; i++) weight[i] = r->tree.leaf[deer_replay_place(self, index[i])];
  raise_to(weight, n, (deer_real)-beta);
}

/* ---- learning ---- */

/* far from where a real ends, also when squared or summed up */
static deer_real within_reach(deer_real weight) {
  const deer_real least = (deer_real)1e-30, most = (deer_real)1e30;
  return weight < least ? least : weight > most ? most : weight;
}

static void error_weights(const prioritized *r, int n, const deer_real *error, deer_real *weight) {
  const deer_real alpha = (deer_real)r->alpha, epsilon = (deer_real)r->epsilon;
  for (int i = 0; i < n; i++) weight[i] = error[i] < 0 ? -error[i] : error[i];
  bool squared = r->priority == SQUARED;
  for (int i = 0; i < n; i++) weight[i] = squared ? weight[i] * weight[i] : weight[i] + epsilon;
  raise_to(weight, n, alpha);
  if (squared)
    for (int i = 0; i < n; i++) weight[i] += epsilon;
  for (int i = 0; i < n; i++) weight[i] = within_reach(weight[i]);
}

/* changes the weights of at most AT_ONCE samples */
static void update_some(prioritized *r, int n, const int64_t *index, const deer_real *error) {
  const deer_replay *self = &r->base;
  int64_t at[AT_ONCE], slots = deer_replay_slots(self);
  deer_real weight[AT_ONCE];
  int kept = 0;
  error_weights(r, n, error, weight);
  for (int i = 0; i < n; i++) {
    if (index[i] < 0 || index[i] >= slots) continue;
    at[kept] = deer_replay_place(self, index[i]);
    weight[kept] = weight[i];
    if (!(r->tree.leaf[at[kept]] > 0)) continue;
    r->largest = weight[kept] > r->largest ? weight[kept] : r->largest;
    kept++;
  }
  deer_sum_tree_set(&r->tree, kept, at, weight);
}

static void update(deer_replay *self, int n, const int64_t *index, const deer_real *error) {
  prioritized *r = (prioritized *)self;
  for (int done = 0; done < n; done += AT_ONCE)
    update_some(r, n - done < AT_ONCE ? n - done : AT_ONCE, index + done, error + done);
  r->updates++;
}

const deer_replay_class deer_replay_prioritized = {
    .abi = DEER_REPLAY_ABI,
    .name = "prioritized",
    .paper = "Schaul et al. 2016, arXiv:1511.05952",
    .help = "samples with a large error are more likely",
    .size = sizeof(prioritized),
    .slot_bytes = sizeof(deer_real) + 1, /* a leaf, and 1/15 of a double for what is above */
    .fields = fields,
    .init = init,
    .draw = draw,
    .opened = opened,
    .closed = closed,
    .weigh = weigh,
    .update = update,
    .finish = finish};
