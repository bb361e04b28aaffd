/* pendulum.c: swing a pendulum up and hold it there with a motor that is too weak to lift it. The
 * reward is minus a cost of angle, speed and torque. The numbers of Gymnasium's Pendulum-v1. */
#include "deer.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double gravity = 10, mass = 1, length = 1, dt = 0.05; /* m/s^2, kg, m, s */
static const double most_torque = 2, most_speed = 8;               /* N m, 1/s */

typedef struct pendulum {
  deer_env base;
  deer_list start_state; /* option */
  double angle, speed;   /* 0 is upright */
} pendulum;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(pendulum, start_state), .min = -1000, .max = 1000,
     .choices = "angle|speed",
     .help = "where every episode begins, upright being 0; drawn if not given"},
    DEER_ENV_MAX_STEPS(200),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(3), DEER_DTYPE_REAL}},
                             .actions = {.size = 1, .low = {-most_torque}, .high = {most_torque}}};
  self->picture_width = self->picture_height = 400;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  pendulum *p = (pendulum *)self;
  (void)mode, (void)history; /* nothing came before */
  deer_rng *rng = deer_env_rng(self);
  p->angle = pi * (2 * deer_rng_uniform(rng) - 1);
  p->speed = 2 * deer_rng_uniform(rng) - 1;
  if (p->start_state.n > 0) p->angle = p->start_state.at[0], p->speed = p->start_state.at[1];
  return DEER_OK;
}

static double clip(double x, double most) { return x < -most ? -most : x > most ? most : x; }

/* the same angle between -pi and pi */
static double normal_angle(double x) { return x - 2 * pi * floor((x + pi) / (2 * pi)); }

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  pendulum *p = (pendulum *)self;
  double u = clip((double)*action, most_torque), angle = normal_angle(p->angle);
  *reward = -(angle * angle + 0.1 * (p->speed * p->speed) + 0.001 * (u * u));
  double turn = 3 * gravity / (2 * length) * sin(p->angle) + 3 / (mass * (length * length)) * u;
  p->speed = clip(p->speed + turn * dt, most_speed);
  p->angle += p->speed * dt;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const pendulum *p = (const pendulum *)self;
  deer_real *o = observation[0];
  o[0] = (deer_real)cos(p->angle);
  o[1] = (deer_real)sin(p->angle);
  o[2] = (deer_real)p->speed;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {200, 204, 208, 255},
                          dark = {45, 55, 72, 255}, red = {204, 77, 77, 255};
  const pendulum *p = (const pendulum *)self;
  deer_xy hinge = {200, 200};
  deer_xy rod[] = {hinge, {200 - 140 * sin(p->angle), 200 - 140 * cos(p->angle)}};
  deer_canvas_fill(canvas, white);
  deer_canvas_circle(canvas, (deer_xy){200, 60}, 4, grey); /* where its end belongs */
  deer_canvas_polyline(canvas, rod, 2, (deer_stroke){24, red});
  deer_canvas_circle(canvas, hinge, 6, dark);
  return DEER_OK;
}

const deer_env_class deer_env_pendulum = {
    .abi = DEER_ENV_ABI,
    .name = "pendulum",
    .help = "swing a pendulum up and hold it; the best score is about -150",
    .size = sizeof(pendulum),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .render = render};
