/* breakout.c: break bricks with a ball that a paddle sends back. The game of MinAtar (Young and
 * Tian 2019), frame by frame: the rules were found by playing it,
 * tests/golden/minatar_breakout.json holds what it did.
 *
 * Bricks fill rows 1 to 3. The paddle, one cell wide, begins in column 4 of row 9 and moves by one
 * column in a frame. The ball begins at the left or the right edge of row 3, by chance, on its way
 * down and inwards, and goes one cell along a diagonal in a frame:
 *   - at a side it stays in its column for a frame and comes back, at the top it stays in its row;
 *   - a brick in the cell it would enter breaks, which earns 1, and the ball stays in its row and
 *     comes back. In the frame after that none breaks: it passes over the brick, which stays;
 *   - from row 8 it comes back from the paddle. Above the paddle's cell it goes on to the same
 *     side; where the paddle is in the cell ahead of it, it is sent back to the other side;
 *   - past the paddle it enters row 9, which ends the game.
 * Once all bricks are broken there are new ones in the next frame in which the ball would enter
 * row 9. Channels: paddle, ball, trail (where the ball was one frame before), bricks. */
#include "arcade.h"

#include <string.h>

enum { TOP_BRICKS = 1, BRICK_ROWS = 3, START_ROW = 3, PADDLE_ROW = 9, WIDTH = DEER_ARCADE_SIDE };

typedef struct breakout {
  deer_arcade arcade;
  deer_list start_state; /* option */
  int paddle;            /* its column */
  int row, column;       /* of the ball */
  int down, right;       /* its direction: 1 or -1 */
  int last_row, last_column;
  bool broke; /* a brick in the frame before */
  int n_bricks;
  bool brick[BRICK_ROWS][WIDTH];
} breakout;

static void add_bricks(breakout *b) {
  memset(b->brick, true, sizeof b->brick);
  b->n_bricks = BRICK_ROWS * WIDTH;
}

static void start(deer_arcade *self) {
  breakout *b = (breakout *)self;
  b->paddle = 4;
  b->row = START_ROW;
  b->column = deer_arcade_draw(self, 2) * (WIDTH - 1);
  b->down = 1;
  b->right = b->column == 0 ? 1 : -1;
  const double *at = b->start_state.at;
  if (b->start_state.n > 0) {
    b->paddle = (int)at[0], b->row = (int)at[1], b->column = (int)at[2];
    b->down = at[3] < 0 ? -1 : 1, b->right = at[4] < 0 ? -1 : 1;
  }
  b->last_row = b->row, b->last_column = b->column;
  b->broke = false;
  add_bricks(b);
}

static void move_paddle(breakout *b, deer_arcade_button button) {
  if (button == DEER_ARCADE_LEFT && b->paddle > 0) b->paddle--;
  if (button == DEER_ARCADE_RIGHT && b->paddle < WIDTH - 1) b->paddle++;
}

static bool break_brick(breakout *b, int row, int column) {
  int r = row - TOP_BRICKS;
  if (b->broke || r < 0 || r >= BRICK_ROWS || !b->brick[r][column]) return false;
  b->brick[r][column] = false;
  b->n_bricks--;
  return true;
}

/* Moves the ball; the reward. */
static double move_ball(breakout *b) {
  int row = b->row + b->down, column = b->column + b->right;
  bool broke = false, back = false; /* back: the way up or down is blocked */
  b->last_row = b->row, b->last_column = b->column;
  if (column < 0 || column >= WIDTH) {
    column = b->column;
    b->right = -b->right;
  }
  if (row < 0) {
    back = true;
  } else if (row == PADDLE_ROW) {
    if (b->n_bricks == 0) add_bricks(b);
    back = b->paddle == b->column || b->paddle == column;
    if (b->paddle != b->column && back) b->right = -b->right;
  } else {
    back = broke = break_brick(b, row, column);
  }
  if (back) {
    row = b->row;
    b->down = -b->down;
  }
  b->row = row, b->column = column;
  b->broke = broke;
  return broke;
}

static double play(deer_arcade *self, deer_arcade_button button) {
  breakout *b = (breakout *)self;
  move_paddle(b, button);
  double reward = move_ball(b);
  self->over = b->row >= PADDLE_ROW;
  return reward;
}

static void paint(const deer_arcade *self, deer_arcade_board *channels) {
  enum { PADDLE, BALL, TRAIL, BRICK };
  const breakout *b = (const breakout *)self;
  deer_arcade_mark(&channels[PADDLE], PADDLE_ROW, b->paddle);
  deer_arcade_mark(&channels[BALL], b->row, b->column);
  deer_arcade_mark(&channels[TRAIL], b->last_row, b->last_column);
  for (int r = 0; r < BRICK_ROWS; r++)
    for (int c = 0; c < WIDTH; c++) channels[BRICK][TOP_BRICKS + r][c] = b->brick[r][c];
}

static const deer_color colors[] = {
    {225, 228, 232, 255}, {240, 200, 80, 255}, {240, 200, 80, 90}, {204, 95, 80, 220}};

static const deer_arcade_game game = {.n_channels = 4,
                                      .colors = colors,
                                      .buttons = "013",
                                      .start = start,
                                      .play = play,
                                      .paint = paint};

static const deer_field fields[] = {
    {"start_state", DEER_FIELD_WHOLES, offsetof(breakout, start_state), .min = -1, .max = 9,
     .choices = "paddle|row of the ball|its column|its step down|its step to the right",
     .help = "where every episode begins, steps being 1 or -1; drawn if not given"},
    DEER_ARCADE_OPTIONS,
    DEER_ENV_MAX_STEPS(0),
    {0}};

/* the ball begins above the paddle's row, on the board */
static deer_status init(deer_env *self, const deer_rng *rng) {
  const deer_list *at = &((const breakout *)self)->start_state;
  (void)rng;
  deer_arcade_init(self, &game);
  if (at->n == 0) return DEER_OK;
  bool right = at->at[0] >= 0 && at->at[1] >= 0 && at->at[1] < PADDLE_ROW && at->at[2] >= 0;
  if (right && deer_arcade_is_step(at->at[3]) && deer_arcade_is_step(at->at[4])) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "breakout: start_state: expected columns of 0 to 9, a row of 0 to 8 "
                   "and steps of 1 or -1");
}

const deer_env_class deer_env_breakout = {
    DEER_ARCADE_CLASS,
    .name = "breakout",
    .help = "MinAtar Breakout: break bricks with a ball and a paddle on 10 x 10 cells; 1 for each",
    .size = sizeof(breakout),
    .fields = fields,
    .init = init};
