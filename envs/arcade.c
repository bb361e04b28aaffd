/* arcade.c: what the games on a board of 10 x 10 cells share. */
#include "arcade.h"

#include <string.h>

enum { CELL = 32 }; /* pixels of the picture for a cell */

void deer_arcade_init(deer_env *self, const deer_arcade_game *game) {
  enum { ALL, MINIMAL };
  deer_arcade *arcade = (deer_arcade *)self;
  const char *buttons = arcade->actions == MINIMAL ? game->buttons : "012345";
  int n = (int)strlen(buttons);
  for (int i = 0; i < n; i++) arcade->button[i] = (deer_arcade_button)(buttons[i] - '0');
  arcade->game = game;
  self->space = (deer_space){.n_subjects = 1, .actions = {.n = n, .size = 1}};
  self->space.subjects[0] = (deer_subject){
      1, DEER_SHAPE(game->n_channels, DEER_ARCADE_SIDE, DEER_ARCADE_SIDE), DEER_DTYPE_U8};
  self->picture_width = self->picture_height = DEER_ARCADE_SIDE * CELL;
}

deer_status deer_arcade_reset(deer_env *self, int mode, void *const *history) {
  deer_arcade *arcade = (deer_arcade *)self;
  (void)mode, (void)history; /* nothing came before */
  arcade->last = DEER_ARCADE_NOTHING;
  arcade->over = false;
  arcade->game->start(arcade);
  return DEER_OK;
}

deer_status deer_arcade_act(deer_env *self, const deer_real *action, double *reward) {
  deer_arcade *arcade = (deer_arcade *)self;
  bool again = arcade->sticky > 0 && deer_rng_uniform(deer_env_rng(self)) < arcade->sticky;
  if (!again) arcade->last = arcade->button[(int)*action];
  *reward = arcade->game->play(arcade, arcade->last);
  return DEER_OK;
}

static void paint(const deer_arcade *arcade, deer_arcade_board *channels) {
  memset(channels, 0, (size_t)arcade->game->n_channels * sizeof *channels);
  arcade->game->paint(arcade, channels);
}

deer_status deer_arcade_observe(deer_env *self, void *const *observation) {
  paint((const deer_arcade *)self, observation[0]);
  return DEER_OK;
}

deer_status deer_arcade_ending(deer_env *self, deer_ending *how) {
  *how = ((const deer_arcade *)self)->over ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

deer_status deer_arcade_render(deer_env *self, deer_canvas *canvas) {
  static const deer_color ground = {28, 32, 40, 255}, lines = {38, 43, 53, 255};
  const deer_arcade *arcade = (const deer_arcade *)self;
  deer_arcade_board channels[DEER_ARCADE_MOST_CHANNELS];
  paint(arcade, channels);
  deer_canvas_fill(canvas, lines);
  for (int row = 0; row < DEER_ARCADE_SIDE; row++) {
    for (int column = 0; column < DEER_ARCADE_SIDE; column++) {
      deer_rect cell = {column * CELL + 1, row * CELL + 1, CELL - 2, CELL - 2};
      deer_canvas_rect(canvas, cell, ground);
      for (int c = 0; c < arcade->game->n_channels; c++)
        if (channels[c][row][column]) deer_canvas_rect(canvas, cell, arcade->game->colors[c]);
    }
  }
  return DEER_OK;
}

int deer_arcade_draw(deer_arcade *self, int n) {
  return (int)deer_rng_below(deer_env_rng(&self->base), (uint64_t)n);
}

void deer_arcade_mark(deer_arcade_board *channel, int row, int column) {
  if (deer_arcade_on_board(row, column)) (*channel)[row][column] = 1;
}

bool deer_arcade_due(int *timer, int interval) {
  if (--*timer > 0) return false;
  *timer = interval;
  return true;
}
