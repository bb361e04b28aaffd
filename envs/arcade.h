/* arcade.h: what the games on a board of 10 x 10 cells share. They are those of MinAtar (Young and
 * Tian 2019, arXiv:1903.03176), frame by frame: the rules, with which each file begins, were found
 * by playing version 1.0.15. Here alone the first frame of an episode repeats no action of the
 * episode before, so that a test leaves no trace in training.
 *
 * A game is observed as bytes [channels, rows, columns], 1 where something is; row 0 is the top. It
 * has six buttons, all of which are actions unless only those that do something are asked for. With
 * a small probability the button of the frame before is pressed again instead (sticky actions). */
#ifndef DEER_ENVS_ARCADE_H
#define DEER_ENVS_ARCADE_H

#include "deer.h"

enum { DEER_ARCADE_SIDE = 10, DEER_ARCADE_MOST_CHANNELS = 10, DEER_ARCADE_BUTTONS = 6 };

/* in the order of the actions */
typedef enum deer_arcade_button {
  DEER_ARCADE_NOTHING,
  DEER_ARCADE_LEFT,
  DEER_ARCADE_UP,
  DEER_ARCADE_RIGHT,
  DEER_ARCADE_DOWN,
  DEER_ARCADE_FIRE
} deer_arcade_button;

typedef uint8_t deer_arcade_board[DEER_ARCADE_SIDE][DEER_ARCADE_SIDE]; /* one channel */

typedef struct deer_arcade deer_arcade;

typedef struct deer_arcade_game {
  int n_channels;
  const deer_color *colors; /* of the channels; later ones are drawn over earlier ones */
  const char *buttons;      /* those that do something: "013" */

  void (*start)(deer_arcade *self); /* an episode */

  /* One frame; returns the reward and sets self->over at the end of the game. */
  double (*play)(deer_arcade *self, deer_arcade_button button);

  /* Marks in each channel, zeroed before, what is where. */
  void (*paint)(const deer_arcade *self, deer_arcade_board *channels);
} deer_arcade_game;

/* The instance of a game begins with one. */
struct deer_arcade {
  deer_env base;
  double sticky; /* options */
  int actions;
  bool ramping; /* of games that become harder */
  const deer_arcade_game *game;
  deer_arcade_button button[DEER_ARCADE_BUTTONS]; /* of the actions */
  deer_arcade_button last;                        /* of the last frame */
  bool over;
};

/* Rows of the options: those of every game, and one of those that become harder. */
#define DEER_ARCADE_STICKY                                                                         \
  {                                                                                                \
    "sticky", DEER_FIELD_REAL, offsetof(deer_arcade, sticky),                                      \
        .fallback = 0.1, .max = 1,                                                                 \
        .help = "how often the last action is done again instead of the new one"                   \
  }
#define DEER_ARCADE_ACTIONS                                                                        \
  {                                                                                                \
    "actions", DEER_FIELD_CHOICE, offsetof(deer_arcade, actions),                                  \
        .choices = "all|minimal",                                                                  \
        .help = "all six: nothing, left, up, right, down, fire; or those that do something"        \
  }
#define DEER_ARCADE_OPTIONS DEER_ARCADE_STICKY, DEER_ARCADE_ACTIONS
#define DEER_ARCADE_RAMPING                                                                        \
  {                                                                                                \
    "ramping", DEER_FIELD_BOOL, offsetof(deer_arcade, ramping),                                    \
        .fallback = 1, .help = "the game becomes harder with time"                                 \
  }

/* What init does: fills in the space. `game` stays the caller's. */
void deer_arcade_init(deer_env *self, const deer_arcade_game *game);

/* Entries of the class, the same for all. */
deer_status deer_arcade_reset(deer_env *self, int mode, void *const *history);
deer_status deer_arcade_act(deer_env *self, const deer_real *action, double *reward);
deer_status deer_arcade_observe(deer_env *self, void *const *observation);
deer_status deer_arcade_ending(deer_env *self, deer_ending *how);
deer_status deer_arcade_render(deer_env *self, struct deer_canvas *canvas);

#define DEER_ARCADE_CLASS                                                                          \
  .abi = DEER_ENV_ABI, .reset = deer_arcade_reset, .act = deer_arcade_act,                         \
  .observe = deer_arcade_observe, .ending = deer_arcade_ending, .render = deer_arcade_render

/* A whole number from 0 to n - 1 by chance. */
int deer_arcade_draw(deer_arcade *self, int n);

static inline bool deer_arcade_on_board(int row, int column) {
  return row >= 0 && row < DEER_ARCADE_SIDE && column >= 0 && column < DEER_ARCADE_SIDE;
}

/* Is it what the options call a step: 1 or -1? */
static inline bool deer_arcade_is_step(double x) { return x == 1 || x == -1; }

/* Marks a cell; nothing happens outside of the board. */
void deer_arcade_mark(deer_arcade_board *channel, int row, int column);

/* True once every `interval` calls: *timer counts down to 0 and starts again. */
bool deer_arcade_due(int *timer, int interval);

#endif
