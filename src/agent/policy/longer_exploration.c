/* longer_exploration.c: exploration that goes one way for a while. */
#include "agent/policy.h"

#include <string.h>

enum { LEVELS = 3 }; /* numbers per side of a box that a sequence is made of */

typedef struct sequence {
  bool hold;
  int64_t done, length; /* actions taken of the present sequence; it is over when they are equal */
  double levels[DEER_MAX_ACTION_SIZE][LEVELS];
  deer_real actions[DEER_MAX_LONGER_EXPLORATION][DEER_MAX_ACTION_SIZE];
} sequence;

static const deer_field fields[] = {
    {"epsilon", DEER_FIELD_REAL, offsetof(deer_longer_exploration, epsilon), .fallback = 0.1,
     .min = 0, .max = 1, .help = "share of exploratory actions in the long run"},
    {"length", DEER_FIELD_INT, offsetof(deer_longer_exploration, length), .fallback = 10, .min = 1,
     .max = DEER_MAX_LONGER_EXPLORATION, .help = "actions of a sequence", .search_min = 1,
     .search_max = 30},
    {"hold", DEER_FIELD_BOOL, offsetof(deer_longer_exploration, hold), .fallback = 0,
     .help = "one action all along a sequence"},
    {0}};

static bool boxed(const deer_action_space *space) {
  return deer_actions_kind(space) == DEER_ACTIONS_CONTINUOUS;
}

static void start(sequence *s, const deer_action_space *space, const deer_longer_exploration *p,
                  deer_rng *rng) {
  s->hold = p->hold;
  s->done = 0;
  s->length = p->length;
  if (!boxed(space)) return;
  for (int i = 0; i < space->size; i++)
    for (int k = 0; k < LEVELS; k++)
      s->levels[i][k] = space->low[i] + (space->high[i] - space->low[i]) * deer_rng_uniform(rng);
}

/* any of the actions that a sequence is made of */
static void any(const sequence *s, const deer_action_space *space, deer_rng *rng,
                deer_real *action) {
  if (!boxed(space)) {
    deer_random_action(space, rng, action);
    return;
  }
  for (int i = 0; i < space->size; i++)
    action[i] = (deer_real)s->levels[i][deer_rng_below(rng, LEVELS)];
}

/* how many actions there are to choose from */
static double kinds(const deer_action_space *space) {
  if (space->n > 0) return space->n;
  double product = 1;
  for (int i = 0; i < space->size; i++) product *= boxed(space) ? LEVELS : space->choices[i];
  return product;
}

/* The urn of Polya: of K actions, any with probability K / (K + done), else one that came before.
 * So the counts of the actions are uniform over all that sum up to the length, and every order of
 * the same counts is equally likely; no list of them is needed. */
static void next(sequence *s, const deer_action_space *space, deer_rng *rng, deer_real *action) {
  double any_of = s->hold && s->done > 0 ? 0 : kinds(space);
  size_t bytes = (size_t)space->size * sizeof *action;
  if (deer_rng_uniform(rng) * (any_of + (double)s->done) < any_of)
    any(s, space, rng, action);
  else
    memcpy(action, s->actions[deer_rng_below(rng, (uint64_t)s->done)], bytes);
  memcpy(s->actions[s->done++], action, bytes);
}

static deer_status choose(deer_policy *self, const deer_choice *choice, deer_real *action,
                          double *value, bool *greedy) {
  const deer_longer_exploration *p = (const deer_longer_exploration *)self;
  const deer_action_space *space = &choice->algo->space.actions;
  sequence *s = choice->memory;
  *value = 0;
  *greedy = false;
  if (s->done == s->length) {
    /* of the steps at which a sequence may begin, so many must, for epsilon of all steps to be its
     * part: start length / (start length + 1 - start) = epsilon */
    double share = p->epsilon / (1 + (double)(p->length - 1) * (1 - p->epsilon));
    *greedy = deer_rng_uniform(choice->rng) >= share;
    if (*greedy) return deer_choice_best(choice, action, value);
    start(s, space, p, choice->rng);
  }
  next(s, space, choice->rng, action);
  return DEER_OK;
}

const deer_policy_class deer_policy_longer_exploration = {
    .name = "longer_exploration",
    .help = "the best action, or sequences of actions that lean to one side",
    .paper = "Francois-Lavet, DeeR, https://deer.readthedocs.io",
    .size = sizeof(deer_longer_exploration),
    .fields = fields,
    .memory = sizeof(sequence),
    .choose = choose};
