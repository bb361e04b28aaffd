/* seaquest.c: rescue divers from among fish and submarines. The game of MinAtar (Young and Tian
 * 2019), frame by frame: the rules were found by playing it, tests/golden/minatar_seaquest.json
 * holds what it did.
 *
 * The player's submarine fills two cells, of which the front counts and the back shows where it
 * heads; it begins at the surface, row 0, in column 5, heading left, and moves by one cell in a
 * frame, in rows 0 to 8. It fires every 5 frames at most: a shot begins ahead of its front.
 * In frame 21 and every 20 from then on an enemy appears at an edge, in a row of 1 to 8 and from a
 * side by chance, in one case of three a submarine, else a fish; none does if one in that row goes
 * the other way. In frame 31 and every 30 from then on a diver appears, in any row. All of them
 * move by one cell every 6 frames, first in the sixth that they are there. A submarine fires a
 * torpedo ahead of it every 11 frames, first in the eleventh. Shots and torpedoes go one cell in a
 * frame.
 *
 * A frame goes as follows. What is to appear does, the player acts. Shots move; one on an enemy is
 * gone with it (a fish rather than a submarine, the older one rather than the other) and earns 1.
 * Then divers, fish, submarines and torpedoes move. A diver on the front, before or after it moves,
 * is taken aboard if there is room for it, up to 6. An enemy or a torpedo on the front, before or
 * after it moves, ends the game. An enemy that moves onto a shot is gone with it as above, though
 * a submarine still fires if it is its time.
 * Oxygen lasts for 200 frames under water; one more ends the game, wherever it leads. So does
 * surfacing with no diver aboard. Else one diver is set down; or all six, which earns 1 for each
 * cell that the bar of oxygen still shows, and one more than six: from then on the player owes a
 * diver. While it owes any, which shows as none aboard, it may surface as often as it likes and
 * owes one more each time. Surfacing fills up the oxygen and makes the game harder, if it is to
 * become so: one frame less from one enemy to the next, down to 1, and, every other time, from one
 * step of theirs to the next, down to 3. Channels: front, back, shots, trail (the cell an enemy or
 * diver comes from), torpedoes, fish, submarines, oxygen (up to ten cells of row 9 from column 0),
 * divers aboard (up to six that end in column 8), divers. */
#include "arcade.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = DEER_ARCADE_SIDE, TOP = 1, ROWS = 8, BARS = 9, MOST = 32 };
enum { COOL = 5, APPEAR = 20, MOVE = 6, FASTEST = 3, RELOAD = 11 }; /* frames */
enum { DIVER_APPEAR = 30, DIVER_MOVE = 6, OXYGEN = 200, BERTHS = 6 };

/* whatever goes along a row */
typedef struct swimmer {
  int row, column, step; /* step: 1 to the right, -1 to the left */
  int timer;             /* frames until it moves; unused where it moves in each */
  int reload;            /* frames until it fires, if it does */
} swimmer;

/* The eldest first. There is room for all: one comes each frame at most, for 30 frames then. */
typedef struct shoal {
  int n;
  swimmer at[MOST];
} shoal;

typedef enum kind { NOBODY, FISH, SUBMARINE, DIVER, SHOT, TORPEDO, KINDS } kind;

typedef struct seaquest {
  deer_arcade arcade;
  deer_list start_state;    /* option */
  int row, column, heading; /* of the front; 1 is right, -1 left */
  int cool;                 /* frames without a shot */
  int oxygen, aboard;
  bool under; /* water, since the last time at the surface */
  int n_hit;  /* enemies, in this frame */
  shoal sea[KINDS];
  int appear_timer, appear_interval, diver_timer, move_interval, level;
} seaquest;

/* ---- things in the sea ---- */

static void add(shoal *all, swimmer one) {
  if (all->n < MOST) all->at[all->n++] = one;
}

static void take_out(shoal *all, int i) {
  all->n--;
  memmove(&all->at[i], &all->at[i + 1], (size_t)(all->n - i) * sizeof all->at[0]);
}

/* takes out the eldest in a cell; false: there is none */
static bool take_out_at(shoal *all, int row, int column) {
  for (int i = 0; i < all->n; i++) {
    if (all->at[i].row != row || all->at[i].column != column) continue;
    take_out(all, i);
    return true;
  }
  return false;
}

static bool is_on_board(const swimmer *one) { return deer_arcade_on_board(one->row, one->column); }

static bool is_met(const seaquest *s, const swimmer *one) {
  return one->row == s->row && one->column == s->column;
}

/* one that has been there for `age` frames, at the first pace */
static swimmer arrival(int row, int step, int age) {
  int edge = step > 0 ? 0 : WIDTH - 1;
  return (swimmer){row, edge + step * (age / MOVE), step, MOVE - age % MOVE, RELOAD - age % RELOAD};
}

/* ---- the beginning ---- */

enum { AT_SEA = 5 }; /* the entry of the start state that tells of row 1 */

