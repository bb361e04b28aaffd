/* gridworld.c: walk over a map to the goal, around walls, holes (the end) and fire (which only
 * hurts). Maps, rewards and both ways to move are those of RLgraph's GridWorld. Who turns and jumps
 * looks up at first. In a step one turns, then goes a field forward or back, then jumps: over
 * whatever lies ahead onto the field behind it; a wall or the edge there leaves one as far as a
 * step would. */
#include "deer.h"

#include <string.h>

enum { CELL = 32 }; /* pixels of the picture for a field */

/* S start, W wall, H hole, F fire, G goal; rows follow each other */
static const struct map {
  int rows, columns;
  const char *fields;
} maps[] = {{1, 11, "G    S  F G"},
            {1, 68, "                                 S                                 G"},
            {2, 2,
             "SH"
             " G"},
            {4, 4,
             "S   "
             " H H"
             "   H"
             "H  G"},
            {8, 8,
             "S       "
             "        "
             "   H    "
             "     H  "
             "   H    "
             " HH   H "
             " H  H H "
             "   H   G"},
            {8, 16,
             "S      H        "
             "   H       HH   "
             "    FF   WWWWWWW"
             "  H      W      "
             "    FF   W  H   "
             "         W      "
             "    FF   W      "
             "  H          H G"},
            {16, 16,
             "S      H        "
             "           HH   "
             "    FF   W     W"
             "         W      "
             "WWW FF      H   "
             "         W      "
             " FFFF    W      "
             "  H          H  "
             "       H        "
             "   H       HH   "
             "WWWW     WWWWWWW"
             "  H      W    W "
             "    FF   W  H W "
             "WWWW    WW    W "
             "    FF   W      "
             "  H          H G"},
            {11, 11,
             "     W     "
             " H   W     "
             "        G  "
             "     W     "
             "     W     "
             "W WWWW     "
             "     WWW WW"
             "     W F   "
             "  S  W     "
             "           "
             "     W     "}};

enum { ONE_HOT, INDEX, XY, CAMERA, XY_ORIENTATION };
enum { UDLR, FTJ };
enum { UP, RIGHT, DOWN, LEFT, DIRECTIONS };
enum { SPARSE, RICH };

typedef struct gridworld {
  deer_env base;
  int map, state, rewards, actions; /* options */
  bool random_start, safe;
  deer_list start_state;
  int row, column;
  int looks; /* in which direction */
} gridworld;

static const deer_field fields[] = {
    {"map", DEER_FIELD_CHOICE, offsetof(gridworld, map), .fallback = 3,
     .choices = "chain|long-chain|2x2|4x4|8x8|8x16|16x16|4-room", .help = "where to walk"},
    {"state", DEER_FIELD_CHOICE, offsetof(gridworld, state), .fallback = ONE_HOT,
     .choices = "one_hot|index|xy|camera|xy_orientation",
     .help = "a 1 among zeros, the field's number column by column, its column and row, dangers, "
             "walls and goal, and oneself as three frames of 0 to 1, or column, row and where one "
             "looks, to the right and up"},
    {"actions", DEER_FIELD_CHOICE, offsetof(gridworld, actions), .choices = "udlr|ftj",
     .help = "up, right, down, left; or three choices at once: back, stay, forward; turn left, "
             "not, right; not, jump"},
    {"safe", DEER_FIELD_BOOL, offsetof(gridworld, safe), .help = "fire instead of holes"},
    {"reward", DEER_FIELD_CHOICE, offsetof(gridworld, rewards), .fallback = SPARSE,
     .choices = "sparse|rich",
     .help = "hole -5, fire -3, goal 1, or -100, -10, 50; -0.1 for any other step"},
    {"random_start", DEER_FIELD_BOOL, offsetof(gridworld, random_start),
     .help = "begin on any free field"},
    {"start_state", DEER_FIELD_WHOLES, offsetof(gridworld, start_state), .max = 67,
     .choices = "column|row",
     .help = "where every episode begins, {0, 0} at the top left; on S if not given"},
    DEER_ENV_MAX_STEPS(1000),
    {0}};

