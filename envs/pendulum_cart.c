/* pendulum_cart.c: a pole that hangs from a cart between two walls, to be swung up and kept there
 * by pushes to the left and to the right. DeeR's pendulum: the equations of Florian 2007, "Correct
 * equations for the dynamics of the cart-pole system", with friction.
 *
 * Two of DeeR's ways are kept because its scores depend on them: a wall stops the cart but not its
 * speed, so pushing against it is punished more and more; and the reward of a step knows the angle
 * of one part of a step before. */
#include "deer.h"

#include <math.h>
#include <string.h>

enum { PARTS = 10, WIDTH = 600, HEIGHT = 300 }; /* Euler's steps in one; of the picture */

static const double pi = 3.14159265358979323846;
static const double gravity = 9.8, mass_cart = 1, mass_pole = 0.1, half_length = 0.5,
                    force_size = 100, tau = 0.002;                    /* kg, m, N, s */
static const double friction_cart = 0.0005, friction_pole = 0.000002; /* coefficients */
static const double wall = 5;                                         /* m from the middle */

enum { X, SPEED, ANGLE, SPIN, SIZE }; /* of the state; an angle of 0 is upright */

typedef struct pendulum_cart {
  deer_env base;
  deer_list start_state; /* options */
  int64_t training_steps;
  double state[SIZE];
} pendulum_cart;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(pendulum_cart, start_state), .min = -1000,
     .max = 1000, .choices = "position|speed|angle|turning speed",
     .help = "where every episode begins, upright being 0; at rest anywhere if not given"},
    DEER_ENV_MAX_STEPS(0),
    {"training_steps", DEER_FIELD_INT, offsetof(pendulum_cart, training_steps), .max = 1e15,
     .help = "the same for training alone, where more starts show more of swinging up"},
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  self->space = (deer_space){.n_subjects = SIZE, .actions = {.n = 2, .size = 1}};
  for (int s = 0; s < SIZE; s++)
    self->space.subjects[s] = (deer_subject){1, DEER_SCALAR, DEER_DTYPE_REAL};
  self->picture_width = WIDTH, self->picture_height = HEIGHT, self->picture_rate = 50;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  pendulum_cart *p = (pendulum_cart *)self;
  (void)mode, (void)history; /* nothing came before */
  deer_rng *rng = deer_env_rng(self);
  memset(p->state, 0, sizeof p->state);
  p->state[X] = 2 * deer_rng_uniform(rng) - 1;
  p->state[ANGLE] = pi * (2 * deer_rng_uniform(rng) - 1);
  if (p->start_state.n > 0) memcpy(p->state, p->start_state.at, sizeof p->state);
  return DEER_OK;
}

/* the same angle between -pi and pi */
static double normal_angle(double a) {
  a = fmod(a, 2 * pi);
  return a < -pi ? a + 2 * pi : a > pi ? a - 2 * pi : a;
}

/* one of Euler's steps: everything moves by what it was */
static void move(double state[SIZE], double force) {
  double speed = state[SPEED], angle = state[ANGLE], spin = state[SPIN];
  const double mass = mass_cart + mass_pole;
  double sine = sin(angle), cosine = cos(angle);
  double rub_cart = speed > 0 ? friction_cart : speed < 0 ? -friction_cart : 0;
  double rub_pole = friction_pole * spin / (mass_pole * half_length);
  double push = (force + mass_pole * half_length * sine * (spin * spin) - rub_cart) / mass;
  double turn = (gravity * sine - cosine * push - rub_pole) /
                (half_length * (4.0 / 3.0 - mass_pole * (cosine * cosine) / mass));
  double pull = push - mass_pole * turn * cosine / mass;
  state[X] += tau * speed;
  state[SPEED] += tau * pull;
  state[ANGLE] = normal_angle(angle + tau * spin);
  state[SPIN] += tau * turn;
}

/* 0 pushes to the left, 1 to the right */
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  double *state = ((pendulum_cart *)self)->state, angle = 0;
  for (int i = 0; i < PARTS; i++) {
    angle = state[ANGLE];
    move(state, *action > 0 ? force_size : -force_size);
  }
  *reward = -fabs(angle) - fabs(state[X]) / 2;
  state[X] = fmax(-wall, fmin(state[X], wall));
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const pendulum_cart *p = (const pendulum_cart *)self;
  for (int s = 0; s < SIZE; s++) *(deer_real *)observation[s] = (deer_real)p->state[s];
  return DEER_OK;
}

/* only time ends an episode */
static deer_status ending(deer_env *self, deer_ending *how) {
  int64_t most = ((const pendulum_cart *)self)->training_steps;
  bool over = self->mode == -1 && most > 0 && self->steps >= most;
  *how = over ? DEER_TRUNCATED : DEER_RUNNING;
  return DEER_OK;
}

static void paint(double x, double angle, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, red = {204, 77, 77, 255},
                          light = {226, 230, 234, 255};
  /* the pole is drawn longer than it is: of 10 metres of rail, 1 is little */
  const double scale = (WIDTH - 60) / (2 * wall), rail = 170, length = 110;
  double middle = WIDTH / 2 + scale * x;
  deer_xy hinge = {middle, rail - 12};
  deer_xy pole[] = {hinge, {middle + length * sin(angle), hinge.y - length * cos(angle)}};
  deer_canvas_fill(canvas, white);
  deer_canvas_rect(canvas, (deer_rect){WIDTH / 2 - 1, rail + 10, 2, 14}, light);
  deer_canvas_rect(canvas, (deer_rect){0, rail + 8, WIDTH, 2}, grey);
  deer_canvas_rect(canvas, (deer_rect){0, rail - 30, 6, 60}, grey);
  deer_canvas_rect(canvas, (deer_rect){WIDTH - 6, rail - 30, 6, 60}, grey);
  deer_canvas_rect(canvas, (deer_rect){middle - 22, rail - 12, 44, 18}, dark);
  deer_canvas_polyline(canvas, pole, 2, (deer_stroke){5, red});
  deer_canvas_circle(canvas, pole[1], 8, red);
  deer_canvas_circle(canvas, hinge, 4, grey);
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  const double *state = ((const pendulum_cart *)self)->state;
  paint(state[X], state[ANGLE], canvas);
  return DEER_OK;
}

static deer_status draw(deer_env *self, const void *const *observation, deer_canvas *canvas) {
  (void)self;
  paint((double)*(const deer_real *)observation[X], (double)*(const deer_real *)observation[ANGLE],
        canvas);
  return DEER_OK;
}

const deer_env_class deer_env_pendulum_cart = {
    .abi = DEER_ENV_ABI,
    .name = "pendulum_cart",
    .help = "swing a pole up by pushing its cart and keep both in place; minus the angle and half "
            "the distance at each step",
    .size = sizeof(pendulum_cart),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render,
    .draw = draw};
