/* space_invaders.c: shoot aliens before they land. The game of MinAtar (Young and Tian 2019), frame
 * by frame: the rules were found by playing it, tests/golden/minatar_space_invaders.json holds what
 * it did.
 *
 * The cannon begins in row 9, column 5. In a frame it moves by one column or fires, the latter
 * every 5 frames at most; a shot begins in row 8. 24 aliens begin in rows 0 to 3 of columns 2 to 7,
 * on their way to the left. All of them move together by one column, first in frame 13; if one
 * would leave the board they move down by one row instead, and turn. The next time is 12 frames
 * later, or as many as there are aliens if those are fewer. In frame 11 and every 10 from then on
 * the lowest alien of the column nearest to the cannon (the left one of two) drops a bomb, which
 * begins where it is. Shots and bombs go one row in a frame and do not touch each other. A shot on
 * an alien, looked for once in a frame when all have moved, is gone with it and earns 1. The game
 * ends when a bomb or an alien is on the cannon, before or after the aliens move, and when they
 * turn with one in row 9. After the last alien a wave begins as the first did, but it goes on in
 * the direction and at the time of the last; if the game is to become harder it moves every 11
 * frames, the one after it every 10, and so on to 6.
 * Channels: cannon, aliens, aliens on their way to the left, to the right, shots, bombs. */
#include "arcade.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = DEER_ARCADE_SIDE, GROUND = SIDE - 1 };
enum { WAVE_ROWS = 4, WAVE_COLUMNS = 6, WAVE_LEFT = 2 };
enum { COOL = 5, MOVE = 12, FASTEST_WAVE = 6, BOMB = 10 }; /* frames */

typedef struct space_invaders {
  deer_arcade arcade;
  deer_list start_state; /* option */
  int cannon;            /* its column */
  int cool;              /* frames without a shot */
  int step;              /* of the aliens: 1 to the right, -1 to the left */
  int n_aliens, move_interval, move_timer, bomb_timer;
  deer_arcade_board aliens, shots, bombs;
} space_invaders;

/* its top left corner; later waves begin at the top */
static void begin_wave(space_invaders *g, int top, int left) {
  memset(g->aliens, 0, sizeof g->aliens);
  for (int row = 0; row < WAVE_ROWS; row++)
    for (int column = 0; column < WAVE_COLUMNS; column++) g->aliens[top + row][left + column] = 1;
  g->n_aliens = WAVE_ROWS * WAVE_COLUMNS;
}

static void start(deer_arcade *self) {
  space_invaders *g = (space_invaders *)self;
  g->cannon = 5;
  g->cool = 0;
  g->step = -1;
  g->move_interval = MOVE;
  g->move_timer = MOVE + 1; /* the first of each comes a frame late */
  g->bomb_timer = BOMB + 1;
  memset(g->shots, 0, sizeof g->shots);
  memset(g->bombs, 0, sizeof g->bombs);
  const double *at = g->start_state.at;
  bool given = g->start_state.n > 0;
  if (given) g->cannon = (int)at[0];
  begin_wave(g, given ? (int)at[1] : 0, given ? (int)at[2] : WAVE_LEFT);
  if (given && at[3] > 0) g->step = 1;
}

static void act(space_invaders *g, deer_arcade_button button) {
  if (g->cool > 0) g->cool--;
  if (button == DEER_ARCADE_LEFT && g->cannon > 0) g->cannon--;
  if (button == DEER_ARCADE_RIGHT && g->cannon < SIDE - 1) g->cannon++;
  if (button == DEER_ARCADE_FIRE && g->cool == 0) {
    /* it flies in this frame already, from the cannon into the row above */
    g->shots[GROUND][g->cannon] = 1;
    g->cool = COOL;
  }
}

/* all of a board by one row, up (-1) or down (1); what leaves it is gone */
static void shift_rows(deer_arcade_board board, int down) {
  size_t rest = (SIDE - 1) * sizeof board[0];
  memmove(down > 0 ? board[1] : board[0], down > 0 ? board[0] : board[1], rest);
  memset(board[down > 0 ? 0 : SIDE - 1], 0, sizeof board[0]);
}

static void shift_columns(deer_arcade_board board, int right) {
  for (int row = 0; row < SIDE; row++) {
    memmove(board[row] + (right > 0), board[row] + (right < 0), SIDE - 1);
    board[row][right > 0 ? 0 : SIDE - 1] = 0;
  }
}

/* shots and aliens in the same cell are gone; how many aliens */
static int hit(space_invaders *g) {
  int n = 0;
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++)
      if (g->shots[row][column] && g->aliens[row][column]) {
        g->shots[row][column] = g->aliens[row][column] = 0;
        n++;
      }
  g->n_aliens -= n;
  return n;
}

