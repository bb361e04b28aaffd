/* catcher.c: a block falls on one side, and a paddle below has to be there when it lands: 1 if it
 * is, minus 1 if not. DeeR's small task on pixels. */
#include "deer.h"

#include <math.h>
#include <string.h>

enum { CELLS = 10, PIXELS = 36, SPRITE = 7, ZOOM = 10 };

typedef struct catcher {
  deer_env base;
  deer_list start_state; /* options */
  bool higher_dim_obs, reverse;
  int paddle, block, height;
} catcher;

static const deer_field fields[] = {
    {"higher_dim_obs", DEER_FIELD_BOOL, offsetof(catcher, higher_dim_obs), .fallback = 1,
     .help = "36 x 36 pixels are observed, else a grid of 10 x 10 cells"},
    {"reverse", DEER_FIELD_BOOL, offsetof(catcher, reverse), .help = "all pixels are negated"},
    {"start_state", DEER_FIELD_WHOLES, offsetof(catcher, start_state), .max = CELLS - 1,
     .choices = "column of the paddle|column of the block|height",
     .help = "where every episode begins, counted from 0; drawn, at height 9, if not given"},
    DEER_ENV_MAX_STEPS(0),
    {0}};

static int side(const catcher *c) { return c->higher_dim_obs ? PIXELS : CELLS; }

static deer_status init(deer_env *self, const deer_rng *rng) {
  const catcher *c = (const catcher *)self;
  (void)rng;
  self->space = (deer_space){.n_subjects = 1,
                             .subjects = {{1, DEER_SHAPE(side(c), side(c)), DEER_DTYPE_REAL}},
                             .actions = {.n = 2, .size = 1}};
  self->picture_width = self->picture_height = PIXELS * ZOOM;
  self->picture_rate = 10;
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  catcher *c = (catcher *)self;
  (void)mode, (void)history; /* nothing came before */
  deer_rng *rng = deer_env_rng(self);
  c->block = deer_rng_uniform(rng) < 0.5 ? 0 : CELLS - 1;
  c->paddle = (int)(CELLS * deer_rng_uniform(rng));
  c->height = CELLS - 1;
  const double *at = c->start_state.at;
  if (c->start_state.n > 0) c->paddle = (int)at[0], c->block = (int)at[1], c->height = (int)at[2];
  return DEER_OK;
}

/* 0 moves the paddle to the left, 1 to the right; then the block falls by a cell */
static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  catcher *c = (catcher *)self;
  c->paddle += *action > 0 ? 1 : -1;
  c->paddle = c->paddle < 0 ? 0 : c->paddle >= CELLS ? CELLS - 1 : c->paddle;
  if (c->height > 0) c->height--;
  bool caught = c->paddle >= c->block - 1 && c->paddle <= c->block + 1;
  *reward = c->height > 0 ? 0 : caught ? 1 : -1;
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = ((const catcher *)self)->height <= 0 ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

/* ---- what is seen ---- */

/* DeeR's figures in percent: rows of seven pixels */
static const uint8_t block_sprite[][SPRITE] = {{0, 0, 60, 80, 60, 0, 0},
                                               {0, 60, 90, 100, 90, 60, 0},
                                               {0, 85, 100, 100, 100, 85, 0},
                                               {0, 60, 90, 100, 90, 60, 0},
                                               {0, 0, 60, 85, 60, 0, 0}};
static const uint8_t paddle_sprite[][SPRITE] = {{50, 95, 100, 100, 100, 95, 50},
                                                {90, 100, 100, 100, 100, 100, 90}};

/* draws a figure from its first pixel on; where two overlap the lighter pixel wins */
static void stamp(deer_real *pixels, const uint8_t (*sprite)[SPRITE], int rows) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < SPRITE; j++) {
      deer_real *at = pixels + i * PIXELS + j, value = (deer_real)(sprite[i][j] / 100.0);
      if (value > *at) *at = value;
    }
}

/* the paddle is in the first row: rows count from the ground */
static deer_status observe(deer_env *self, void *const *observation) {
  const catcher *c = (const catcher *)self;
  deer_real *o = observation[0];
  size_t n = (size_t)side(c) * (size_t)side(c);
  memset(o, 0, n * sizeof *o);
  if (c->higher_dim_obs) {
    stamp(o + (3 * c->height + 1) * PIXELS + 3 * c->block, block_sprite, 5);
    stamp(o + 3 * PIXELS + 3 * c->paddle, paddle_sprite, 2);
  } else {
    o[c->height * CELLS + c->block] = (deer_real)0.5;
    o[c->paddle] = 1;
  }
  for (size_t i = 0; c->reverse && i < n; i++) o[i] = -o[i];
  return DEER_OK;
}

static deer_status draw(deer_env *self, const void *const *observation, deer_canvas *canvas) {
  const catcher *c = (const catcher *)self;
  const deer_real *pixels = observation[0];
  int n = side(c), zoom = PIXELS * ZOOM / n;
  for (int i = 0; i < n * n; i++) {
    double light = (double)(c->reverse ? 1 + pixels[i] : pixels[i]);
    uint8_t grey = (uint8_t)lround(255 * light);
    deer_rect at = {zoom * (i % n), zoom * (n - 1 - i / n), zoom, zoom};
    deer_canvas_rect(canvas, at, (deer_color){grey, grey, grey, 255});
  }
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  deer_real pixels[PIXELS * PIXELS];
  DEER_TRY(observe(self, &(void *){pixels}));
  return draw(self, &(const void *){pixels}, canvas);
}

const deer_env_class deer_env_catcher = {
    .abi = DEER_ENV_ABI,
    .name = "catcher",
    .help = "catch a falling block, seen as pixels; 1 for catching it, minus 1 for missing it",
    .size = sizeof(catcher),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render,
    .draw = draw};
