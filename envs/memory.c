/* memory.c: remember what was seen. A cue is shown in the first step of an episode and asked for
 * `delay` steps later, when nothing of it can be seen any more: only a state with a history, or a
 * network that carries something along, can know. */
#include "deer.h"

enum { MOST = 64, CELL = 40 };

typedef struct memory {
  deer_env base;
  int64_t n, delay, history; /* options */
  deer_list start_state;
  int cue;
  bool answered;
} memory;

static const deer_field fields[] = {
    {"n", DEER_FIELD_INT, offsetof(memory, n), .fallback = 2, .min = 2, .max = MOST,
     .help = "cues, and as many actions"},
    {"delay", DEER_FIELD_INT, offsetof(memory, delay), .fallback = 3, .min = 1, .max = 1e6,
     .help = "steps from the cue to the question"},
    {"history", DEER_FIELD_INT, offsetof(memory, history), .fallback = 1, .min = 1, .max = 1e4,
     .help = "observations that a state consists of; delay + 1 hold the cue and the question"},
    {"start_state", DEER_FIELD_WHOLES, offsetof(memory, start_state), .max = MOST - 1,
     .choices = "cue", .help = "of every episode, counted from 0; drawn if not given"},
    DEER_ENV_MAX_STEPS(0),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  memory *t = (memory *)self;
  (void)rng;
  int n = (int)t->n;
  /* a 1 for the cue, and the last is 1 at the question */
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{(int)t->history, DEER_SHAPE(n + 1), DEER_DTYPE_REAL}},
                             .actions = {.n = n, .size = 1}};
  self->picture_width = (n + 1) * CELL;
  self->picture_height = CELL;
  if (t->start_state.n > 0 && t->start_state.at[0] >= n)
    return deer_fail(DEER_EINVAL, "memory: start_state: expected a cue of 0 to %d, got %d", n - 1,
                     (int)t->start_state.at[0]);
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  memory *t = (memory *)self;
  (void)mode, (void)history; /* nothing came before */
  t->cue = (int)deer_rng_below(deer_env_rng(self), (uint64_t)t->n);
  if (t->start_state.n > 0) t->cue = (int)t->start_state.at[0];
  t->answered = false;
  return DEER_OK;
}

/* only the answer counts */
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  memory *t = (memory *)self;
  t->answered = self->steps > t->delay;
  *reward = !t->answered ? 0 : (int)*action == t->cue ? 1 : -1;
  return DEER_OK;
}

/* what can be seen at place i */
static bool is_shown(const memory *t, int i) {
  return i < t->n ? t->base.steps == 0 && i == t->cue : t->base.steps >= t->delay;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const memory *t = (const memory *)self;
  deer_real *o = observation[0];
  for (int i = 0; i <= t->n; i++) o[i] = is_shown(t, i);
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = ((const memory *)self)->answered ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, red = {204, 77, 77, 255},
                          blue = {78, 135, 190, 255};
  const memory *t = (const memory *)self;
  deer_canvas_fill(canvas, white);
  for (int i = 0; i <= t->n; i++)
    if (is_shown(t, i))
      deer_canvas_circle(canvas, (deer_xy){(i + 0.5) * CELL, 0.5 * CELL}, 0.3 * CELL,
                         i < t->n ? red : blue);
  return DEER_OK;
}

const deer_env_class deer_env_memory = {
    .abi = DEER_ENV_ABI,
    .name = "memory",
    .help = "remember a cue until it is asked for; 1 for the right answer, minus 1 for a wrong one",
    .size = sizeof(memory),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render};
