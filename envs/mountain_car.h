/* mountain_car.h: what the two mountain cars share. */
#ifndef DEER_ENVS_MOUNTAIN_CAR_H
#define DEER_ENVS_MOUNTAIN_CAR_H

#include "deer.h"

/* The bottom of the valley is at -pi / 6, the hill to climb on the right. */
typedef struct deer_mountain_car {
  double position, speed;
} deer_mountain_car;

/* One step; `push` is what the engine adds to the speed. The wall on the left stops the car. */
void deer_mountain_car_move(deer_mountain_car *car, double push);

/* Draws valley, car and a flag at `goal` on a canvas of these sides. */
enum { DEER_MOUNTAIN_CAR_WIDTH = 600, DEER_MOUNTAIN_CAR_HEIGHT = 400 };
void deer_mountain_car_draw(const deer_mountain_car *car, double goal, deer_canvas *canvas);

#endif