static char field_at(const gridworld *g, int row, int column) {
  char field = maps[g->map].fields[row * maps[g->map].columns + column];
  return g->safe && field == 'H' ? 'F' : field;
}

static char field_below(const gridworld *g) { return field_at(g, g->row, g->column); }

static deer_subject subject(const gridworld *g) {
  const struct map *m = &maps[g->map];
  if (g->state == ONE_HOT)
    return (deer_subject){1, DEER_SHAPE(m->rows * m->columns), DEER_DTYPE_REAL};
  if (g->state == CAMERA)
    return (deer_subject){1, DEER_SHAPE(3, m->rows, m->columns), DEER_DTYPE_REAL};
  if (g->state == XY_ORIENTATION) return (deer_subject){1, DEER_SHAPE(4), DEER_DTYPE_REAL};
  return (deer_subject){1, g->state == XY ? DEER_SHAPE(2) : DEER_SCALAR, DEER_DTYPE_REAL};
}

/* where an episode would be over before it began is no start */
static deer_status check_start(const gridworld *g) {
  const double *at = g->start_state.at;
  const struct map *m = &maps[g->map];
  if (g->start_state.n == 0) return DEER_OK;
  if (at[0] < m->columns && at[1] < m->rows && strchr(" SF", field_at(g, (int)at[1], (int)at[0])))
    return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "gridworld: start_state: expected {column, row} of a free field of the map, "
                   "which has %d columns and %d rows, got {%d, %d}",
                   m->columns, m->rows, (int)at[0], (int)at[1]);
}

static deer_status init(deer_env *self, const deer_rng *rng) {
  gridworld *g = (gridworld *)self;
  (void)rng;
  self->space = (deer_space){.n_subjects = 1, .actions = {.n = 4, .size = 1}};
  if (g->actions == FTJ) self->space.actions = (deer_action_space){.size = 3, .choices = {3, 3, 2}};
  self->space.subjects[0] = subject(g);
  self->picture_width = maps[g->map].columns * CELL;
  self->picture_height = maps[g->map].rows * CELL;
  return check_start(g);
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  gridworld *g = (gridworld *)self;
  (void)mode, (void)history; /* nothing came before */
  const struct map *m = &maps[g->map];
  int at = (int)(strchr(m->fields, 'S') - m->fields);
  if (g->random_start) {
    do at = (int)deer_rng_below(deer_env_rng(self), (uint64_t)(m->rows * m->columns));
    while (!strchr(" SF", field_at(g, at / m->columns, at % m->columns)));
  }
  g->row = at / m->columns, g->column = at % m->columns, g->looks = UP;
  if (g->start_state.n > 0)
    g->column = (int)g->start_state.at[0], g->row = (int)g->start_state.at[1];
  return DEER_OK;
}

/* by DIRECTIONS */
static const int down[] = {-1, 0, 1, 0}, right[] = {0, 1, 0, -1};

/* so many fields in a direction, whatever lies between; false where one cannot stand */
static bool go(gridworld *g, int direction, int fields_far) {
  int row = g->row + fields_far * down[direction],
      column = g->column + fields_far * right[direction];
  bool inside = row >= 0 && row < maps[g->map].rows && column >= 0 && column < maps[g->map].columns;
  if (!inside || field_at(g, row, column) == 'W') return false;
  g->row = row, g->column = column;
  return true;
}

static bool is_over(const gridworld *g) { return strchr("HG", field_below(g)) != NULL; }

