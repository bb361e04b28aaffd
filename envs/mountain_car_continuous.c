/* mountain_car_continuous.c: a car in a valley whose engine is too weak for the hill: it has to
 * swing. 100 for being up, minus a tenth of the squared push of each step, so doing nothing is the
 * best of the poor answers. Moore 1990, with the numbers of Gymnasium's MountainCarContinuous-v0.
 */
#include "mountain_car.h"

enum { TIME_LIMIT = 999 };

static const double goal = 0.45, force = 0.0015;

typedef struct mountain_car_continuous {
  deer_env base;
  deer_list start_state; /* option */
  deer_rng rng[2];       /* of training and of tests: one does not disturb the other */
  deer_mountain_car car;
  int64_t steps;
} mountain_car_continuous;

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(mountain_car_continuous, start_state), .min = -10,
     .max = 10, .choices = "position|speed",
     .help = "where every episode begins; at rest near the bottom if not given"},
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  mountain_car_continuous *m = (mountain_car_continuous *)self;
  m->rng[0] = deer_rng_split(rng, "training");
  m->rng[1] = deer_rng_split(rng, "tests");
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(2), DEER_DTYPE_REAL}},
                             .actions = {.size = 1, .low = {-1}, .high = {1}}};
  self->picture_width = DEER_MOUNTAIN_CAR_WIDTH;
  self->picture_height = DEER_MOUNTAIN_CAR_HEIGHT;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  mountain_car_continuous *m = (mountain_car_continuous *)self;
  (void)history; /* nothing came before */
  m->car.position = 0.2 * deer_rng_uniform(&m->rng[mode >= 0]) - 0.6;
  m->car.speed = 0;
  if (m->start_state.n > 0)
    m->car.position = m->start_state.at[0], m->car.speed = m->start_state.at[1];
  m->steps = 0;
  return DEER_OK;
}

static bool is_up(const mountain_car_continuous *m) {
  return m->car.position >= goal && m->car.speed >= 0;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  mountain_car_continuous *m = (mountain_car_continuous *)self;
  double push = (double)*action;
  deer_mountain_car_move(&m->car, push * force);
  m->steps++;
  *reward = (is_up(m) ? 100 : 0) - 0.1 * (push * push);
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  const mountain_car_continuous *m = (const mountain_car_continuous *)self;
  deer_real *o = observation[0];
  o[0] = (deer_real)m->car.position;
  o[1] = (deer_real)m->car.speed;
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  const mountain_car_continuous *m = (const mountain_car_continuous *)self;
  if (is_up(m))
    *how = DEER_TERMINATED;
  else
    *how = m->steps >= TIME_LIMIT ? DEER_TRUNCATED : DEER_RUNNING;
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  deer_mountain_car_draw(&((const mountain_car_continuous *)self)->car, goal, canvas);
  return DEER_OK;
}

const deer_env_class deer_env_mountain_car_continuous = {
    .abi = DEER_ENV_ABI,
    .name = "mountain_car_continuous",
    .help = "swing a car out of a valley; 100 for it, minus what the pushes cost; 999 steps",
    .size = sizeof(mountain_car_continuous),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render};
