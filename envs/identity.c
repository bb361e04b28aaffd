/* identity.c: do what is seen. The smallest task that an algorithm must learn: the state is drawn
 * anew in every step and the answer earns at once. */
#include "deer.h"

#include <math.h>

enum { MOST = 64, CELL = 40 };

typedef struct identity {
  deer_env base;
  int64_t n; /* options */
  bool continuous;
  deer_list start_state;
  double state;
} identity;

static const deer_field fields[] = {
    {"n", DEER_FIELD_INT, offsetof(identity, n), .fallback = 2, .min = 2, .max = MOST,
     .help = "states, and as many actions; the state is seen as a 1 among zeros"},
    {"continuous", DEER_FIELD_BOOL, offsetof(identity, continuous),
     .help = "state and action are numbers from -1 to 1 instead; minus their squared difference "
             "is earned"},
    {"start_state", DEER_FIELD_LIST, offsetof(identity, start_state), .min = -1, .max = MOST - 1,
     .choices = "state",
     .help = "what is seen first, states being counted from 0; drawn if not given"},
    DEER_ENV_MAX_STEPS(100),
    {0}};

static deer_status check_start(const identity *t) {
  double at = t->start_state.at[0], low = t->continuous ? -1 : 0,
         high = t->continuous ? 1 : (double)t->n - 1;
  bool able = t->continuous || at == floor(at);
  if (t->start_state.n == 0 || (able && at >= low && at <= high)) return DEER_OK;
  return deer_fail(DEER_EINVAL, "identity: start_state: expected %s from %g to %g, got %g",
                   t->continuous ? "a number" : "a whole number", low, high, at);
}

static deer_status init(deer_env *self, const deer_rng *rng) {
  identity *t = (identity *)self;
  (void)rng;
  int n = t->continuous ? 1 : (int)t->n;
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(n), DEER_DTYPE_REAL}},
                             .actions = {.n = n, .size = 1}};
  if (t->continuous) self->space.actions = (deer_action_space){.size = 1, .low = {-1}, .high = {1}};
  self->picture_width = t->continuous ? 5 * CELL : n * CELL;
  self->picture_height = CELL;
  return check_start(t);
}

static void draw(identity *t) {
  deer_rng *rng = deer_env_rng(&t->base);
  t->state =
      t->continuous ? 2 * deer_rng_uniform(rng) - 1 : (double)deer_rng_below(rng, (uint64_t)t->n);
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  identity *t = (identity *)self;
  (void)mode, (void)history; /* nothing came before */
  draw(t);
  if (t->start_state.n > 0) t->state = t->start_state.at[0];
  return DEER_OK;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  identity *t = (identity *)self;
  double wrong = (double)*action - t->state;
  *reward = t->continuous ? -wrong * wrong : wrong == 0;
  draw(t);
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const identity *t = (const identity *)self;
  deer_real *o = observation[0];
  if (t->continuous) o[0] = (deer_real)t->state;
  for (int i = 0; i < t->n && !t->continuous; i++) o[i] = t->state == i;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, red = {204, 77, 77, 255};
  const identity *t = (const identity *)self;
  double at = t->continuous ? (t->state + 1) / 2 * (self->picture_width - CELL) : t->state * CELL;
  deer_canvas_fill(canvas, white);
  deer_canvas_circle(canvas, (deer_xy){at + 0.5 * CELL, 0.5 * CELL}, 0.3 * CELL, red);
  return DEER_OK;
}

const deer_env_class deer_env_identity = {.abi = DEER_ENV_ABI,
                                          .name = "identity",
                                          .help = "do what is seen; 1 for each right answer",
                                          .size = sizeof(identity),
                                          .fields = fields,
                                          .init = init,
                                          .reset = reset,
                                          .act = act,
                                          .observe = observe,
                                          .render = render};