static bool any_in_column(deer_arcade_board board, int column) {
  for (int row = 0; row < SIDE; row++)
    if (board[row][column]) return true;
  return false;
}

static void move_aliens(space_invaders *g) {
  if (any_in_column(g->aliens, g->step > 0 ? SIDE - 1 : 0)) {
    uint8_t landed[SIDE]; /* end the game, and come out at the top */
    memcpy(landed, g->aliens[GROUND], sizeof landed);
    shift_rows(g->aliens, 1);
    memcpy(g->aliens[0], landed, sizeof landed);
    g->arcade.over |= memchr(landed, 1, sizeof landed) != NULL;
    g->step = -g->step;
  } else {
    shift_columns(g->aliens, g->step);
  }
}

static void drop_bomb(space_invaders *g) {
  int nearest = -1;
  for (int column = 0; column < SIDE; column++)
    if (any_in_column(g->aliens, column) &&
        (nearest < 0 || abs(column - g->cannon) < abs(nearest - g->cannon)))
      nearest = column;
  int row = GROUND; /* there is a column: the last alien gave way to a new wave */
  while (!g->aliens[row][nearest]) row--;
  g->bombs[row][nearest] = 1;
}

static bool is_lost(const space_invaders *g) {
  return g->aliens[GROUND][g->cannon] || g->bombs[GROUND][g->cannon];
}

static double play(deer_arcade *self, deer_arcade_button button) {
  space_invaders *g = (space_invaders *)self;
  act(g, button);
  shift_rows(g->shots, -1);
  shift_rows(g->bombs, 1);
  self->over = is_lost(g);
  int pace = g->n_aliens < g->move_interval ? g->n_aliens : g->move_interval;
  if (deer_arcade_due(&g->move_timer, pace)) {
    move_aliens(g);
    self->over |= is_lost(g);
  }
  if (deer_arcade_due(&g->bomb_timer, BOMB)) drop_bomb(g);
  int n_hit = hit(g);
  if (g->n_aliens == 0) {
    if (self->ramping && g->move_interval > FASTEST_WAVE) g->move_interval--;
    begin_wave(g, 0, WAVE_LEFT);
  }
  return n_hit;
}

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  enum { CANNON, ALIENS, TO_LEFT, TO_RIGHT, SHOTS, BOMBS };
  const space_invaders *g = (const space_invaders *)self;
  deer_arcade_mark(&channels[CANNON], GROUND, g->cannon);
  memcpy(channels[ALIENS], g->aliens, sizeof g->aliens);
  memcpy(channels[g->step > 0 ? TO_RIGHT : TO_LEFT], g->aliens, sizeof g->aliens);
  memcpy(channels[SHOTS], g->shots, sizeof g->shots);
  memcpy(channels[BOMBS], g->bombs, sizeof g->bombs);
}

static const deer_color colors[] = {{225, 228, 232, 255}, {105, 175, 110, 255}, {60, 110, 90, 90},
                                    {150, 190, 90, 90},   {240, 200, 80, 255},  {204, 95, 80, 255}};

static const deer_arcade_game game = {.n_channels = 6,
                                      .colors = colors,
                                      .buttons = "0135",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_WHOLES, offsetof(space_invaders, start_state), .min = -1, .max = 9,
     .choices = "column of the cannon|top row of the aliens|their left column|their step",
     .help = "where every episode begins; the step is 1 (to the right) or -1"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(0),
    DEER_ARCADE_RAMPING,
    {0}};

/* no alien on the ground or beside the board */
static deer_status init(deer_env *self, const deer_rng *rng) {
  enum { LOWEST = GROUND - WAVE_ROWS, LAST = SIDE - WAVE_COLUMNS };
  const deer_list *start = &((const space_invaders *)self)->start_state;
  const double *at = start->at;
  (void)rng;
  deer_arcade_init(self, &game);
  if (start->n == 0) return DEER_OK;
  bool right = at[0] >= 0 && at[1] >= 0 && at[1] <= LOWEST && at[2] >= 0 && at[2] <= LAST;
  if (right && deer_arcade_is_step(at[3])) return DEER_OK;
  return deer_fail(DEER_EINVAL, "space_invaders: start_state: expected a column of 0 to 9, a top "
                                "row of 0 to 5, a left column of 0 to 4 and a step of 1 or -1");
}

const deer_env_class deer_env_space_invaders = {
    DEER_ARCADE_CLASS,
    .name = "space_invaders",
    .help = "MinAtar Space Invaders: shoot aliens before they land on 10 x 10 cells; 1 for each",
    .size = sizeof(space_invaders),
    .fields = fields,
    .init = init};