static void turn_and_jump(gridworld *g, const deer_real *action) {
  enum { FORWARD, TURN, JUMP, BACK = 0, STAY = 1 };
  g->looks = (g->looks + (int)action[TURN] - 1 + DIRECTIONS) % DIRECTIONS;
  int forward = (int)action[FORWARD];
  if (forward != STAY) go(g, forward == BACK ? (g->looks + 2) % DIRECTIONS : g->looks, 1);
  if (action[JUMP] == 1 && !is_over(g) && !go(g, g->looks, 2)) go(g, g->looks, 1);
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  static const double hole[] = {-5, -100}, fire[] = {-3, -10}, goal[] = {1, 50};
  gridworld *g = (gridworld *)self;
  if (g->actions == FTJ)
    turn_and_jump(g, action);
  else
    go(g, (int)*action, 1);
  char field = field_below(g);
  *reward = field == 'H'   ? hole[g->rewards]
            : field == 'F' ? fire[g->rewards]
            : field == 'G' ? goal[g->rewards]
                           : -0.1;
  return DEER_OK;
}

/* dangers (fire one half), walls and goal (walls one half), oneself */
static void take_picture(const gridworld *g, deer_real *o) {
  int area = maps[g->map].rows * maps[g->map].columns;
  for (int i = 0; i < area; i++) {
    char field = field_at(g, i / maps[g->map].columns, i % maps[g->map].columns);
    o[i] = (deer_real)(field == 'H' ? 1 : field == 'F' ? 0.5 : 0);
    o[area + i] = (deer_real)(field == 'G' ? 1 : field == 'W' ? 0.5 : 0);
    o[2 * area + i] = i == g->row * maps[g->map].columns + g->column;
  }
}

static deer_status observe(deer_env *self, void *const *observation) {
  const gridworld *g = (const gridworld *)self;
  deer_real *o = observation[0];
  int rows = maps[g->map].rows, at = g->column * rows + g->row;
  if (g->state == ONE_HOT)
    for (int i = 0; i < rows * maps[g->map].columns; i++) o[i] = i == at;
  else if (g->state == CAMERA)
    take_picture(g, o);
  else if (g->state == INDEX)
    o[0] = (deer_real)at;
  else
    o[0] = (deer_real)g->column, o[1] = (deer_real)g->row;
  if (g->state == XY_ORIENTATION)
    o[2] = (deer_real)right[g->looks], o[3] = (deer_real)-down[g->looks];
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = is_over((const gridworld *)self) ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

static deer_color color_of(char field) {
  static const deer_color floor = {240, 241, 243, 255}, wall = {90, 98, 110, 255},
                          hole = {30, 34, 42, 255}, fire = {235, 130, 50, 255},
                          goal = {90, 170, 100, 255}, start = {205, 215, 235, 255};
  return field == 'W'   ? wall
         : field == 'H' ? hole
         : field == 'F' ? fire
         : field == 'G' ? goal
         : field == 'S' ? start
                        : floor;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  static const deer_color white = {255, 255, 255, 255}, red = {204, 77, 77, 255};
  const gridworld *g = (const gridworld *)self;
  deer_canvas_fill(canvas, white);
  for (int row = 0; row < maps[g->map].rows; row++)
    for (int column = 0; column < maps[g->map].columns; column++)
      deer_canvas_rect(canvas, (deer_rect){column * CELL + 1, row * CELL + 1, CELL - 2, CELL - 2},
                       color_of(field_at(g, row, column)));
  deer_xy at = {(g->column + 0.5) * CELL, (g->row + 0.5) * CELL};
  deer_canvas_circle(canvas, at, 0.3 * CELL, red);
  /* an eye where one looks */
  deer_xy eye = {at.x + 0.2 * CELL * right[g->looks], at.y + 0.2 * CELL * down[g->looks]};
  if (g->actions == FTJ) deer_canvas_circle(canvas, eye, 0.08 * CELL, white);
  return DEER_OK;
}

const deer_env_class deer_env_gridworld = {
    .abi = DEER_ENV_ABI,
    .name = "gridworld",
    .help = "walk over a map to the goal, around walls, holes and fire",
    .size = sizeof(gridworld),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .ending = ending,
    .render = render};
