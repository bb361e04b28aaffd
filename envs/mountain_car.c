/* mountain_car.c: a car in a valley whose engine is too weak for the hill: it has to swing. Minus 1
 * for each step until it is up. Moore 1990, with the numbers of Gymnasium's MountainCar-v0. */
#include "mountain_car.h"

#include <math.h>

static const double leftmost = -1.2, rightmost = 0.6, most_speed = 0.07;
static const double force = 0.001, gravity = 0.0025;

enum { WIDTH = 600, HEIGHT = 400 }; /* of the picture */

/* ---- for both ---- */

void deer_mountain_car_init(deer_mountain_car *car, double goal) {
  deer_subject one = {1, DEER_SCALAR, DEER_DTYPE_REAL}, both = {1, DEER_SHAPE(2), DEER_DTYPE_REAL};
  car->goal = goal;
  car->base.space = car->split ? (deer_space){.n_subjects = 2, .subjects = {one, one}}
                               : (deer_space){.n_subjects = 1, .subjects = {both}};
  car->base.picture_width = WIDTH;
  car->base.picture_height = HEIGHT;
  car->base.picture_rate = 30;
}

deer_status deer_mountain_car_reset(deer_env *self, int mode, void *const *history) {
  deer_mountain_car *car = (deer_mountain_car *)self;
  (void)history; /* nothing came before */
  double chance = deer_rng_uniform(deer_env_rng(self));
  car->position = 0.2 * chance - 0.6;
  car->speed = 0;
  if (car->start_anywhere && mode == -1) {
    car->position = leftmost + (rightmost - leftmost) * chance;
    car->speed = most_speed * (2 * deer_rng_uniform(deer_env_rng(self)) - 1);
  }
  if (car->start_state.n > 0)
    car->position = car->start_state.at[0], car->speed = car->start_state.at[1];
  return DEER_OK;
}

static double clip(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

void deer_mountain_car_move(deer_mountain_car *car, double push) {
  car->speed =
      clip(car->speed + (push * car->power - cos(3 * car->position) * gravity * car->height),
           -most_speed, most_speed);
  car->position = clip(car->position + car->speed, leftmost, rightmost);
  if (car->position <= leftmost && car->speed < 0) car->speed = 0;
}

bool deer_mountain_car_is_up(const deer_mountain_car *car) {
  return car->position >= car->goal && car->speed >= 0;
}

deer_status deer_mountain_car_act(deer_env *self, double action, deer_mountain_car_step *once,
                                  double *reward) {
  deer_mountain_car *car = (deer_mountain_car *)self;
  deer_ending how = DEER_RUNNING;
  double sum = 0;
  for (int64_t i = 0; i < car->frame_skip && how == DEER_RUNNING; i++) {
    sum += once(car, action);
    deer_mountain_car_ending(self, &how);
  }
  if (deer_mountain_car_is_up(car)) sum += car->bonus;
  *reward = car->reward_scale * sum;
  return DEER_OK;
}

deer_status deer_mountain_car_observe(deer_env *self, void *const *observation) {
  const deer_mountain_car *car = (const deer_mountain_car *)self;
  deer_real *position = observation[0], *speed = car->split ? observation[1] : position + 1;
  *position = (deer_real)car->position;
  *speed = (deer_real)car->speed;
  return DEER_OK;
}

deer_status deer_mountain_car_ending(deer_env *self, deer_ending *how) {
  bool up = deer_mountain_car_is_up((const deer_mountain_car *)self);
  *how = up ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

/* a place on the picture, `above` pixels from the ground */
static deer_xy place(const deer_mountain_car *car, double position, double above) {
  const double scale = WIDTH / (rightmost - leftmost);
  double slope = 1.35 * car->height * cos(3 * position), steep = sqrt(1 + slope * slope);
  double height = scale * (0.45 * car->height * sin(3 * position) + 0.55);
  return (deer_xy){scale * (position - leftmost) - above * slope / steep,
                   HEIGHT - 10 - height - above / steep};
}

static void paint(const deer_mountain_car *car, double position, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, red = {204, 77, 77, 255};
  enum { PIECES = 100 };
  deer_xy ground[PIECES + 1], foot = place(car, car->goal, 0);
  for (int i = 0; i <= PIECES; i++)
    ground[i] = place(car, leftmost + (rightmost - leftmost) * i / PIECES, 0);
  deer_xy pole[] = {foot, {foot.x, foot.y - 50}};
  deer_xy flag[] = {pole[1], {foot.x + 24, foot.y - 42}, {foot.x, foot.y - 34}};
  const double half = 0.05; /* of the car, along the ground */
  deer_xy body[] = {place(car, position - half, 20), place(car, position + half, 20)};
  deer_canvas_fill(canvas, white);
  deer_canvas_polyline(canvas, ground, PIECES + 1, (deer_stroke){3, grey});
  deer_canvas_polyline(canvas, pole, 2, (deer_stroke){2, dark});
  deer_canvas_polygon(canvas, flag, 3, red);
  deer_canvas_polyline(canvas, body, 2, (deer_stroke){18, dark});
  for (int side = -1; side <= 1; side += 2)
    deer_canvas_circle(canvas, place(car, position + 0.7 * half * side, 8), 7, grey);
}

deer_status deer_mountain_car_render(deer_env *self, deer_canvas *canvas) {
  const deer_mountain_car *car = (const deer_mountain_car *)self;
  paint(car, car->position, canvas);
  return DEER_OK;
}

deer_status deer_mountain_car_draw(deer_env *self, const void *const *observation,
                                   deer_canvas *canvas) {
  paint((const deer_mountain_car *)self, (double)*(const deer_real *)observation[0], canvas);
  return DEER_OK;
}

/* ---- this one ---- */

static const deer_field fields[] = {DEER_MOUNTAIN_CAR_FIELDS, DEER_ENV_MAX_STEPS(200), {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  deer_mountain_car_init((deer_mountain_car *)self, 0.5);
  self->space.actions = (deer_action_space){.n = 3, .size = 1};
  return DEER_OK;
}

/* 0 pushes to the left, 1 not at all, 2 to the right */
static double once(deer_mountain_car *car, double action) {
  deer_mountain_car_move(car, (action - 1) * force);
  return -1;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  return deer_mountain_car_act(self, (double)*action, once, reward);
}

const deer_env_class deer_env_mountain_car = {
    DEER_MOUNTAIN_CAR_CLASS,
    .name = "mountain_car",
    .help = "swing a car out of a valley; minus 1 for each step until then",
    .fields = fields,
    .init = init,
    .act = act};
