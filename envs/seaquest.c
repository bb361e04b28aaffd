/* seaquest.c: rescue divers from among fish and submarines. After the description of MinAtar (Young
 * and Tian 2019); where that leaves something open the rule is ours.
 *
 * The player's submarine fills two cells, of which the front counts and the back shows where it
 * heads; it begins at the surface, row 0, in column 5, heading right, and moves by one cell in a
 * frame, in rows 0 to 8. It fires every 5 frames at most: a shot begins ahead of its front.
 * Enemies enter rows 1 to 8 at an edge: every 20 frames one appears, in a row and from a side by
 * chance, in one case of three a submarine, else a fish; none where another is in the way or swims
 * the other way. They move by one cell every 5 frames. A submarine fires a torpedo ahead of it 10
 * frames after it appeared, and every 10 frames from then on. Shots and torpedoes go one cell in a
 * frame. A shot that meets an enemy is gone with it and earns 1. An enemy or a torpedo on the
 * player's front ends the game.
 * Divers appear in the same way every 30 frames and move by one cell every 5. One that meets the
 * front is taken aboard, where there is room for 6.
 * Oxygen lasts for 200 frames under water; the game ends with it, and when the player surfaces
 * without a diver. With fewer than 6 one diver is set down, with 6 all are, which earns 1 for each
 * cell that the bar of oxygen still shows. Then there is oxygen again, and the game becomes harder,
 * if it is to: one frame less from one enemy to the next, down to 1, and, every other time, from
 * one step of theirs to the next, down to 2. Channels: front, back, shots, trail (the cell an enemy
 * or diver comes from), torpedoes, fish, submarines, oxygen and divers aboard (bars in row 9 from
 * the left; ten cells, six cells), divers.
 */
#include "arcade.h"

#include <string.h>

enum { WIDTH = DEER_ARCADE_SIDE, TOP = 1, ROWS = 8, BARS = 9, MOST = 32 };
enum { COOL = 5, APPEAR = 20, MOVE = 5, FASTEST = 2, RELOAD = 10 }; /* frames */
enum { DIVER_APPEAR = 30, DIVER_MOVE = 5, OXYGEN = 200, BERTHS = 6 };

typedef deer_arcade_thing thing;

typedef struct seaquest {
  deer_arcade arcade;
  deer_list start_state;    /* option */
  int row, column, heading; /* of the front; 1 is right, -1 left */
  int cool;                 /* frames without a shot */
  int oxygen, aboard;
  bool under; /* water, since the last time at the surface */
  thing enemy[MOST], diver[MOST], shot[MOST], torpedo[MOST];
  bool armed[MOST]; /* the enemy is a submarine */
  int reload[MOST]; /* frames until it fires */
  int appear_timer, appear_interval, move_timer, move_interval, level;
  int diver_appear_timer, diver_move_timer;
} seaquest;

static void start(deer_arcade *self) {
  seaquest *s = (seaquest *)self;
  memset(s->enemy, 0, sizeof s->enemy);
  memset(s->diver, 0, sizeof s->diver);
  memset(s->shot, 0, sizeof s->shot);
  memset(s->torpedo, 0, sizeof s->torpedo);
  s->row = 0, s->column = 5, s->heading = 1;
  s->cool = s->aboard = s->level = 0;
  s->oxygen = OXYGEN;
  s->under = false;
  if (s->start_state.n > 0) {
    const double *at = s->start_state.at;
    s->row = (int)at[0], s->column = (int)at[1], s->heading = at[2] < 0 ? -1 : 1;
    s->oxygen = (int)at[3], s->aboard = (int)at[4], s->under = s->row > 0;
  }
  s->appear_timer = s->appear_interval = APPEAR;
  s->move_timer = s->move_interval = MOVE;
  s->diver_appear_timer = DIVER_APPEAR;
  s->diver_move_timer = DIVER_MOVE;
}

/* ---- things ---- */

static void move_all(thing things[MOST]) {
  for (int i = 0; i < MOST; i++) {
    things[i].column += things[i].step;
    things[i].there = things[i].there && deer_arcade_on_board(things[i].row, things[i].column);
  }
}

