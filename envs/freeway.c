/* freeway.c: cross a road of eight lanes. After the description of MinAtar (Young and Tian 2019);
 * where that leaves something open the rule is ours.
 *
 * The player begins in row 9 of column 4. It goes up or down by one cell, and then not again for
 * two frames. In each of rows 1 to 8 a car drives to the left or to the right by one cell every 1
 * to 5 frames; past an edge it comes back at the other one. Who reaches row 0 earns 1 and begins
 * anew in row 9, and all cars get a new speed and direction by chance, where they are. Who meets a
 * car, before or after the cars have moved, begins anew in row 9. An episode is cut short after
 * 2500 frames; nothing else ends it.
 * Channels: player, cars, and five for the cell behind a car: that of a car which moves every
 * frame, every 2, ... every 5. */
#include "arcade.h"

enum { LANES = 8, SPEEDS = 5, COLUMN = 4, HOME = 9, WAIT = 3, WIDTH = DEER_ARCADE_SIDE };

typedef struct car {
  int column, step; /* step: 1 to the right, -1 to the left */
  int interval;     /* frames for a cell */
  int timer;        /* frames until it moves */
} car;

typedef struct freeway {
  deer_arcade arcade;
  deer_list start_state; /* option */
  int row;               /* of the player */
  int wait;              /* frames in which it cannot move */
  car cars[LANES];       /* in row 1, 2, ... */
} freeway;

static void draw_speeds(freeway *f) {
  for (int i = 0; i < LANES; i++) {
    car *c = &f->cars[i];
    c->step = 2 * deer_arcade_draw(&f->arcade, 2) - 1;
    c->interval = c->timer = 1 + deer_arcade_draw(&f->arcade, SPEEDS);
  }
}

static void start(deer_arcade *self) {
  freeway *f = (freeway *)self;
  f->row = HOME;
  f->wait = 0;
  for (int i = 0; i < LANES; i++) f->cars[i].column = deer_arcade_draw(self, WIDTH);
  draw_speeds(f);
  for (int i = 0; i < LANES && f->start_state.n > 0; i++) {
    int speed = (int)f->start_state.at[LANES + i], step = speed < 0 ? -1 : 1;
    f->cars[i] = (car){(int)f->start_state.at[i], step, speed * step, speed * step};
  }
}

static void walk(freeway *f, deer_arcade_button button) {
  int step = button == DEER_ARCADE_UP ? -1 : button == DEER_ARCADE_DOWN ? 1 : 0;
  if (f->wait > 0) f->wait--;
  if (f->wait > 0 || step == 0 || f->row + step > HOME) return;
  f->row += step;
  f->wait = WAIT;
}

static bool is_hit(const freeway *f) {
  return f->row >= 1 && f->row <= LANES && f->cars[f->row - 1].column == COLUMN;
}

static void drive(freeway *f) {
  for (int i = 0; i < LANES; i++) {
    car *c = &f->cars[i];
    if (deer_arcade_due(&c->timer, c->interval)) c->column = (c->column + c->step + WIDTH) % WIDTH;
  }
}

static double play(deer_arcade *self, deer_arcade_button button) {
  freeway *f = (freeway *)self;
  double reward = 0;
  walk(f, button);
  if (f->row == 0) {
    reward = 1;
    f->row = HOME;
    draw_speeds(f);
  }
  bool hit = is_hit(f);
  drive(f);
  if (hit || is_hit(f)) f->row = HOME;
  return reward;
}

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  enum { PLAYER, CARS, TRAILS };
  const freeway *f = (const freeway *)self;
  deer_arcade_mark(&channels[PLAYER], f->row, COLUMN);
  for (int i = 0; i < LANES; i++) {
    const car *c = &f->cars[i];
    int behind = (c->column - c->step + WIDTH) % WIDTH;
    deer_arcade_mark(&channels[CARS], 1 + i, c->column);
    deer_arcade_mark(&channels[TRAILS + c->interval - 1], 1 + i, behind);
  }
}

static const deer_color colors[] = {{240, 200, 80, 255}, {204, 95, 80, 255}, {204, 95, 80, 150},
                                    {204, 95, 80, 120},  {204, 95, 80, 90},  {204, 95, 80, 65},
                                    {204, 95, 80, 45}};

static const deer_arcade_game game = {.n_channels = 2 + SPEEDS,
                                      .colors = colors,
                                      .buttons = "024",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(freeway, start_state), .min = -SPEEDS, .max = 9,
     .choices = "column 1|column 2|column 3|column 4|column 5|column 6|column 7|column 8|"
                "speed 1|speed 2|speed 3|speed 4|speed 5|speed 6|speed 7|speed 8",
     .help = "of the cars when an episode begins: columns, and frames for a cell to the right "
             "(1 to 5) or the left (-1 to -5); drawn if not given"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(2500),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *at = &((const freeway *)self)->start_state;
  (void)rng;
  deer_arcade_init(self, &game);
  for (int i = 0; i < LANES && at->n > 0; i++) {
    int column = (int)at->at[i], speed = (int)at->at[LANES + i];
    if (column < 0 || speed == 0 || speed > SPEEDS)
      return deer_fail(DEER_EINVAL, "freeway: start_state: expected 8 columns of 0 to 9 and 8 "
                                    "speeds of 1 to 5 or -1 to -5");
  }
  return DEER_OK;
}

const deer_env_class deer_env_freeway = {
    DEER_ARCADE_CLASS,
    .name = "freeway",
    .help = "cross a road of eight lanes on 10 x 10 cells; 1 each time",
    .size = sizeof(freeway),
    .fields = fields,
    .init = init};
