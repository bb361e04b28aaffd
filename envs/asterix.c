/* asterix.c: gather treasure, keep away from enemies. After the description of MinAtar (Young and
 * Tian 2019); where that leaves something open the rule is ours.
 *
 * The player begins in row 5, column 5 and moves by one cell in a frame, in rows 1 to 8. In each of
 * these rows there is room for one enemy or treasure, which enters at the left or the right edge
 * and crosses the board. Every 10 frames one appears: in a free row, from a side, and in one case
 * of three a treasure, all by chance. All of them move by one cell every 5 frames. A treasure that
 * the player meets, by its own step or by theirs, is taken and earns 1; an enemy ends the game.
 * What has just appeared is seen before it counts. Every 100 frames the game becomes harder, if it
 * is to: one frame less from one appearance to the next, and, every other time, from one step of
 * theirs to the next, down to 1 each. Channels: player, enemies, trail (the cell that an enemy or
 * treasure comes from), treasures. */
#include "arcade.h"

#include <string.h>

enum { ROWS = 8, TOP = 1, WIDTH = DEER_ARCADE_SIDE }; /* those in which things move */
enum { APPEAR = 10, MOVE = 5, HARDER = 100 };         /* frames */

typedef struct asterix {
  deer_arcade arcade;
  int row, column;
  deer_arcade_thing thing[ROWS]; /* in row 1, 2, ... */
  bool treasure[ROWS];           /* the thing is one */
  int appear_timer, move_timer, harder_timer;
  int appear_interval, move_interval, level;
} asterix;

static void start(deer_arcade *self) {
  asterix *a = (asterix *)self;
  a->row = a->column = 5;
  memset(a->thing, 0, sizeof a->thing);
  a->appear_timer = a->appear_interval = APPEAR;
  a->move_timer = a->move_interval = MOVE;
  a->harder_timer = HARDER;
  a->level = 0;
}

static void walk(asterix *a, deer_arcade_button button) {
  if (button == DEER_ARCADE_LEFT && a->column > 0) a->column--;
  if (button == DEER_ARCADE_RIGHT && a->column < WIDTH - 1) a->column++;
  if (button == DEER_ARCADE_UP && a->row > TOP) a->row--;
  if (button == DEER_ARCADE_DOWN && a->row < TOP + ROWS - 1) a->row++;
}

/* what the player finds where it is: the reward */
static double meet(asterix *a) {
  int i = a->row - TOP;
  if (!deer_arcade_is_at(&a->thing[i], a->row, a->column)) return 0;
  if (!a->treasure[i]) a->arcade.over = true;
  a->thing[i].there = false;
  return a->treasure[i];
}

static void move_things(asterix *a) {
  for (int i = 0; i < ROWS; i++) {
    deer_arcade_thing *thing = &a->thing[i];
    thing->column += thing->step;
    thing->there = thing->there && deer_arcade_on_board(thing->row, thing->column);
  }
}

static void appear(asterix *a) {
  int free[ROWS], n = 0;
  for (int i = 0; i < ROWS; i++)
    if (!a->thing[i].there) free[n++] = i;
  if (n == 0) return;
  int i = free[deer_arcade_draw(&a->arcade, n)], right = deer_arcade_draw(&a->arcade, 2);
  a->treasure[i] = deer_arcade_draw(&a->arcade, 3) == 0;
  a->thing[i] = (deer_arcade_thing){true, TOP + i, right ? 0 : WIDTH - 1, right ? 1 : -1};
}

static void become_harder(asterix *a) {
  if (a->appear_interval > 1) a->appear_interval--;
  if (++a->level % 2 == 0 && a->move_interval > 1) a->move_interval--;
}

static double play(deer_arcade *self, deer_arcade_button button) {
  asterix *a = (asterix *)self;
  walk(a, button);
  double reward = meet(a);
  if (deer_arcade_due(&a->move_timer, a->move_interval)) {
    move_things(a);
    reward += meet(a);
  }
  if (deer_arcade_due(&a->appear_timer, a->appear_interval)) appear(a);
  if (deer_arcade_due(&a->harder_timer, HARDER) && self->ramping) become_harder(a);
  return reward;
}

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  enum { PLAYER, ENEMIES, TRAIL, TREASURES };
  const asterix *a = (const asterix *)self;
  deer_arcade_mark(&channels[PLAYER], a->row, a->column);
  for (int i = 0; i < ROWS; i++) {
    const deer_arcade_thing *thing = &a->thing[i];
    if (!thing->there) continue;
    deer_arcade_mark(&channels[a->treasure[i] ? TREASURES : ENEMIES], thing->row, thing->column);
    deer_arcade_mark(&channels[TRAIL], thing->row, thing->column - thing->step);
  }
}

static const deer_color colors[] = {
    {225, 228, 232, 255}, {204, 95, 80, 255}, {130, 135, 145, 110}, {240, 200, 80, 255}};

static const deer_arcade_game game = {.n_channels = 4,
                                      .colors = colors,
                                      .buttons = "01234",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    DEER_ARCADE_OPTIONS, DEER_ENV_MAX_STEPS(0), DEER_ARCADE_RAMPING, {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  deer_arcade_init(self, &game);
  return DEER_OK;
}

const deer_env_class deer_env_asterix = {
    DEER_ARCADE_CLASS,
    .name = "asterix",
    .help = "gather treasure among enemies on 10 x 10 cells; 1 for each",
    .size = sizeof(asterix),
    .fields = fields,
    .init = init};