/* the first that is in a cell; -1 for none */
static int find(const thing things[MOST], int row, int column) {
  for (int i = 0; i < MOST; i++)
    if (deer_arcade_is_at(&things[i], row, column)) return i;
  return -1;
}

/* puts one where there is room for it in the list; its place or -1 */
static int add(thing things[MOST], thing one) {
  for (int i = 0; i < MOST && deer_arcade_on_board(one.row, one.column); i++) {
    if (things[i].there) continue;
    things[i] = one;
    return i;
  }
  return -1;
}

/* enters at an edge; its place or -1 */
static int appear(seaquest *s, thing things[MOST]) {
  int row = TOP + deer_arcade_draw(&s->arcade, ROWS), right = deer_arcade_draw(&s->arcade, 2);
  thing one = {true, row, right ? 0 : WIDTH - 1, right ? 1 : -1};
  if (find(things, row, one.column) >= 0) return -1;
  for (int i = 0; i < MOST; i++)
    if (things[i].there && things[i].row == row && things[i].step != one.step) return -1;
  return add(things, one);
}

/* ---- one frame ---- */

static void steer(seaquest *s, deer_arcade_button button) {
  if (s->cool > 0) s->cool--;
  if (button == DEER_ARCADE_LEFT || button == DEER_ARCADE_RIGHT) {
    s->heading = button == DEER_ARCADE_LEFT ? -1 : 1;
    int column = s->column + s->heading;
    if (column >= 0 && column < WIDTH) s->column = column;
  }
  if (button == DEER_ARCADE_UP && s->row > 0) s->row--;
  if (button == DEER_ARCADE_DOWN && s->row < BARS - 1) s->row++;
  if (button == DEER_ARCADE_FIRE && s->cool == 0) {
    /* it flies in this frame already, from the front into the cell ahead */
    add(s->shot, (thing){true, s->row, s->column, s->heading});
    s->cool = COOL;
  }
}

/* what the front meets */
static void meet(seaquest *s) {
  int diver = find(s->diver, s->row, s->column);
  if (diver >= 0 && s->aboard < BERTHS) {
    s->diver[diver].there = false;
    s->aboard++;
  }
  if (find(s->enemy, s->row, s->column) >= 0 || find(s->torpedo, s->row, s->column) >= 0)
    s->arcade.over = true;
}

/* shots and enemies that met are gone; how many enemies */
static int strike(seaquest *s) {
  int n = 0;
  for (int i = 0; i < MOST; i++) {
    int enemy = s->shot[i].there ? find(s->enemy, s->shot[i].row, s->shot[i].column) : -1;
    if (enemy < 0) continue;
    s->shot[i].there = s->enemy[enemy].there = false;
    n++;
  }
  return n;
}

static void fire_torpedoes(seaquest *s) {
  for (int i = 0; i < MOST; i++) {
    if (!s->enemy[i].there || !s->armed[i] || !deer_arcade_due(&s->reload[i], RELOAD)) continue;
    thing torpedo = s->enemy[i];
    torpedo.column += torpedo.step;
    add(s->torpedo, torpedo);
  }
}

static int oxygen_cells(const seaquest *s) { return s->oxygen * WIDTH / OXYGEN; }

/* what reaching the surface earns */
static int surface(seaquest *s) {
  int reward = s->aboard == BERTHS ? oxygen_cells(s) : 0;
  if (s->aboard == 0) s->arcade.over = true;
  s->aboard = s->aboard == BERTHS || s->aboard == 0 ? 0 : s->aboard - 1;
  s->oxygen = OXYGEN;
  s->under = false;
  if (!s->arcade.ramping) return reward;
  if (s->appear_interval > 1) s->appear_interval--;
  if (++s->level % 2 == 0 && s->move_interval > FASTEST) s->move_interval--;
  return reward;
}

static int breathe(seaquest *s) {
  if (s->row == 0) return s->under ? surface(s) : 0;
  s->under = true;
  if (--s->oxygen == 0) s->arcade.over = true;
  return 0;
}

static void let_appear(seaquest *s) {
  if (deer_arcade_due(&s->appear_timer, s->appear_interval)) {
    int enemy = appear(s, s->enemy);
    bool armed = deer_arcade_draw(&s->arcade, 3) == 0;
    if (enemy >= 0) s->armed[enemy] = armed, s->reload[enemy] = RELOAD;
  }
  if (deer_arcade_due(&s->diver_appear_timer, DIVER_APPEAR)) appear(s, s->diver);
}