/* what an entry says of its row: the kind, 0 or more, and the age */
static div_t in_row(double entry) { return div(abs((int)entry), 100); }

static void start(deer_arcade *self) {
  seaquest *s = (seaquest *)self;
  const double *at = s->start_state.at;
  memset(s->sea, 0, sizeof s->sea);
  s->row = 0, s->column = 5, s->heading = -1;
  s->cool = s->aboard = s->level = 0;
  s->oxygen = OXYGEN;
  if (s->start_state.n > 0) {
    s->row = (int)at[0], s->column = (int)at[1], s->heading = at[2] < 0 ? -1 : 1;
    s->oxygen = (int)at[3], s->aboard = (int)at[4];
    for (int i = 0; i < ROWS; i++) {
      div_t entry = in_row(at[AT_SEA + i]);
      if (entry.quot > NOBODY)
        add(&s->sea[entry.quot], arrival(TOP + i, at[AT_SEA + i] < 0 ? -1 : 1, entry.rem));
    }
  }
  s->under = s->row > 0;
  s->appear_interval = APPEAR;
  s->appear_timer = APPEAR + 1; /* the first of each comes a frame late */
  s->diver_timer = DIVER_APPEAR + 1;
  s->move_interval = MOVE;
}

/* ---- one frame ---- */

static bool comes_against(const shoal *all, swimmer one) {
  for (int i = 0; i < all->n; i++)
    if (all->at[i].row == one.row && all->at[i].step != one.step) return true;
  return false;
}

static swimmer draw_arrival(seaquest *s, int move_interval) {
  int row = TOP + deer_arcade_draw(&s->arcade, ROWS);
  swimmer one = arrival(row, 2 * deer_arcade_draw(&s->arcade, 2) - 1, 0);
  one.timer = move_interval;
  return one;
}

static void let_appear(seaquest *s) {
  if (deer_arcade_due(&s->appear_timer, s->appear_interval)) {
    kind which = deer_arcade_draw(&s->arcade, 3) == 0 ? SUBMARINE : FISH;
    swimmer enemy = draw_arrival(s, s->move_interval);
    if (!comes_against(&s->sea[FISH], enemy) && !comes_against(&s->sea[SUBMARINE], enemy))
      add(&s->sea[which], enemy);
  }
  if (deer_arcade_due(&s->diver_timer, DIVER_APPEAR))
    add(&s->sea[DIVER], draw_arrival(s, DIVER_MOVE));
}

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
    add(&s->sea[SHOT], (swimmer){.row = s->row, .column = s->column, .step = s->heading});
    s->cool = COOL;
  }
}

/* what one does in a frame; true: it is gone after that */
typedef bool deed(seaquest *s, swimmer *one);

static void let_each(seaquest *s, kind which, deed *act) {
  shoal *all = &s->sea[which];
  for (int i = 0; i < all->n;) {
    if (act(s, &all->at[i]))
      take_out(all, i);
    else
      i++;
  }
}

static bool fly(seaquest *s, swimmer *shot) {
  shot->column += shot->step;
  bool hit = take_out_at(&s->sea[FISH], shot->row, shot->column) ||
             take_out_at(&s->sea[SUBMARINE], shot->row, shot->column);
  s->n_hit += hit;
  return hit || !is_on_board(shot);
}

static bool board(seaquest *s, const swimmer *diver) {
  if (!is_met(s, diver) || s->aboard == BERTHS) return false;
  s->aboard++;
  return true;
}

static bool dive(seaquest *s, swimmer *diver) {
  if (board(s, diver)) return true;
  if (!deer_arcade_due(&diver->timer, DIVER_MOVE)) return false;
  diver->column += diver->step;
  return board(s, diver) || !is_on_board(diver);
}

static void meet(seaquest *s, const swimmer *one) { s->arcade.over |= is_met(s, one); }

static bool swim(seaquest *s, swimmer *enemy) {
  meet(s, enemy);
  if (!deer_arcade_due(&enemy->timer, s->move_interval)) return false;
  enemy->column += enemy->step;
  meet(s, enemy);
  bool hit = take_out_at(&s->sea[SHOT], enemy->row, enemy->column);
  s->n_hit += hit;
  return hit || !is_on_board(enemy);
}

static bool swim_and_fire(seaquest *s, swimmer *submarine) {
  bool gone = swim(s, submarine);
  if (deer_arcade_due(&submarine->reload, RELOAD)) add(&s->sea[TORPEDO], *submarine);
  return gone;
}

static bool run(seaquest *s, swimmer *torpedo) {
  meet(s, torpedo);
  torpedo->column += torpedo->step;
  meet(s, torpedo);
  return !is_on_board(torpedo);
}

static int oxygen_cells(const seaquest *s) { return s->oxygen * WIDTH / OXYGEN; }

