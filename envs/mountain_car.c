/* mountain_car.c: a car in a valley whose engine is too weak for the hill: it has to swing. Minus 1
 * for each step until it is up. Moore 1990, with the numbers of Gymnasium's MountainCar-v0. */
#include "mountain_car.h"

#include <math.h>

static const double leftmost = -1.2, rightmost = 0.6, most_speed = 0.07;
static const double force = 0.001, gravity = 0.0025;

enum { WIDTH = 600, HEIGHT = 400 }; /* of the picture */

/* ---- for both ---- */

const deer_field deer_mountain_car_fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(deer_mountain_car, start_state), .min = -10,
     .max = 10, .choices = "position|speed",
     .help = "where every episode begins; at rest near the bottom if not given"},
    {"frame_skip", DEER_FIELD_INT, offsetof(deer_mountain_car, frame_skip), .fallback = 1, .min = 1,
     .max = 1000, .help = "steps of the car with the same action, whose rewards add up"},
    {"time_limit", DEER_FIELD_INT, offsetof(deer_mountain_car, time_limit), .max = 1e9,
     .help = "steps of the car in an episode; 0: as many as in Gymnasium"},
    {"bonus", DEER_FIELD_REAL, offsetof(deer_mountain_car, bonus), .min = -1e6, .max = 1e6,
     .help = "a reward for being up"},
    {"reward_scale", DEER_FIELD_REAL, offsetof(deer_mountain_car, reward_scale), .fallback = 1,
     .min = -1e6, .max = 1e6, .help = "multiplies all rewards"},
    {"split", DEER_FIELD_BOOL, offsetof(deer_mountain_car, split),
     .help = "position and speed are observed as two subjects, as in DeeR"},
    {"start_anywhere", DEER_FIELD_BOOL, offsetof(deer_mountain_car, start_anywhere),
     .help = "training begins anywhere, at any speed, as in DeeR"},
    {0}};

void deer_mountain_car_init(deer_mountain_car *car, const deer_rng *rng, double goal,
                            int64_t time_limit) {
  car->rng[0] = deer_rng_split(rng, "training");
  car->rng[1] = deer_rng_split(rng, "tests");
  car->goal = goal;
  if (car->time_limit == 0) car->time_limit = time_limit;
  deer_subject one = {1, DEER_SCALAR, DEER_DTYPE_REAL}, both = {1, DEER_SHAPE(2), DEER_DTYPE_REAL};
  car->base.space = car->split ? (deer_space){.n_subjects = 2, .subjects = {one, one}}
                               : (deer_space){.n_subjects = 1, .subjects = {both}};
  car->base.picture_width = WIDTH;
  car->base.picture_height = HEIGHT;
  car->base.picture_rate = 30;
}

deer_status deer_mountain_car_reset(deer_env *self, int mode, void *const *history) {
  deer_mountain_car *car = (deer_mountain_car *)self;
  (void)history; /* nothing came before */
  double chance = deer_rng_uniform(&car->rng[mode >= 0]);
  car->position = 0.2 * chance - 0.6;
  car->speed = 0;
  if (car->start_anywhere && mode == -1) {
    car->position = leftmost + (rightmost - leftmost) * chance;
    car->speed = most_speed * (2 * deer_rng_uniform(&car->rng[0]) - 1);
  }
  if (car->start_state.n > 0)
    car->position = car->start_state.at[0], car->speed = car->start_state.at[1];
  car->steps = 0;
  return DEER_OK;
}

static double clip(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

void deer_mountain_car_move(deer_mountain_car *car, double push) {
  car->steps++;
  car->speed =
      clip(car->speed + (push - cos(3 * car->position) * gravity), -most_speed, most_speed);
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
  const deer_mountain_car *car = (const deer_mountain_car *)self;
  if (deer_mountain_car_is_up(car))
    *how = DEER_TERMINATED;
  else
    *how = car->steps >= car->time_limit ? DEER_TRUNCATED : DEER_RUNNING;
  return DEER_OK;
}

/* a place on the picture, `above` pixels from the ground */
static deer_xy place(double position, double above) {
  const double scale = WIDTH / (rightmost - leftmost);
  double slope = 1.35 * cos(3 * position), steep = sqrt(1 + slope * slope);
  double height = scale * (0.45 * sin(3 * position) + 0.55);
  return (deer_xy){scale * (position - leftmost) - above * slope / steep,
                   HEIGHT - 10 - height - above / steep};
}

static void paint(const deer_mountain_car *car, double position, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, grey = {150, 155, 160, 255},
                          dark = {45, 55, 72, 255}, red = {204, 77, 77, 255};
  enum { PIECES = 100 };
  deer_xy ground[PIECES + 1], foot = place(car->goal, 0);
  for (int i = 0; i <= PIECES; i++)
    ground[i] = place(leftmost + (rightmost - leftmost) * i / PIECES, 0);
  deer_xy pole[] = {foot, {foot.x, foot.y - 50}};
  deer_xy flag[] = {pole[1], {foot.x + 24, foot.y - 42}, {foot.x, foot.y - 34}};
  const double half = 0.05; /* of the car, along the ground */
  deer_xy body[] = {place(position - half, 20), place(position + half, 20)};
  deer_canvas_fill(canvas, white);
  deer_canvas_polyline(canvas, ground, PIECES + 1, (deer_stroke){3, grey});
  deer_canvas_polyline(canvas, pole, 2, (deer_stroke){2, dark});
  deer_canvas_polygon(canvas, flag, 3, red);
  deer_canvas_polyline(canvas, body, 2, (deer_stroke){18, dark});
  for (int side = -1; side <= 1; side += 2)
    deer_canvas_circle(canvas, place(position + 0.7 * half * side, 8), 7, grey);
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

static deer_status init(deer_env *self, const deer_rng *rng) {
  deer_mountain_car_init((deer_mountain_car *)self, rng, 0.5, 200);
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
    .abi = DEER_ENV_ABI,
    .name = "mountain_car",
    .help = "swing a car out of a valley; minus 1 for each of at most 200 steps",
    .size = sizeof(deer_mountain_car),
    .fields = deer_mountain_car_fields,
    .init = init,
    .reset = deer_mountain_car_reset,
    .act = act,
    .observe = deer_mountain_car_observe,
    .ending = deer_mountain_car_ending,
    .render = deer_mountain_car_render,
    .draw = deer_mountain_car_draw};
