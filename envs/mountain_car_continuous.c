/* mountain_car_continuous.c: a car in a valley whose engine is too weak for the hill: it has to
 * swing. 100 for being up, minus a tenth of the squared push of each step, so doing nothing is the
 * best of the poor answers. Moore 1990, with the numbers of Gymnasium's MountainCarContinuous-v0.
 */
#include "mountain_car.h"

static const deer_field fields[] = {DEER_MOUNTAIN_CAR_FIELDS, DEER_ENV_MAX_STEPS(999), {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  deer_mountain_car_init((deer_mountain_car *)self, 0.45);
  self->space.actions = (deer_action_space){.size = 1, .low = {-1}, .high = {1}};
  return DEER_OK;
}

static double once(deer_mountain_car *car, double push) {
  static const double force = 0.0015;
  deer_mountain_car_move(car, push * force);
  return (deer_mountain_car_is_up(car) ? 100 : 0) - 0.1 * (push * push);
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  return deer_mountain_car_act(self, (double)*action, once, reward);
}

const deer_env_class deer_env_mountain_car_continuous = {
    DEER_MOUNTAIN_CAR_CLASS,
    .name = "mountain_car_continuous",
    .help = "swing a car out of a valley; 100 for it, minus what the pushes cost",
    .fields = fields,
    .init = init,
    .act = act};
