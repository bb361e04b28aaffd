/* cartpole.c: a pole hinged to a cart that is pushed to the left or to the right; 1 for each step
 * until it falls. Barto, Sutton and Anderson 1983, with the numbers of Gymnasium's CartPole-v1. */
#include "deer.h"

#include <math.h>
#include <string.h>

static const double mass_pole = 0.1, mass_total = 1.1, half_length = 0.5, force_size = 10,
                    tau = 0.02;                                               /* kg, m, N, s */
static const double far = 2.4, steep = 12 * 2 * 3.14159265358979323846 / 360; /* the end of it */

typedef struct cartpole {
  deer_env base;
  deer_list start_state; /* options */
  double gravity;        /* m/s^2 */
  bool split;
  double x, speed, angle, spin;
} cartpole;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(cartpole, start_state), .min = -1000, .max = 1000,
     .choices = "position|speed|angle|turning speed",
     .help = "where every episode begins; drawn near 0 if not given"},
    {"gravity", DEER_FIELD_REAL, offsetof(cartpole, gravity), .fallback = 9.8, .min = 0,
     .max = 1000, .help = "metres per squared second"},
    {"split", DEER_FIELD_BOOL, offsetof(cartpole, split),
     .help = "the four numbers are observed as four subjects, as in DeeR"},
    DEER_ENV_MAX_STEPS(500),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  const cartpole *c = (const cartpole *)self;
  (void)rng;
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(4), DEER_DTYPE_REAL}},
                             .actions = {.n = 2, .size = 1}};
  if (c->split) self->space.n_subjects = 4;
  for (int s = 0; s < self->space.n_subjects && c->split; s++)
    self->space.subjects[s] = (deer_subject){1, DEER_SCALAR, DEER_DTYPE_REAL};
  self->picture_width = 600, self->picture_height = 300, self->picture_rate = 50;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  cartpole *c = (cartpole *)self;
  (void)mode, (void)history; /* nothing came before */
  double state[4];
  for (int i = 0; i < 4; i++) state[i] = 0.1 * deer_rng_uniform(deer_env_rng(self)) - 0.05;
  if (c->start_state.n > 0) memcpy(state, c->start_state.at, sizeof state);
  c->x = state[0], c->speed = state[1], c->angle = state[2], c->spin = state[3];
  return DEER_OK;
}

/* Sine and cosine of an angle at which a pole has not fallen by their series, which is as exact as
 * the library and lets the CPU work on several environments at a time. */
static inline void sine_cosine(double angle, double *sine, double *cosine) {
  if (fabs(angle) > 0.5) {
    *sine = sin(angle);
    *cosine = cos(angle);
    return;
  }
  const double y = -angle * angle, z = y * y;
  const double odd = 1 + y * (1 / 6.0) + z * (1 / 120.0 + y * (1 / 5040.0)) +
                     z * z * (1 / 362880.0 + y * (1 / 39916800.0)) + z * z * z * (1 / 6227020800.0);
  const double even = 1 + y * (1 / 2.0) + z * (1 / 24.0 + y * (1 / 720.0)) +
                      z * z * (1 / 40320.0 + y * (1 / 3628800.0)) +
                      z * z * z * (1 / 479001600.0 + y * (1 / 87178291200.0));
  *sine = angle * odd;
  *cosine = even;
}

/* Euler's method, positions before speeds */
static inline void advance(cartpole *c, deer_real action) {
  double force = action > 0 ? force_size : -force_size, lever = mass_pole * half_length;
  double cosine, sine;
  sine_cosine(c->angle, &sine, &cosine);
  double push = (force + lever * (c->spin * c->spin) * sine) / mass_total;
  double turn = (c->gravity * sine - cosine * push) /
                (half_length * (4.0 / 3.0 - mass_pole * (cosine * cosine) / mass_total));
  double pull = push - lever * turn * cosine / mass_total;
  c->x += tau * c->speed;
  c->speed += tau * pull;
  c->angle += tau * c->spin;
  c->spin += tau * turn;
}

/* into that row of the observations of several */
static inline void show(const cartpole *c, void *const *observation, size_t row) {
  const double state[] = {c->x, c->speed, c->angle, c->spin};
  for (size_t i = 0; i < 4; i++) {
    deer_real *to =
        c->split ? (deer_real *)observation[i] + row : (deer_real *)observation[0] + 4 * row + i;
    *to = (deer_real)state[i];
  }
}

static inline deer_ending judge(const cartpole *c) {
  return fabs(c->x) > far || fabs(c->angle) > steep ? DEER_TERMINATED : DEER_RUNNING;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  advance((cartpole *)self, *action);
  *reward = 1;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  show((const cartpole *)self, observation, 0);
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = judge((const cartpole *)self);
  return DEER_OK;
}

static void steps(deer_env *const *envs, const deer_env_rows *rows) {
  for (int i = 0; i < rows->n; i++) {
    cartpole *c = (cartpole *)envs[i];
    advance(c, rows->action[i]);
    show(c, rows->observation, (size_t)i);
    rows->reward[i] = 1;
    rows->ending[i] = judge(c);
  }
}

static void paint(double position, double angle, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, wood = {202, 138, 75, 255};
  const double scale = 600 / (2 * far), rail = 240; /* pixels for a metre, height of the rail */
  double x = 300 + scale * position, length = 2 * half_length * scale;
  deer_xy hinge = {x, rail - 20};
  deer_xy pole[] = {hinge, {x + length * sin(angle), hinge.y - length * cos(angle)}};
  deer_canvas_fill(canvas, white);
  deer_canvas_rect(canvas, (deer_rect){0, rail + 15, 600, 2}, grey);
  deer_canvas_rect(canvas, (deer_rect){x - 32, rail - 20, 64, 28}, dark);
  for (int side = -1; side <= 1; side += 2)
    deer_canvas_circle(canvas, (deer_xy){x + 18 * side, rail + 8}, 7, grey);
  deer_canvas_polyline(canvas, pole, 2, (deer_stroke){10, wood});
  deer_canvas_circle(canvas, hinge, 4, grey);
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  const cartpole *c = (const cartpole *)self;
  paint(c->x, c->angle, canvas);
  return DEER_OK;
}

static deer_status draw(deer_env *self, const void *const *observation, deer_canvas *canvas) {
  const deer_real *x = observation[0];
  const deer_real *angle = ((const cartpole *)self)->split ? observation[2] : x + 2;
  paint((double)*x, (double)*angle, canvas);
  return DEER_OK;
}

const deer_env_class deer_env_cartpole = {
    .abi = DEER_ENV_ABI,
    .name = "cartpole",
    .help = "keep a pole upright by pushing its cart; 1 for each step",
    .size = sizeof(cartpole),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .steps = steps,
    .render = render,
    .draw = draw};
