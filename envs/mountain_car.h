/* mountain_car.h: what the two mountain cars share. */
#ifndef DEER_ENVS_MOUNTAIN_CAR_H
#define DEER_ENVS_MOUNTAIN_CAR_H

#include "deer.h"

/* The bottom of the valley is at -pi / 6, the hill to climb on the right. */
typedef struct deer_mountain_car {
  deer_env base;
  deer_list start_state; /* options */
  int64_t frame_skip, time_limit;
  double bonus, reward_scale;
  bool split, start_anywhere;
  deer_rng rng[2]; /* of training and of tests: one does not disturb the other */
  double position, speed;
  double goal; /* the position that counts as up */
  int64_t steps;
} deer_mountain_car;

/* The options of both: terminated by a zero row. */
extern const deer_field deer_mountain_car_fields[];

/* Fills in what both have; the caller adds the actions to the space. `time_limit` is that of
 * Gymnasium. */
void deer_mountain_car_init(deer_mountain_car *car, const deer_rng *rng, double goal,
                            int64_t time_limit);

/* A step with an action as the options say; `once` makes one of Gymnasium's and returns its reward.
 */
typedef double deer_mountain_car_step(deer_mountain_car *car, double action);
deer_status deer_mountain_car_act(deer_env *self, double action, deer_mountain_car_step *once,
                                  double *reward);

/* `push` is what the engine adds to the speed. The wall on the left stops the car. */
void deer_mountain_car_move(deer_mountain_car *car, double push);

bool deer_mountain_car_is_up(const deer_mountain_car *car);

/* Entries of the class, the same for both. */
deer_status deer_mountain_car_reset(deer_env *self, int mode, void *const *history);
deer_status deer_mountain_car_observe(deer_env *self, void *const *observation);
deer_status deer_mountain_car_ending(deer_env *self, deer_ending *how);
deer_status deer_mountain_car_render(deer_env *self, deer_canvas *canvas);
deer_status deer_mountain_car_draw(deer_env *self, const void *const *observation,
                                   deer_canvas *canvas);

#endif
