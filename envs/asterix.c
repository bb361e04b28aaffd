/* asterix.c: gather treasure, keep away from enemies. The game of MinAtar (Young and Tian 2019),
 * frame by frame: the rules were found by playing it, tests/golden/minatar_asterix.json holds what
 * it did.
 *
 * The player begins in row 5, column 5 and moves by one cell in a frame, in rows 1 to 8. In each of
 * these rows there is room for one enemy or treasure, which enters at the left or the right edge
 * and crosses the board. In a frame
 *   - one appears in a free row, from a side, and in one case of three a treasure, all by chance:
 *     in frames 11, 21, 31...;
 *   - the player moves and meets what is there: a treasure is taken and earns 1, an enemy ends the
 *     game;
 *   - all of them move by one cell, what has just appeared too: in frames 6, 11, 16... Then the
 *     player meets what came.
 * If the game is to become harder, then in every 102nd frame: from then on one frame less lies
 * between appearances, and, every other time, between their steps, down to 1 each; what is under
 * way is not hastened. Channels: player, enemies, trail (the cell that an enemy or treasure comes
 * from, if on the board), treasures. */
#include "arcade.h"

#include <string.h>

enum { ROWS = 8, TOP = 1, WIDTH = DEER_ARCADE_SIDE }; /* those in which things move */
enum { FRAMES = 2 + 2 * ROWS, MOST_FRAMES = 10000 };  /* of start_state: where, and how many */
enum { APPEAR = 10, MOVE = 5, HARDER = 102 };         /* frames */

/* in a row, on its way along it */
typedef struct thing {
  bool there, treasure;
  int column, step; /* step: 1 to the right, -1 to the left */
} thing;

typedef struct asterix {
  deer_arcade arcade;
  deer_list start_state; /* option */
  int row, column;
  thing things[ROWS]; /* in row 1, 2, ... */
  int appear_timer, move_timer, harder_timer;
  int appear_interval, move_interval, level;
  bool appears, moves; /* something in this frame */
} asterix;

/* the things of start_state, of which 0 is none */
static void put_things(asterix *a) {
  const double *kind = a->start_state.at + 2, *column = kind + ROWS;
  for (int i = 0; i < ROWS; i++) {
    bool treasure = kind[i] > 1 || kind[i] < -1;
    a->things[i] = (thing){kind[i] != 0, treasure, (int)column[i], kind[i] < 0 ? -1 : 1};
  }
}

static void become_harder(asterix *a) {
  if (a->appear_interval > 1) a->appear_interval--;
  if (++a->level % 2 == 0 && a->move_interval > 1) a->move_interval--;
}

static void count_frame(asterix *a) {
  a->appears = deer_arcade_due(&a->appear_timer, a->appear_interval);
  a->moves = deer_arcade_due(&a->move_timer, a->move_interval);
  if (deer_arcade_due(&a->harder_timer, HARDER) && a->arcade.ramping) become_harder(a);
}

static void start(deer_arcade *self) {
  asterix *a = (asterix *)self;
  const double *at = a->start_state.at;
  bool given = a->start_state.n > 0;
  a->row = given ? (int)at[0] : 5;
  a->column = given ? (int)at[1] : 5;
  memset(a->things, 0, sizeof a->things);
  if (given) put_things(a);
  a->appear_interval = APPEAR, a->appear_timer = APPEAR + 1;
  a->move_interval = MOVE, a->move_timer = MOVE + 1;
  a->harder_timer = HARDER;
  a->level = 0;
  for (int n = given ? (int)at[FRAMES] : 0; n > 0; n--) count_frame(a);
}

static void walk(asterix *a, deer_arcade_button button) {
  if (button == DEER_ARCADE_LEFT && a->column > 0) a->column--;
  if (button == DEER_ARCADE_RIGHT && a->column < WIDTH - 1) a->column++;
  if (button == DEER_ARCADE_UP && a->row > TOP) a->row--;
  if (button == DEER_ARCADE_DOWN && a->row < TOP + ROWS - 1) a->row++;
}

/* what the player finds where it is: the reward */
static double meet(asterix *a) {
  thing *met = &a->things[a->row - TOP];
  if (!met->there || met->column != a->column) return 0;
  if (!met->treasure) {
    a->arcade.over = true;
    return 0;
  }
  met->there = false;
  return 1;
}

static void move_things(asterix *a) {
  for (int i = 0; i < ROWS; i++) {
    thing *t = &a->things[i];
    t->column += t->step;
    t->there = t->there && t->column >= 0 && t->column < WIDTH;
  }
}

static void appear(asterix *a) {
  int free[ROWS], n = 0;
  for (int i = 0; i < ROWS; i++)
    if (!a->things[i].there) free[n++] = i;
  if (n == 0) return;
  int i = free[deer_arcade_draw(&a->arcade, n)], right = deer_arcade_draw(&a->arcade, 2);
  bool treasure = deer_arcade_draw(&a->arcade, 3) == 0;
  a->things[i] = (thing){true, treasure, right ? 0 : WIDTH - 1, right ? 1 : -1};
}

static double play(deer_arcade *self, deer_arcade_button button) {
  asterix *a = (asterix *)self;
  count_frame(a);
  if (a->appears) appear(a);
  walk(a, button);
  double reward = meet(a);
  if (a->moves) {
    move_things(a);
    reward += meet(a);
  }
  return reward;
}

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  enum { PLAYER, ENEMIES, TRAIL, TREASURES };
  const asterix *a = (const asterix *)self;
  deer_arcade_mark(&channels[PLAYER], a->row, a->column);
  for (int i = 0; i < ROWS; i++) {
    const thing *t = &a->things[i];
    if (!t->there) continue;
    deer_arcade_mark(&channels[t->treasure ? TREASURES : ENEMIES], TOP + i, t->column);
    deer_arcade_mark(&channels[TRAIL], TOP + i, t->column - t->step);
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
    {"start_state", DEER_FIELD_WHOLES, offsetof(asterix, start_state), .min = -2,
     .max = MOST_FRAMES,
     .choices = "row|column|thing 1|thing 2|thing 3|thing 4|thing 5|thing 6|thing 7|thing 8|"
                "column 1|column 2|column 3|column 4|column 5|column 6|column 7|column 8|frames",
     .help = "where every episode begins; in rows 1 to 8, 0 is nothing, 1 an enemy on its way to "
             "the right, 2 a treasure, -1 and -2 those to the left; and after how many frames"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(0),
    DEER_ARCADE_RAMPING,
    {0}};

static bool is_column(double x) { return x >= 0 && x < WIDTH; }

static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *at = &((const asterix *)self)->start_state;
  (void)rng;
  deer_arcade_init(self, &game);
  if (at->n == 0) return DEER_OK;
  bool right = at->at[0] >= TOP && at->at[0] < TOP + ROWS && is_column(at->at[1]);
  for (int i = 0; i < ROWS; i++)
    right = right && at->at[2 + i] <= 2 && is_column(at->at[2 + ROWS + i]);
  if (right && at->at[FRAMES] >= 0) return DEER_OK;
  return deer_fail(DEER_EINVAL, "asterix: start_state: expected a row of 1 to 8, things of -2 to "
                                "2, columns of 0 to 9 and frames of 0 to 10000");
}

const deer_env_class deer_env_asterix = {
    DEER_ARCADE_CLASS,
    .name = "asterix",
    .help = "MinAtar Asterix: gather treasure among enemies on 10 x 10 cells; 1 for each",
    .size = sizeof(asterix),
    .fields = fields,
    .init = init};