/* what reaching the surface earns */
static int surface(seaquest *s) {
  int reward = 0;
  s->under = false;
  if (s->aboard == 0) {
    s->arcade.over = true;
    return 0;
  }
  if (s->aboard == BERTHS) reward = oxygen_cells(s), s->aboard = 0;
  s->aboard--; /* in both cases; below 0 it owes some */
  s->oxygen = OXYGEN;
  if (!s->arcade.ramping) return reward;
  if (s->appear_interval > 1) s->appear_interval--;
  if (++s->level % 2 == 0 && s->move_interval > FASTEST) s->move_interval--;
  return reward;
}

static int breathe(seaquest *s) {
  if (s->oxygen == 0) s->arcade.over = true;
  if (s->row == 0) return s->under ? surface(s) : 0;
  s->under = true;
  s->oxygen--;
  return 0;
}

static double play(deer_arcade *self, deer_arcade_button button) {
  seaquest *s = (seaquest *)self;
  let_appear(s);
  steer(s, button);
  s->n_hit = 0;
  let_each(s, SHOT, fly);
  let_each(s, DIVER, dive);
  let_each(s, FISH, swim);
  let_each(s, SUBMARINE, swim_and_fire);
  let_each(s, TORPEDO, run);
  return s->n_hit + breathe(s);
}

/* ---- what is seen ---- */

enum { FRONT, BACK, SHOTS, TRAIL, TORPEDOES, FISHES, SUBMARINES, OXYGEN_BAR, ABOARD, DIVERS };

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  static const int channel[] = {[FISH] = FISHES,
                                [SUBMARINE] = SUBMARINES,
                                [DIVER] = DIVERS,
                                [SHOT] = SHOTS,
                                [TORPEDO] = TORPEDOES};
  const seaquest *s = (const seaquest *)self;
  deer_arcade_mark(&channels[FRONT], s->row, s->column);
  deer_arcade_mark(&channels[BACK], s->row, s->column - s->heading);
  for (int i = 0; i < oxygen_cells(s); i++) channels[OXYGEN_BAR][BARS][i] = 1;
  for (int i = 0; i < s->aboard; i++) channels[ABOARD][BARS][WIDTH - 2 - i] = 1;
  for (int k = FISH; k < KINDS; k++)
    for (int i = 0; i < s->sea[k].n; i++) {
      const swimmer *one = &s->sea[k].at[i];
      deer_arcade_mark(&channels[channel[k]], one->row, one->column);
      if (k <= DIVER) deer_arcade_mark(&channels[TRAIL], one->row, one->column - one->step);
    }
}

static const deer_color colors[] = {
    [FRONT] = {240, 200, 80, 255},      [BACK] = {240, 200, 80, 140},
    [SHOTS] = {225, 228, 232, 255},     [TRAIL] = {130, 135, 145, 110},
    [TORPEDOES] = {230, 120, 170, 255}, [FISHES] = {105, 175, 110, 255},
    [SUBMARINES] = {204, 95, 80, 255},  [OXYGEN_BAR] = {78, 135, 190, 255},
    [ABOARD] = {150, 130, 200, 255},    [DIVERS] = {150, 130, 200, 255}};

static const deer_arcade_game game = {.n_channels = 10,
                                      .colors = colors,
                                      .buttons = "012345",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_WHOLES, offsetof(seaquest, start_state), .min = -359, .max = 359,
     .choices = "row|column|heading|oxygen|divers aboard|row 1|row 2|row 3|row 4|row 5|row 6|row 7|"
                "row 8",
     .help = "where every episode begins; heading is 1 (right) or -1, oxygen the frames that it "
             "lasts. In rows 1 to 8 is a fish (100), a submarine (200), a diver (300) or nobody "
             "(0); added to it the frames, up to 59, that it has been there; negative on its way "
             "to the left"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(0),
    DEER_ARCADE_RAMPING,
    {0}};

static bool is_right(const double *at) {
  for (int i = 0; i < ROWS; i++) {
    div_t entry = in_row(at[AT_SEA + i]);
    if (entry.rem >= WIDTH * MOVE || (entry.quot == NOBODY && entry.rem > 0)) return false;
  }
  return at[0] >= 0 && at[0] < BARS && at[1] >= 0 && at[1] < WIDTH && deer_arcade_is_step(at[2]) &&
         at[3] >= 1 && at[3] <= OXYGEN && at[4] >= 0 && at[4] <= BERTHS;
}

static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *start = &((const seaquest *)self)->start_state;
  (void)rng;
  deer_arcade_init(self, &game);
  if (start->n == 0 || is_right(start->at)) return DEER_OK;
  return deer_fail(
      DEER_EINVAL,
      "seaquest: start_state: expected a row of 0 to 8, a column of 0 to 9, a "
      "heading of 1 or -1, oxygen for 1 to 200 frames, 0 to 6 divers, and for each of rows 1 to "
      "8 who is there: 0, or 100, 200, 300 and an age of 0 to 59, or minus that");
}

const deer_env_class deer_env_seaquest = {
    DEER_ARCADE_CLASS,
    .name = "seaquest",
    .help = "MinAtar Seaquest: rescue divers among fish and submarines on 10 x 10 cells",
    .size = sizeof(seaquest),
    .fields = fields,
    .init = init};
