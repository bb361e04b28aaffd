/* mountain_car.c: a car in a valley whose engine is too weak for the hill: it has to swing. Minus 1
 * for each step until it is up. Moore 1990, with the numbers of Gymnasium's MountainCar-v0. */
#include "mountain_car.h"

#include <math.h>

enum { TIME_LIMIT = 200 };

static const double leftmost = -1.2, rightmost = 0.6, goal = 0.5, most_speed = 0.07;
static const double force = 0.001, gravity = 0.0025;

typedef struct mountain_car {
  deer_env base;
  deer_list start_state; /* option */
  deer_rng rng[2];       /* of training and of tests: one does not disturb the other */
  deer_mountain_car car;
  int64_t steps;
} mountain_car;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(mountain_car, start_state), .min = -10, .max = 10,
     .choices = "position|speed",
     .help = "where every episode begins; at rest near the bottom if not given"},
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  mountain_car *m = (mountain_car *)self;
  m->rng[0] = deer_rng_split(rng, "training");
  m->rng[1] = deer_rng_split(rng, "tests");
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(2), DEER_DTYPE_REAL}},
                             .actions = {.n = 3, .size = 1}};
  self->picture_width = DEER_MOUNTAIN_CAR_WIDTH;
  self->picture_height = DEER_MOUNTAIN_CAR_HEIGHT;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  mountain_car *m = (mountain_car *)self;
  (void)history; /* nothing came before */
  m->car.position = 0.2 * deer_rng_uniform(&m->rng[mode >= 0]) - 0.6;
  m->car.speed = 0;
  if (m->start_state.n > 0)
    m->car.position = m->start_state.at[0], m->car.speed = m->start_state.at[1];
  m->steps = 0;
  return DEER_OK;
}

/* ---- for both ---- */

static double clip(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

void deer_mountain_car_move(deer_mountain_car *car, double push) {
  car->speed =
      clip(car->speed + (push - cos(3 * car->position) * gravity), -most_speed, most_speed);
  car->position = clip(car->position + car->speed, leftmost, rightmost);
  if (car->position <= leftmost && car->speed < 0) car->speed = 0;
}

/* a place on the picture, `above` pixels from the ground */
static deer_xy place(double position, double above) {
  const double scale = DEER_MOUNTAIN_CAR_WIDTH / (rightmost - leftmost);
  double slope = 1.35 * cos(3 * position), steep = sqrt(1 + slope * slope);
  double height = scale * (0.45 * sin(3 * position) + 0.55);
  return (deer_xy){scale * (position - leftmost) - above * slope / steep,
                   DEER_MOUNTAIN_CAR_HEIGHT - 10 - height - above / steep};
}

void deer_mountain_car_draw(const deer_mountain_car *car, double goal_at, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, red = {204, 77, 77, 255};
  enum { PIECES = 100 };
  deer_xy ground[PIECES + 1], foot = place(goal_at, 0);
  for (int i = 0; i <= PIECES; i++)
    ground[i] = place(leftmost + (rightmost - leftmost) * i / PIECES, 0);
  deer_xy pole[] = {foot, {foot.x, foot.y - 50}};
  deer_xy flag[] = {pole[1], {foot.x + 24, foot.y - 42}, {foot.x, foot.y - 34}};
  const double half = 0.05; /* of the car, along the ground */
  deer_xy body[] = {place(car->position - half, 20), place(car->position + half, 20)};
  deer_canvas_fill(canvas, white);
  deer_canvas_polyline(canvas, ground, PIECES + 1, (deer_stroke){3, grey});
  deer_canvas_polyline(canvas, pole, 2, (deer_stroke){2, dark});
  deer_canvas_polygon(canvas, flag, 3, red);
  deer_canvas_polyline(canvas, body, 2, (deer_stroke){18, dark});
  for (int side = -1; side <= 1; side += 2)
    deer_canvas_circle(canvas, place(car->position + 0.7 * half * side, 8), 7, grey);
}

/* ---- this one ---- */

/* 0 pushes to the left, 1 not at all, 2 to the right */
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  mountain_car *m = (mountain_car *)self;
  deer_mountain_car_move(&m->car, ((double)*action - 1) * force);
  m->steps++;
  *reward = -1;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const mountain_car *m = (const mountain_car *)self;
  deer_real *o = observation[0];
  o[0] = (deer_real)m->car.position;
  o[1] = (deer_real)m->car.speed;
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  const mountain_car *m = (const mountain_car *)self;
  if (m->car.position >= goal && m->car.speed >= 0)
    *how = DEER_TERMINATED;
  else
    *how = m->steps >= TIME_LIMIT ? DEER_TRUNCATED : DEER_RUNNING;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  deer_mountain_car_draw(&((const mountain_car *)self)->car, goal, canvas);
  return DEER_OK;
}

const deer_env_class deer_env_mountain_car = {
    .abi = DEER_ENV_ABI,
    .name = "mountain_car",
    .help = "swing a car out of a valley; minus 1 for each of at most 200 steps",
    .size = sizeof(mountain_car),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render};