static double play(deer_arcade *self, deer_arcade_button button) {
  seaquest *s = (seaquest *)self;
  steer(s, button);
  meet(s);
  move_all(s->shot);
  int reward = strike(s);
  move_all(s->torpedo);
  if (deer_arcade_due(&s->move_timer, s->move_interval)) move_all(s->enemy);
  if (deer_arcade_due(&s->diver_move_timer, DIVER_MOVE)) move_all(s->diver);
  reward += strike(s);
  fire_torpedoes(s);
  meet(s);
  reward += breathe(s);
  let_appear(s);
  return reward;
}

/* ---- what is seen ---- */

enum { FRONT, BACK, SHOTS, TRAIL, TORPEDOES, FISH, SUBMARINES, OXYGEN_BAR, ABOARD, DIVERS };

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  const seaquest *s = (const seaquest *)self;
  deer_arcade_mark(&channels[FRONT], s->row, s->column);
  deer_arcade_mark(&channels[BACK], s->row, s->column - s->heading);
  for (int i = 0; i < oxygen_cells(s); i++) channels[OXYGEN_BAR][BARS][i] = 1;
  for (int i = 0; i < s->aboard; i++) channels[ABOARD][BARS][i] = 1;
  for (int i = 0; i < MOST; i++) {
    const thing *enemy = &s->enemy[i], *diver = &s->diver[i];
    const thing *shot = &s->shot[i], *torpedo = &s->torpedo[i];
    if (shot->there) deer_arcade_mark(&channels[SHOTS], shot->row, shot->column);
    if (torpedo->there) deer_arcade_mark(&channels[TORPEDOES], torpedo->row, torpedo->column);
    if (diver->there) {
      deer_arcade_mark(&channels[DIVERS], diver->row, diver->column);
      deer_arcade_mark(&channels[TRAIL], diver->row, diver->column - diver->step);
    }
    if (enemy->there) {
      int channel = s->armed[i] ? SUBMARINES : FISH;
      deer_arcade_mark(&channels[channel], enemy->row, enemy->column);
      deer_arcade_mark(&channels[TRAIL], enemy->row, enemy->column - enemy->step);
    }
  }
}

static const deer_color colors[] = {
    [FRONT] = {240, 200, 80, 255},      [BACK] = {240, 200, 80, 140},
    [SHOTS] = {225, 228, 232, 255},     [TRAIL] = {130, 135, 145, 110},
    [TORPEDOES] = {230, 120, 170, 255}, [FISH] = {105, 175, 110, 255},
    [SUBMARINES] = {204, 95, 80, 255},  [OXYGEN_BAR] = {78, 135, 190, 255},
    [ABOARD] = {150, 130, 200, 255},    [DIVERS] = {150, 130, 200, 255}};

static const deer_arcade_game game = {.n_channels = 10,
                                      .colors = colors,
                                      .buttons = "012345",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_LIST, offsetof(seaquest, start_state), .min = -1, .max = OXYGEN,
     .choices = "row|column|heading|oxygen|divers aboard",
     .help = "where every episode begins, in empty water; heading is 1 (right) or -1, oxygen the "
             "frames that it lasts"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(0),
    DEER_ARCADE_RAMPING,
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *start = &((const seaquest *)self)->start_state;
  const double *at = start->at;
  (void)rng;
  deer_arcade_init(self, &game);
  if (start->n == 0 || (at[0] >= 0 && at[0] < BARS && at[1] >= 0 && at[1] < WIDTH && at[3] >= 1 &&
                        at[4] >= 0 && at[4] <= BERTHS))
    return DEER_OK;
  return deer_fail(DEER_EINVAL, "seaquest: start_state: expected a row of 0 to 8, a column of 0 to "
                                "9, oxygen for 1 to 200 frames and 0 to 6 divers");
}

const deer_env_class deer_env_seaquest = {
    DEER_ARCADE_CLASS,
    .name = "seaquest",
    .help = "rescue divers among fish and submarines on 10 x 10 cells",
    .size = sizeof(seaquest),
    .fields = fields,
    .init = init};
