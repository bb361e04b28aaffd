/* acrobot.c: two links hanging from a hinge, with a motor in the joint between them; minus 1 for
 * each step until the tip is one link's length above the hinge. Sutton 1996 in the form of Sutton
 * and Barto's book, with the numbers of Gymnasium's Acrobot-v1. */
#include "deer.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double gravity = 9.8, dt = 0.2;                         /* m/s^2, s */
static const double length = 1, mass = 1, middle = 0.5, inertia = 1; /* of either link */
static const double most_speed[2] = {4 * 3.14159265358979323846, 9 * 3.14159265358979323846};

typedef struct acrobot {
  deer_env base;
  deer_list start_state; /* option */
  double state[4];       /* angle 1 (0 hangs), angle 2 (relative to link 1), their speeds */
} acrobot;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(acrobot, start_state), .min = -1000, .max = 1000,
     .choices = "angle 1|angle 2|speed 1|speed 2",
     .help = "where every episode begins, all 0 hanging at rest; drawn near it if not given"},
    DEER_ENV_MAX_STEPS(500),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(6), DEER_DTYPE_REAL}},
                             .actions = {.n = 3, .size = 1}};
  self->picture_width = self->picture_height = 400;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  acrobot *a = (acrobot *)self;
  (void)mode, (void)history; /* nothing came before */
  for (int i = 0; i < 4; i++) a->state[i] = 0.2 * deer_rng_uniform(deer_env_rng(self)) - 0.1;
  if (a->start_state.n > 0) memcpy(a->state, a->start_state.at, sizeof a->state);
  return DEER_OK;
}

/* The equations of motion: how fast each number of the state changes. With M the matrix of
 * inertias and b what gravity and rotation add, M (turn 1, turn 2) = (0, torque) - b. */
static void motion(const double s[4], double torque, double change[4]) {
  double spin1 = s[2], spin2 = s[3], cosine = cos(s[1]), sine = sin(s[1]);
  double reach = mass * length * middle;
  double m11 = mass * middle * middle +
               mass * (length * length + middle * middle + 2 * length * middle * cosine) +
               2 * inertia;
  double m12 = mass * middle * middle + reach * cosine + inertia;
  double m22 = mass * middle * middle + inertia;
  double weight2 = mass * middle * gravity * cos(s[0] + s[1] - pi / 2);
  double b1 = -reach * spin2 * spin2 * sine - 2 * reach * spin2 * spin1 * sine +
              (mass * middle + mass * length) * gravity * cos(s[0] - pi / 2) + weight2;
  double b2 = reach * spin1 * spin1 * sine + weight2;
  double turn2 = (torque + m12 / m11 * b1 - b2) / (m22 - m12 * m12 / m11);
  change[0] = spin1;
  change[1] = spin2;
  change[2] = -(m12 * turn2 + b1) / m11;
  change[3] = turn2;
}

/* one step of the classical Runge-Kutta method of order four */
static void integrate(double s[4], double torque) {
  double slope[4][4], at[4];
  const double ahead[] = {0, dt / 2, dt / 2, dt};
  for (int k = 0; k < 4; k++) {
    for (int i = 0; i < 4; i++) at[i] = k > 0 ? s[i] + ahead[k] * slope[k - 1][i] : s[i];
    motion(at, torque, slope[k]);
  }
  for (int i = 0; i < 4; i++)
    s[i] += dt / 6 * (slope[0][i] + 2 * slope[1][i] + 2 * slope[2][i] + slope[3][i]);
}

static double clip(double x, double most) { return x < -most ? -most : x > most ? most : x; }

/* the same angle between -pi and pi */
static double normal_angle(double x) { return x - 2 * pi * floor((x + pi) / (2 * pi)); }

static bool is_up(const acrobot *a) {
  return -cos(a->state[0]) - cos(a->state[0] + a->state[1]) > 1;
}

/* the torque is -1, 0 or 1 */
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  acrobot *a = (acrobot *)self;
  integrate(a->state, (double)*action - 1);
  for (int i = 0; i < 2; i++) {
    a->state[i] = normal_angle(a->state[i]);
    a->state[2 + i] = clip(a->state[2 + i], most_speed[i]);
  }
  *reward = is_up(a) ? 0 : -1;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const acrobot *a = (const acrobot *)self;
  deer_real *o = observation[0];
  for (int i = 0; i < 2; i++) {
    o[2 * i] = (deer_real)cos(a->state[i]);
    o[2 * i + 1] = (deer_real)sin(a->state[i]);
    o[4 + i] = (deer_real)a->state[2 + i];
  }
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = is_up((const acrobot *)self) ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, blue = {78, 135, 190, 255};
  const double *s = ((const acrobot *)self)->state, scale = 85; /* pixels for a metre */
  deer_xy at[3] = {{200, 200}};
  for (int i = 0; i < 2; i++) {
    double angle = i == 0 ? s[0] : s[0] + s[1];
    at[i + 1].x = at[i].x + scale * length * sin(angle);
    at[i + 1].y = at[i].y + scale * length * cos(angle);
  }
  deer_canvas_fill(canvas, white);
  deer_canvas_rect(canvas, (deer_rect){0, 200 - scale - 1, 400, 2}, grey); /* the goal */
  deer_canvas_polyline(canvas, at, 3, (deer_stroke){18, blue});
  for (int i = 0; i < 2; i++) deer_canvas_circle(canvas, at[i], 6, dark);
  return DEER_OK;
}

const deer_env_class deer_env_acrobot = {
    .abi = DEER_ENV_ABI,
    .name = "acrobot",
    .help = "swing two links up by the joint between them; minus 1 for each step until then",
    .size = sizeof(acrobot),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render};
