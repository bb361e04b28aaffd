/* mountain_car.h: what the two mountain cars share. */
#ifndef DEER_ENVS_MOUNTAIN_CAR_H
#define DEER_ENVS_MOUNTAIN_CAR_H

#include "deer.h"

/* The bottom of the valley is at -pi / 6, the hill to climb on the right. */
typedef struct deer_mountain_car {
  deer_env base;
  deer_list start_state; /* options */
  int64_t frame_skip;
  double bonus, reward_scale, power, height;
  bool split, start_anywhere;
  double position, speed;
  double goal; /* the position that counts as up */
} deer_mountain_car;

/* The options of both, but for the time limit and the row that ends the table. */
/* clang-format off */
#define DEER_MOUNTAIN_CAR_FIELDS                                                                   \
  {"start_state", DEER_FIELD_LIST, offsetof(deer_mountain_car, start_state),                       \
   .min = -10, .max = 10, .choices = "position|speed",                                             \
   .help = "where every episode begins; at rest near the bottom if not given"},                    \
  {"frame_skip", DEER_FIELD_INT, offsetof(deer_mountain_car, frame_skip),                          \
   .fallback = 1, .min = 1, .max = 1000,                                                           \
   .help = "moves of the car in a step, whose rewards add up"},                                    \
  {"bonus", DEER_FIELD_REAL, offsetof(deer_mountain_car, bonus),                                   \
   .min = -1e6, .max = 1e6, .help = "a reward for being up"},                                      \
  {"reward_scale", DEER_FIELD_REAL, offsetof(deer_mountain_car, reward_scale),                     \
   .fallback = 1, .min = -1e6, .max = 1e6, .help = "multiplies all rewards"},                      \
  {"split", DEER_FIELD_BOOL, offsetof(deer_mountain_car, split),                                   \
   .help = "position and speed are observed as two subjects, as in DeeR"},                         \
  {"start_anywhere", DEER_FIELD_BOOL, offsetof(deer_mountain_car, start_anywhere),                 \
   .help = "training begins anywhere, at any speed, as in DeeR"},                                  \
  {"power", DEER_FIELD_REAL, offsetof(deer_mountain_car, power),                                   \
   .fallback = 1, .min = 0, .max = 1000,                                                           \
   .help = "multiplies what the engine adds to the speed"},                                        \
  {"height", DEER_FIELD_REAL, offsetof(deer_mountain_car, height),                                 \
   .fallback = 1, .min = 0, .max = 1000, .help = "multiplies the height of the hills"}
/* clang-format on */

/* Fills in what both have; the caller adds the actions to the space. */
void deer_mountain_car_init(deer_mountain_car *car, double goal);

/* A step as the options say; `once` makes one of Gymnasium's and returns its reward. */
typedef double deer_mountain_car_step(deer_mountain_car *car, double action);
deer_status deer_mountain_car_act(deer_env *self, double action, deer_mountain_car_step *once,
                                  double *reward);

/* `push` is what an engine of power 1 adds to the speed. The wall on the left stops the car. */
void deer_mountain_car_move(deer_mountain_car *car, double push);

bool deer_mountain_car_is_up(const deer_mountain_car *car);

/* Entries of the class, the same for both. */
deer_status deer_mountain_car_reset(deer_env *self, int mode, void *const *history);
deer_status deer_mountain_car_observe(deer_env *self, void *const *observation);
deer_status deer_mountain_car_ending(deer_env *self, deer_ending *how);
deer_status deer_mountain_car_render(deer_env *self, deer_canvas *canvas);
deer_status deer_mountain_car_draw(deer_env *self, const void *const *observation,
                                   deer_canvas *canvas);

#define DEER_MOUNTAIN_CAR_CLASS                                                                    \
  .abi = DEER_ENV_ABI, .size = sizeof(deer_mountain_car), .reset = deer_mountain_car_reset,        \
  .observe = deer_mountain_car_observe, .ending = deer_mountain_car_ending,                        \
  .render = deer_mountain_car_render, .draw = deer_mountain_car_draw

#endif
