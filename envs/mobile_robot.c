/* mobile_robot.c: a robot in a square arena of 4 by 4 metres has to go to its target. S-RL
 * Toolbox's MobileRobot environments (Raffin et al. 2018, arXiv:1809.09369) without the simulator,
 * which there only sets positions: 2d            a place to reach 1d            the same along a
 * line: the robot only goes left and right two_targets   one place and then another line          a
 * line across the arena A step is 0.1 m; one into a wall leaves the robot where it is and earns -1,
 * else being at the target earns 1, in every step. Shaped, the reward is minus the distance.
 * Nothing ends an episode but its time. */
#include "deer.h"

#include <math.h>
#include <string.h>

enum { TWO_D, ONE_D, TWO_TARGETS, LINE };
enum { RELATIVE, GROUND_TRUTH, IMAGE };
enum { PIXELS = 224, MOST_TARGETS = 2 };

static const double side = 4, stride = 0.1, near = 0.4, near_line = 0.1; /* metres */
static const double length = 0.65, width = 0.2, gap = 0.1; /* of the robot, and to the walls */

typedef struct mobile_robot {
  deer_env base;
  int task, state; /* options */
  bool continuous, random_target, shaped;
  int64_t image_size;
  deer_list start_state;
  double robot[2], target[MOST_TARGETS][2]; /* x is down in the picture, y to the right */
  int current;                              /* target */
  deer_canvas *canvas;                      /* what an image is drawn on */
} mobile_robot;

static const deer_field fields[] = {
    {"task", DEER_FIELD_CHOICE, offsetof(mobile_robot, task), .fallback = TWO_D,
     .choices = "2d|1d|two_targets|line",
     .help = "reach a place in the plane, on a line, two places one after the other, or a line"},
    {"state", DEER_FIELD_CHOICE, offsetof(mobile_robot, state), .fallback = RELATIVE,
     .choices = "relative|ground_truth|image",
     .help = "where the robot is: seen from its target, in the arena, or as a picture from above"},
    {"image_size", DEER_FIELD_INT, offsetof(mobile_robot, image_size), .fallback = PIXELS,
     .min = 16, .max = 1024, .help = "rows and columns of the picture, in pixels"},
    {"continuous", DEER_FIELD_BOOL, offsetof(mobile_robot, continuous),
     .help = "the action is a step, -1 to 1 in each direction, instead of one of the directions"},
    {"random_target", DEER_FIELD_BOOL, offsetof(mobile_robot, random_target),
     .help = "targets are drawn for every episode"},
    {"shaped", DEER_FIELD_BOOL, offsetof(mobile_robot, shaped),
     .help = "the reward is minus the distance to the target"},
    {"start_state", DEER_FIELD_LIST, offsetof(mobile_robot, start_state), .max = 4,
     .choices = "x|y", .help = "where every episode begins; drawn around the middle if not given"},
    {"max_steps", DEER_FIELD_INT, offsetof(deer_env, max_steps), .max = 1e15,
     .help = "steps after which an episode is cut short; 0: 250, or 1500 with two targets"},
    {0}};

static int dimensions(const mobile_robot *m) { return m->task == ONE_D ? 1 : 2; }
static int n_targets(const mobile_robot *m) { return m->task == TWO_TARGETS ? 2 : 1; }

/* how far the robot may go in direction `axis`: from this to side minus this */
static double margin(int axis) { return gap + (axis == 0 ? length : width) / 2; }

static bool is_free(const mobile_robot *m, const double place[2]) {
  for (int axis = 0; axis < dimensions(m); axis++)
    if (place[axis] < margin(axis) || place[axis] > side - margin(axis)) return false;
  return true;
}

/* ---- life ---- */

static deer_status init(deer_env *self, const deer_rng *rng) {
  enum { STEPS = 250, STEPS_TWO_TARGETS = 1500 };
  mobile_robot *m = (mobile_robot *)self;
  (void)rng;
  int n = dimensions(m), size = (int)m->image_size;
  self->space = (deer_space){.n_subjects = 1, .actions = {.n = 2 * n, .size = 1}};
  self->space.subjects[0] = m->state == IMAGE
                                ? (deer_subject){1, DEER_SHAPE(3, size, size), DEER_DTYPE_U8}
                                : (deer_subject){1, DEER_SHAPE(n), DEER_DTYPE_REAL};
  if (m->continuous)
    self->space.actions = (deer_action_space){.size = n, .low = {-1, -1}, .high = {1, 1}};
  self->picture_width = self->picture_height = size;
  if (self->max_steps == 0) self->max_steps = m->task == TWO_TARGETS ? STEPS_TWO_TARGETS : STEPS;
  if (m->start_state.n > 0 && !is_free(m, m->start_state.at))
    return deer_fail(DEER_EINVAL,
                     "mobile_robot: start_state: expected x of %g to %g and y of %g to %g, between "
                     "the walls",
                     margin(0), side - margin(0), margin(1), side - margin(1));
  if (m->state == IMAGE && !(m->canvas = deer_canvas_new(size, size))) return DEER_ENOMEM;
  return DEER_OK;
}

static void finish(deer_env *self) { deer_canvas_free(((mobile_robot *)self)->canvas); }

static double between(deer_rng *rng, double low, double high) {
  return low + (high - low) * deer_rng_uniform(rng);
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  static const double targets[MOST_TARGETS][2] = {{3.6, 3}, {0.4, 3}};
  mobile_robot *m = (mobile_robot *)self;
  deer_rng *rng = deer_env_rng(self);
  (void)mode, (void)history; /* nothing came before */
  memset(m->robot, 0, sizeof m->robot);
  memcpy(m->target, targets, sizeof targets);
  for (int axis = 0; axis < dimensions(m); axis++)
    m->robot[axis] = between(rng, side / 2 - side / 3, side / 2 + side / 3);
  if (m->start_state.n > 0) memcpy(m->robot, m->start_state.at, sizeof m->robot);
  for (int i = 0; i < n_targets(m) && m->random_target; i++)
    for (int axis = 0; axis < 2; axis++) m->target[i][axis] = between(rng, 0.1 * side, 0.9 * side);
  m->current = 0;
  return DEER_OK;
}

