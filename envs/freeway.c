/* freeway.c: cross a road of eight lanes. The game of MinAtar (Young and Tian 2019), frame by
 * frame: the rules were found by playing it, tests/golden/minatar.json holds what it did.
 *
 * The player begins in row 9 of column 4. A step up or down keeps it from another one for two
 * frames, and so does one down from row 9, which leads nowhere; an episode begins with three
 * such frames. In each of rows 1 to 8 a car of pace 1 to 5 drives to the left or to the right by
 * one cell every 2 to 6 frames; past an edge it comes back at the other one. Who reaches row 0
 * earns 1 and begins anew in row 9, and all cars get a new pace and direction by chance, where they
 * are. Who meets a car, before or after the cars have moved, begins anew in row 9. An episode
 * begins with all cars in column 0 and is cut short after 2501 frames; nothing else ends it.
 * Channels: player, cars, and five for the cell behind a car: that of a car of pace 1, 2, ... 5.
 * (The description of MinAtar says that cars move every 1 to 5 frames, and 2500 frames.) */
#include "arcade.h"

enum { LANES = 8, PACES = 5, COLUMN = 4, HOME = 9, WAIT = 3, WIDTH = DEER_ARCADE_SIDE };

typedef struct car {
  int column, step; /* step: 1 to the right, -1 to the left */
  int pace;         /* one frame less than it needs for a cell */
  int timer;        /* frames until it moves */
} car;

typedef struct freeway {
  deer_arcade arcade;
  deer_list start_state; /* option */
  int row;               /* of the player */
  int wait;              /* frames in which it cannot move */
  car cars[LANES];       /* in row 1, 2, ... */
} freeway;

static void set_pace(car *c, int step, int pace) {
  c->step = step;
  c->pace = pace;
  c->timer = pace + 1;
}

static void draw_paces(freeway *f) {
  for (int i = 0; i < LANES; i++) {
    int step = 2 * deer_arcade_draw(&f->arcade, 2) - 1;
    set_pace(&f->cars[i], step, 1 + deer_arcade_draw(&f->arcade, PACES));
  }
}

static void start(deer_arcade *self) {
  freeway *f = (freeway *)self;
  f->row = HOME;
  f->wait = WAIT + 1;
  for (int i = 0; i < LANES; i++) f->cars[i].column = 0;
  draw_paces(f);
  for (int i = 0; i < LANES && f->start_state.n > 0; i++) {
    int pace = (int)f->start_state.at[LANES + i], step = pace < 0 ? -1 : 1;
    f->cars[i].column = (int)f->start_state.at[i];
    set_pace(&f->cars[i], step, pace * step);
  }
}

static void walk(freeway *f, deer_arcade_button button) {
  int step = button == DEER_ARCADE_UP ? -1 : button == DEER_ARCADE_DOWN ? 1 : 0;
  if (f->wait > 0) f->wait--;
  if (f->wait > 0 || step == 0) return;
  if (f->row + step <= HOME) f->row += step;
  f->wait = WAIT;
}

static bool is_hit(const freeway *f) {
  return f->row >= 1 && f->row <= LANES && f->cars[f->row - 1].column == COLUMN;
}

static void drive(freeway *f) {
  for (int i = 0; i < LANES; i++) {
    car *c = &f->cars[i];
    if (deer_arcade_due(&c->timer, c->pace + 1)) c->column = (c->column + c->step + WIDTH) % WIDTH;
  }
}

static double play(deer_arcade *self, deer_arcade_button button) {
  freeway *f = (freeway *)self;
  double reward = 0;
  walk(f, button);
  if (f->row == 0) {
    reward = 1;
    f->row = HOME;
    draw_paces(f);
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
    deer_arcade_mark(&channels[TRAILS + c->pace - 1], 1 + i, behind);
  }
}

static const deer_color colors[] = {{240, 200, 80, 255}, {204, 95, 80, 255}, {204, 95, 80, 150},
                                    {204, 95, 80, 120},  {204, 95, 80, 90},  {204, 95, 80, 65},
                                    {204, 95, 80, 45}};

static const deer_arcade_game game = {.n_channels = 2 + PACES,
                                      .colors = colors,
                                      .buttons = "024",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_WHOLES, offsetof(freeway, start_state), .min = -PACES, .max = 9,
     .choices = "column 1|column 2|column 3|column 4|column 5|column 6|column 7|column 8|"
                "pace 1|pace 2|pace 3|pace 4|pace 5|pace 6|pace 7|pace 8",
     .help = "of the cars when an episode begins: columns, and paces to the right (1 to 5: a cell "
             "every 2 to 6 frames) or the left (-1 to -5); drawn if not given"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(2501),
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *at = &((const freeway *)self)->start_state;
  (void)rng;
  deer_arcade_init(self, &game);
  for (int i = 0; i < LANES && at->n > 0; i++) {
    int column = (int)at->at[i], pace = (int)at->at[LANES + i];
    if (column < 0 || pace == 0 || pace > PACES)
      return deer_fail(DEER_EINVAL, "freeway: start_state: expected 8 columns of 0 to 9 and 8 "
                                    "paces of 1 to 5 or -1 to -5");
  }
  return DEER_OK;
}

const deer_env_class deer_env_freeway = {
    DEER_ARCADE_CLASS,
    .name = "freeway",
    .help = "MinAtar Freeway: cross a road of eight lanes on 10 x 10 cells; 1 each time",
    .size = sizeof(freeway),
    .fields = fields,
    .init = init};
