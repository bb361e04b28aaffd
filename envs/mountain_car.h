/* mountain_car.h: what the two mountain cars share. */
#ifndef DEER_ENVS_MOUNTAIN_CAR_H
#define DEER_ENVS_MOUNTAIN_CAR_H

#include "deer.h"

/* The bottom of the valley is at -pi / 6, the hill to climb on the right. */
typedef struct deer_mountain_car {
  deer_env base;
  deer_list start_state; /* option */
  double power, height;  /* options */
  double position, speed;
  double goal; /* the position that counts as up */
} deer_mountain_car;

/* Rows of the options of both. */
#define DEER_MOUNTAIN_CAR_OPTIONS                                                                  \
  {"start_state",                                                                                  \
   DEER_FIELD_LIST,                                                                                \
   offsetof(deer_mountain_car, start_state),                                                       \
   .min = -10,                                                                                     \
   .max = 10,                                                                                      \
   .choices = "position|speed",                                                                    \
   .help = "where every episode begins; at rest near the bottom if not given"},                    \
      {"power",                                                                                    \
       DEER_FIELD_REAL,                                                                            \
       offsetof(deer_mountain_car, power),                                                         \
       .fallback = 1,                                                                              \
       .min = 0,                                                                                   \
       .max = 1000,                                                                                \
       .help = "multiplies what the engine adds to the speed"},                                    \
  {                                                                                                \
    "height", DEER_FIELD_REAL, offsetof(deer_mountain_car, height),                                \
        .fallback = 1, .min = 0, .max = 1000, .help = "multiplies the height of the hills"         \
  }

/* Fills in what both have; the caller adds the actions to the space. */
void deer_mountain_car_init(deer_mountain_car *car, double goal);

/* One step; `push` is what an engine of power 1 adds to the speed. The wall on the left stops the
 * car. */
void deer_mountain_car_move(deer_mountain_car *car, double push);

bool deer_mountain_car_is_up(const deer_mountain_car *car);

/* Entries of the class, the same for both. */
deer_status deer_mountain_car_reset(deer_env *self, int mode, void *const *history);
deer_status deer_mountain_car_observe(deer_env *self, void *const *observation);
deer_status deer_mountain_car_ending(deer_env *self, deer_ending *how);
deer_status deer_mountain_car_render(deer_env *self, deer_canvas *canvas);

#endif