/* ---- a step ---- */

static double distance(const mobile_robot *m) {
  const double *target = m->target[m->current];
  double x = m->robot[0] - target[0], y = m->robot[1] - target[1];
  return m->task == ONE_D || m->task == LINE ? fabs(x) : sqrt(x * x + y * y);
}

/* whether it could be made */
static bool step(mobile_robot *m, const deer_real *action) {
  double place[2] = {m->robot[0], m->robot[1]};
  if (m->continuous) {
    for (int axis = 0; axis < dimensions(m); axis++) place[axis] += stride * (double)action[axis];
  } else {
    int direction = (int)*action; /* down and up along x, then along y */
    place[direction / 2] += direction % 2 ? stride : -stride;
  }
  if (!is_free(m, place)) return false;
  memcpy(m->robot, place, sizeof place);
  return true;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  mobile_robot *m = (mobile_robot *)self;
  bool stepped = step(m, action);
  double far = distance(m);
  bool there = far <= (m->task == LINE ? near_line : near);
  if (there && m->current + 1 < n_targets(m)) m->current++;
  *reward = m->shaped ? -far : !stepped ? -1 : there;
  return DEER_OK;
}

/* ---- what is seen ---- */

static deer_xy place_on(const deer_canvas *canvas, double x, double y) {
  double scale = deer_canvas_width(canvas) / (side + 0.4);
  return (deer_xy){scale * (y + 0.2), scale * (x + 0.2)};
}

static void fill_box(deer_canvas *canvas, const double from[2], const double to[2],
                     deer_color color) {
  deer_xy corner = place_on(canvas, from[0], from[1]), other = place_on(canvas, to[0], to[1]);
  deer_rect box = {corner.x, corner.y, other.x - corner.x, other.y - corner.y};
  deer_canvas_rect(canvas, box, color);
}

static void draw_walls(deer_canvas *canvas) {
  static const deer_color colors[] = {
      {204, 60, 60, 255}, {70, 160, 80, 255}, {60, 90, 190, 255}, {225, 228, 232, 255}};
  const double thick = 0.1, s = side;
  const double boxes[][2][2] = {{{-thick, -thick}, {s + thick, 0}},
                                {{-thick, s}, {s + thick, s + thick}},
                                {{-thick, 0}, {0, s}},
                                {{s, 0}, {s + thick, s}}};
  for (int i = 0; i < 4; i++) fill_box(canvas, boxes[i][0], boxes[i][1], colors[i]);
}

static void draw(const mobile_robot *m, deer_canvas *canvas) {
  static const deer_color floor = {150, 155, 160, 255}, dark = {45, 55, 72, 255},
                          yellow = {240, 200, 80, 255}, red = {204, 77, 77, 255},
                          blue = {78, 135, 190, 255};
  double y = m->task == ONE_D ? side / 2 : m->robot[1], x = m->robot[0];
  double scale = deer_canvas_width(canvas) / (side + 0.4);
  deer_canvas_fill(canvas, floor);
  draw_walls(canvas);
  if (m->task == LINE) {
    double middle = m->target[0][0], from[] = {middle - 0.05, 0}, to[] = {middle + 0.05, side};
    fill_box(canvas, from, to, yellow);
  }
  for (int i = 0; i < n_targets(m) && m->task != LINE; i++) {
    double target_y = m->task == ONE_D ? side / 2 : m->target[i][1];
    deer_xy at = place_on(canvas, m->target[i][0], target_y);
    deer_canvas_circle(canvas, at, 0.2 * scale, i == 0 ? red : blue);
  }
  double from[] = {x - length / 2, y - width / 2}, to[] = {x + length / 2, y + width / 2};
  fill_box(canvas, from, to, dark);
  deer_canvas_circle(canvas, place_on(canvas, x + 0.2, y), 0.06 * scale, yellow);
}

static void observe_image(mobile_robot *m, uint8_t *o) {
  size_t area = (size_t)(m->image_size * m->image_size);
  draw(m, m->canvas);
  const uint8_t *pixel = deer_canvas_pixels(m->canvas);
  for (size_t i = 0; i < area; i++)
    for (size_t c = 0; c < 3; c++) o[c * area + i] = pixel[3 * i + c];
}

static deer_status observe(deer_env *self, void *const *observation) {
  mobile_robot *m = (mobile_robot *)self;
  const double *target = m->target[m->current];
  if (m->state == IMAGE) {
    observe_image(m, observation[0]);
    return DEER_OK;
  }
  deer_real *o = observation[0];
  for (int axis = 0; axis < dimensions(m); axis++) {
    /* a line is at no place along itself */
    bool from = m->state == RELATIVE && !(m->task == LINE && axis == 1);
    o[axis] = (deer_real)(m->robot[axis] - (from ? target[axis] : 0));
  }
  return DEER_OK;
}

static deer_status render(deer_env *self, deer_canvas *canvas) {
  draw((const mobile_robot *)self, canvas);
  return DEER_OK;
}

const deer_env_class deer_env_mobile_robot = {
    .abi = DEER_ENV_ABI,
    .name = "mobile_robot",
    .help = "drive to a target; 1 for every step there, minus 1 for one into a wall",
    .size = sizeof(mobile_robot),
    .fields = fields,
    .init = init,
    .reset = reset,
    .act = act,
    .observe = observe,
    .render = render,
    .finish = finish};
